"""Reading back a file that we wrote: whole, of a version we know, or with a word on why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django_dbaudit.errors import AuditError
from django_dbaudit.version import NAME, VERSION

T = TypeVar("T")

#: The key under which a file says which version of ours wrote it.
WRITER = "written_by"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of JSON file: what it is called, the key of its version, and how to get another."""

    name: str
    key: str
    version: int
    again: str

    def read(self, path: Path, decode: Callable[[dict[str, Any]], T]) -> T:
        """What ``decode`` makes of the file; an `AuditError` says what is wrong with a bad one."""
        document: Any = None
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            self._check_version(path, document)
            return decode(document)
        except OSError as error:
            raise AuditError(f"Cannot read {self.name} {path}: {error.strerror}. {self.again}") from error
        except KeyError as error:
            raise self._damaged(path, f"{error} is missing{_written_by(document)}") from error
        # RecursionError: brackets within brackets without end.
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self._damaged(path, f"{error}{_written_by(document)}") from error

    def _check_version(self, path: Path, document: object) -> None:
        version = document.get(self.key) if isinstance(document, dict) else None
        if isinstance(version, int) and version > self.version:
            raise AuditError(
                f"{self.name[0].upper()}{self.name[1:]} {path} has version {version}, and this "
                f"django-dbaudit reads up to {self.version}: upgrade django-dbaudit. {self.again}"
            )
        if version != self.version:
            raise ValueError(f"its {self.key} is {version!r}, not {self.version}")

    def _damaged(self, path: Path, why: str) -> AuditError:
        return AuditError(f"{self.name[0].upper()}{self.name[1:]} {path} is damaged ({why}). {self.again}")


def _written_by(document: object) -> str:
    """Which versions do not understand each other, where the file tells."""
    writer = document.get(WRITER) if isinstance(document, dict) else None
    return f"; {NAME} {writer} wrote it, and this is {VERSION}" if isinstance(writer, str) else ""
