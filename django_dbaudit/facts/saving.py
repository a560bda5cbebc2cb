"""Facts in a file: look at a server once, and judge elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django_dbaudit.codec import decode, encode
from django_dbaudit.facts.kinds import ALL
from django_dbaudit.facts.known import AliasFacts, Facts, Unavailable
from django_dbaudit.files import WRITER, FileKind
from django_dbaudit.finding import Database
from django_dbaudit.project.replication import DeclaredAlias
from django_dbaudit.version import VERSION

FILE = FileKind("the facts file", "facts_version", 1, "Save it again with --save-facts.")


def save(facts: Facts) -> str:
    """The text of a facts file. It holds query texts and names of the server: treat it as private."""
    document = {
        FILE.key: FILE.version,
        WRITER: VERSION,
        "aliases": [
            {
                "database": encode(each.database),
                "declared": encode(each.declared),
                "known": {
                    name: _encode(each.known[kind]) for name, kind in ALL.items() if kind in each.known
                },
            }
            for each in facts.aliases
        ],
    }
    text = json.dumps(document, indent=1)
    if not facts.code:
        return text + "\n"
    # On one line: what views do is a deep tree, and nobody reads it here.
    code = json.dumps({kind.__name__: _encode(fact) for kind, fact in facts.code.items()})
    return f'{text.removesuffix(chr(10) + "}")},\n "code": {code}\n}}\n'


def _encode(fact: Any) -> dict[str, Any]:
    return {"unavailable" if isinstance(fact, Unavailable) else "fact": encode(fact)}


def load(path: Path) -> Facts:
    """Read a facts file; an `AuditError` says what is wrong with one that cannot be read."""
    return FILE.read(path, _decode_document)


def _decode_document(document: Mapping[str, Any]) -> Facts:
    # Files from before facts of the code were kept have none.
    code = _decode_known(document.get("code", {}))
    return Facts(tuple(map(_decode_alias, document["aliases"])), code)


def _decode_alias(value: Mapping[str, Any]) -> AliasFacts:
    known = _decode_known(value["known"])
    # Files from before it was kept have none.
    declared = decode(DeclaredAlias, value.get("declared", {}))
    return AliasFacts(decode(Database, value["database"]), known, declared)


def _decode_known(value: Mapping[str, Any]) -> dict[type[Any], Any]:
    known: dict[type[Any], Any] = {}
    for name, boxed in value.items():
        kind = ALL.get(name)
        if kind is None:
            # A kind of fact that only another version knows is of no use to any rule of this one.
            continue
        known[kind] = (
            decode(Unavailable, boxed["unavailable"])
            if "unavailable" in boxed
            else decode(kind, boxed["fact"])
        )
    return known
