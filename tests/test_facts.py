from __future__ import annotations

import dataclasses
import functools
import json
import socket
import types
import typing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activity import at_work, execute
from aliases import alias_like
from django_dbaudit import audit, derived, facts
from django_dbaudit.codec import decode, encode
from django_dbaudit.conf import Config, Thresholds
from django_dbaudit.derived import DerivedFact
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import AliasFacts, Facts, Unavailable
from django_dbaudit.finding import Database
from django_dbaudit.postgres.server import Server
from django_dbaudit.postgres.sessions import Sessions
from django_dbaudit.postgres.tables import Tables
from django_dbaudit.rule import Rule, all_rules
from django_dbaudit.version import VERSION
from scratch import Scratch

PASSWORD = "hunter2-is-secret"


def gathered(alias: str) -> dict[type[Any], Any]:
    (seen,) = facts.gather([alias], set(facts.ALL.values()), Config(store=alias)).aliases
    return dict(seen.known)


# A file of facts.


def saved(path: Path, what: Facts) -> Path:
    path.write_text(facts.save(what), encoding="utf-8")
    return path


def test_what_is_saved_is_what_is_loaded(scratch: Scratch, tmp_path: Path) -> None:
    scratch.run(
        'CREATE TABLE "Eis Diele" (id serial PRIMARY KEY, title text COLLATE "C", up int)',
        'ALTER TABLE "Eis Diele" ADD FOREIGN KEY (up) REFERENCES "Eis Diele"',
        'CREATE INDEX ON "Eis Diele" (lower(title) DESC) INCLUDE (up) WHERE up > 5',
        "CREATE MATERIALIZED VIEW podium AS SELECT 1 AS id",
        "CREATE TABLE flavor (id int)",
    )
    with scratch.session("Bürö") as holder, scratch.session() as waiter:
        execute(holder, "BEGIN", "LOCK TABLE flavor", "SELECT 'Eisbecher für 5 €'")
        with at_work(scratch, waiter, "SELECT FROM flavor"):
            before = scratch.gather()
    after = facts.load(saved(tmp_path / "facts.json", before))
    assert after == before
    (alias,) = after.aliases
    assert {*alias.known, *after.code} == set(facts.ALL.values())
    # Those are had with extensions that this database has not.
    gone = {kind for kind, fact in alias.known.items() if isinstance(fact, Unavailable)}
    assert gone == set(facts.OF_STATEMENTS)


def test_rules_say_of_a_file_what_they_say_of_the_server(scratch: Scratch, tmp_path: Path) -> None:
    scratch.run("CREATE TABLE t (a int)", "CREATE INDEX t_a ON t (a)", "CREATE INDEX t_a_too ON t (a)")
    before = scratch.gather()
    after = facts.load(saved(tmp_path / "facts.json", before))
    assert audit.run(all_rules(), after, Thresholds()) == audit.run(all_rules(), before, Thresholds())


def test_what_could_not_be_had_is_saved_with_its_reason(tmp_path: Path) -> None:
    reasons = {Server: Unavailable("down", failed=True), Sessions: Unavailable("no right")}
    before = Facts((AliasFacts(Database("default", "postgresql"), reasons),))
    assert facts.load(saved(tmp_path / "facts.json", before)) == before


def test_facts_that_only_another_version_knows_are_left_out(tmp_path: Path) -> None:
    document = json.loads(facts.save(Facts((AliasFacts(Database("default", "postgresql"), {}),))))
    document["aliases"][0]["known"]["Weather"] = {"fact": {"items": [1, 2]}}
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(document))
    (alias,) = facts.load(path).aliases
    assert alias.known == {}
    assert alias.get(Server) == Unavailable("not among the facts that were gathered")


def refusal(path: Path) -> str:
    with pytest.raises(AuditError) as raised:
        facts.load(path)
    message = str(raised.value)
    assert str(path) in message
    return message


def test_a_file_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    assert "gone.json: No such file or directory. Save it again" in refusal(tmp_path / "gone.json")
    assert ": Is a directory. Save it again" in refusal(tmp_path)


def test_a_file_of_a_newer_version_says_what_to_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"facts_version": 99, "aliases": "another shape"}))
    message = refusal(path)
    assert "has version 99, and this django-dbaudit reads up to 1" in message
    assert "upgrade django-dbaudit. Save it again" in message


def one_alias(**changes: Any) -> dict[str, Any]:
    """A document with one fact in it, and what a test changes there."""
    database = {"alias": "default", "vendor": "postgresql", "server_version": None}
    alias = {"database": database, "known": {"Tables": {"fact": {"items": []}}}, **changes}
    return {"facts_version": 1, "aliases": [alias]}


def test_the_document_that_is_damaged_below_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(one_alias()))
    assert facts.load(path).aliases[0].get(Tables) == Tables(())


def test_what_a_newer_version_knows_more_is_passed_over(tmp_path: Path) -> None:
    document = one_alias(known={"Tables": {"fact": {"items": [], "since": "0.9"}}}, more=1)
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({**document, "written_by": "0.9"}))
    assert facts.load(path).aliases[0].get(Tables) == Tables(())


def test_what_another_version_did_not_know_yet_is_said_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({**one_alias(known={"Tables": {"fact": {}}}), "written_by": "0.0.1"}))
    message = refusal(path)
    assert f"Tables: missing: items; django-dbaudit 0.0.1 wrote it, and this is {VERSION})" in message


def test_a_saved_file_says_which_version_wrote_it() -> None:
    assert json.loads(facts.save(Facts()))["written_by"] == VERSION


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "its facts_version is None, not 1"),
        ({"aliases": []}, "its facts_version is None, not 1"),
        ({"facts_version": "1", "aliases": []}, "its facts_version is '1', not 1"),
        ({"facts_version": 1}, "'aliases' is missing"),
        ({"facts_version": 1, "aliases": ["default"]}, ""),
        ({"facts_version": 1, "aliases": None}, ""),
        (one_alias(known=[]), ""),
        (one_alias(known={"Tables": None}), ""),
        (one_alias(known={"Tables": {}}), "'fact' is missing"),
        (one_alias(known={"Tables": {"fact": {"items": {}}}}), "Tables.items: expected a list, found {}"),
        (one_alias(known={"Tables": {"fact": {}}}), "Tables: missing: items"),
        (one_alias(known={"Tables": {"fact": {"items": [{"oid": 5}]}}}), "Tables.items: Table: missing: "),
        (one_alias(known={"Tables": {"unavailable": {"reason": 5}}}), "reason: expected str, found 5"),
        (one_alias(database={"alias": "default"}), "Database: missing: vendor"),
    ],
    ids=str,
)
def test_a_damaged_file_says_where_and_how_to_get_a_whole_one(
    tmp_path: Path, document: object, why: str
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(document))
    message = refusal(path)
    assert f"The facts file {path} is damaged (" in message
    assert why in message
    assert message.endswith("Save it again with --save-facts.")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe", b"facts", b"[" * 100_000], ids=lambda text: repr(text[:5])
)
def test_what_is_no_json_at_all_is_damaged(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(text)
    assert "is damaged (" in refusal(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "180006"),
        ("version", True),
        ("version", 18.6),
        ("in_recovery", 0),
        ("taken_at", "yesterday"),
        ("taken_at", "2026-06-01T12:00:00"),
        ("taken_at", "2026-13-01T12:00:00+00:00"),
        ("taken_at", None),
        ("user", None),
        ("role_connection_limit", "5"),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(
    scratch: Scratch, field: str, value: object
) -> None:
    row = {**encode(scratch.fact(Server)), field: value}
    with pytest.raises(ValueError, match=f"^Server.{field}: expected|month must be"):
        decode(Server, row)


# Facts and JSON.

#: Whole minutes from UTC, as the server writes them.
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@functools.cache
def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a fact's type, or of the type of something in it, which may hold its own kind."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(any_of, arguments))
    if origin is tuple:
        return st.lists(any_of(arguments[0]), max_size=3).map(tuple)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.deferred(
            lambda: st.builds(
                hint,
                **{each.name: any_of(hints[each.name]) for each in dataclasses.fields(hint) if each.init},
            )
        )
    simple: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(),
        datetime: st.datetimes(timezones=ZONES),
        types.NoneType: st.none(),
    }
    return simple[hint]


@pytest.mark.parametrize("kind", [*facts.ALL.values(), Unavailable], ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_fact_survives_json(kind: Any, data: st.DataObject) -> None:
    fact = data.draw(any_of(kind))
    text = json.dumps(encode(fact))
    assert decode(kind, json.loads(text)) == fact


# Aliases that cannot be looked into.


def test_an_alias_that_is_not_postgresql_is_told_by_every_rule_and_crashes_none() -> None:
    lite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}}
    with alias_like("default", **lite) as alias:
        seen = facts.gather([alias], set(facts.ALL.values()), Config(store=alias))
        result = audit.run(all_rules(), seen, Thresholds())
    assert seen.databases == (Database(alias, "sqlite"),)
    assert [each for each in result.findings if each.database] == []
    (failure,) = result.failures
    assert failure.startswith(f"Nothing was audited; {alias}: not PostgreSQL: the alias is sqlite")
    about_server = {rule.code for rule in all_rules() if rule.sources.intersection(facts.FROM_SERVER)}
    told = {each.rule for each in result.not_run if each.reason == "not PostgreSQL: the alias is sqlite"}
    assert told >= about_server


def test_a_file_about_another_database_can_be_loaded_too(tmp_path: Path) -> None:
    lite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}}
    with alias_like("default", **lite) as alias:
        seen = facts.gather([alias], set(facts.ALL.values()), Config(store=alias))
    assert facts.load(saved(tmp_path / "facts.json", seen)) == seen


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (lambda: {"HOST": "127.0.0.1", "PORT": closed_port()}, "refused"),
        (lambda: {"HOST": "/nowhere"}, "No such file or directory"),
        (lambda: {"PASSWORD": PASSWORD}, "password authentication failed"),
        (lambda: {"USER": "nobody-we-know"}, "nobody-we-know"),
        (lambda: {"NAME": "x" * 64}, "longer than PostgreSQL's limit"),
        (lambda: {"NAME": ""}, "supply the NAME"),
        (lambda: {"PORT": "many"}, "many"),
        (lambda: {"OPTIONS": {"no_such_option": 1}}, "no_such_option"),
        (lambda: {"OPTIONS": {"service": "no-such-service"}, "NAME": ""}, "no-such-service"),
        (lambda: {"HOST": "a..b"}, ""),
    ],
)
def test_an_alias_that_cannot_be_reached_says_why_and_keeps_its_password(
    scratch: Scratch, own: Any, reason: str
) -> None:
    with alias_like(scratch.alias, **{"PASSWORD": PASSWORD, **own()}) as alias:
        known = gathered(alias)
    assert set(known) == set(facts.ALL.values()) - set(facts.SHARED)
    for fact in known.values():
        assert isinstance(fact, Unavailable)
        assert fact.failed
        assert fact.reason.startswith("could not connect: ")
        assert reason in fact.reason
        assert PASSWORD not in fact.reason
        assert "\n" not in fact.reason


def test_a_database_that_does_not_exist_is_named(scratch: Scratch) -> None:
    with alias_like(scratch.alias, NAME="no_such_database") as alias:
        known = gathered(alias)
    reasons = {fact.reason for fact in known.values()}
    assert len(reasons) == 1
    assert 'database "no_such_database" does not exist' in reasons.pop()


def _indispensable(rule: Rule) -> set[type[Any]]:
    """The facts without which the rule cannot run."""
    return {source for kind in rule.needs.values() for source in _sources(kind)}


def _sources(kind: type[Any]) -> set[type[Any]]:
    if kind in facts.ABSENT or kind is Thresholds:
        return set()
    if not issubclass(kind, DerivedFact):
        return {kind}
    return {source for each in derived.needs(kind).values() for source in _sources(each)}


def test_a_failure_is_told_once_for_the_alias_and_by_each_rule(scratch: Scratch) -> None:
    with alias_like(scratch.alias, NAME="no_such_database") as alias:
        seen = facts.gather([alias], set(facts.ALL.values()), Config(store=alias))
    result = audit.run(all_rules(), seen, Thresholds())
    (failure,) = result.failures
    assert failure.startswith(f"{alias}: could not connect: ")
    of_a_database = {rule.code for rule in all_rules() if not _indispensable(rule) <= facts.OF_CODE.keys()}
    assert {each.rule for each in result.not_run} == of_a_database


@pytest.mark.parametrize(
    ("engine", "why"),
    [("no.such.backend", "No module named 'no'"), ("django.db.backends.mysql", "MySQLdb")],
)
def test_an_engine_that_cannot_be_loaded_is_named_with_the_cause(engine: str, why: str) -> None:
    with alias_like("default", ENGINE=engine) as alias:
        (seen,) = facts.gather([alias], set(facts.ALL.values()), Config(store=alias)).aliases
    assert seen.database.vendor == "unknown"
    for fact in seen.known.values():
        assert fact.failed
        assert fact.reason.startswith(f"cannot load its ENGINE {engine!r}: ")
        assert why in fact.reason


def test_one_alias_that_is_down_takes_nothing_from_the_others(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    with alias_like(scratch.alias, NAME="no_such_database") as alias:
        down, up = facts.gather([alias, scratch.alias], {Tables}, Config()).aliases
    assert isinstance(down.get(Tables), Unavailable)
    assert [each.name for each in up.get(Tables).items] == ["flavor"]


def test_an_empty_database_is_a_failure_that_says_to_migrate(scratch: Scratch) -> None:
    known = gathered(scratch.alias)
    for kind in facts.OF_SCHEMA:
        assert known[kind].failed
        assert f"run 'manage.py migrate --database {scratch.alias}'" in known[kind].reason
    # What is not about tables is known all the same.
    assert isinstance(known[Server], Server)
    assert isinstance(known[Sessions], Sessions)


def test_progress_names_alias_and_fact(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id int)")
    said: list[str] = []
    facts.gather([scratch.alias], set(facts.ALL.values()), Config(store=scratch.alias), said.append)
    read = (*facts.FROM_SERVER, *facts.OF_STATEMENTS)
    assert said == [
        *(f"{scratch.alias}: {kind.__name__}" for kind in read),
        *(f"the code: {kind.__name__}" for kind in facts.OF_CODE),
        "the store: Traffic",
    ]


def test_only_what_is_asked_for_and_what_it_leans_on_is_read(scratch: Scratch) -> None:
    said: list[str] = []
    (seen,) = facts.gather([scratch.alias], {Sessions}, Config(), said.append).aliases
    assert set(seen.known) == {Server, Sessions}
    assert len(said) == 2
