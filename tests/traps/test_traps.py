from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.db import Error

from django_dbaudit.finding import Related
from scratch import admin
from traps import TRAPS, scoring
from traps.database import Laid, below, judged, laid, why_not
from traps.mending import Mended, mended, plan
from traps.trap import Trap

#: Rules whose fix, where it is SQL, leaves nothing of theirs to be found.
STRUCTURE = ("duplicate-index", "redundant-index", "invalid-index", "unindexed-foreign-key")

#: What a mended index does away with.
SEQUENTIAL = {"Seq Scan Filter"}

CONSTRAINTS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype <> 'n' AND conrelid <> 0
"""
#: Tables that replicate by an index or are clustered on one.
ORDERS = """
SELECT indrelid::regclass::text, 'replica identity' FROM pg_index WHERE indisreplident
UNION ALL SELECT indrelid::regclass::text, 'clustered' FROM pg_index WHERE indisclustered
"""


def each(condition: Callable[[Trap], object] = lambda _: True) -> pytest.MarkDecorator:
    """One test for each trap, named like it."""
    return pytest.mark.parametrize("trap", [trap for trap in TRAPS if condition(trap)], ids=str)


@pytest.fixture(scope="module")
def schema(django_db_blocker: object) -> Iterator[Laid]:
    blocker: Any = django_db_blocker
    with blocker.unblock(), admin() as connection, laid(connection) as traps:
        yield traps


@pytest.fixture(scope="module")
def after(schema: Laid) -> Iterator[Mended]:
    with admin() as connection, mended(connection, schema) as copy:
        yield copy


@pytest.fixture(autouse=True)
def lacking(request: pytest.FixtureRequest, schema: Laid) -> None:
    """Skip a trap that this server cannot be laid on."""
    if "trap" in request.fixturenames:
        trap = request.getfixturevalue("trap")
        if reason := why_not(trap, schema.scratch):
            pytest.skip(f"needs {reason}")


@each()
def test_the_verdicts_on_a_trap(trap: Trap, schema: Laid) -> None:
    assert [str(mistake) for mistake in scoring.mistakes(schema, trap)] == [], trap.why


@each(lambda trap: trap.expect)
def test_what_is_expected_to_be_named_is_there(trap: Trap, schema: Laid) -> None:
    collations = {"house"}
    assert set(trap.expect) <= schema.things_of(trap) | collations


@each(lambda trap: trap.needed)
def test_an_index_that_must_stay_is_needed(trap: Trap, schema: Laid) -> None:
    for index, query in trap.needed.items():
        assert index not in trap.expect
        assert plan(schema.scratch, trap, query) != plan(schema.scratch, trap, query, without=index), index


@each(lambda trap: trap.expect)
def test_the_server_takes_the_fixes(trap: Trap, after: Mended) -> None:
    assert after.failures_of(trap) == []


@each(lambda trap: trap.served)
def test_the_fixes_leave_queries_as_well_served(trap: Trap, schema: Laid, after: Mended) -> None:
    for query in trap.served:
        before, now = plan(schema.scratch, trap, query), plan(after.scratch, trap, query)
        assert now == before or set(before) - set(now) >= SEQUENTIAL, query


@each(lambda trap: trap.works or trap.refused)
def test_the_fixes_break_no_promise(trap: Trap, after: Mended) -> None:
    with after.scratch.session() as session, session.cursor() as cursor:
        cursor.execute(f"SET search_path = {trap.name}, public; BEGIN")
        for statement in trap.works:
            cursor.execute(statement)
        for statement in trap.refused:
            cursor.execute("SAVEPOINT before")
            with pytest.raises(Error):
                cursor.execute(statement)
            cursor.execute("ROLLBACK TO before")
        cursor.execute("ROLLBACK")


def test_the_fixes_take_no_promise_of_a_constraint_away(schema: Laid, after: Mended) -> None:
    assert set(schema.scratch.run(CONSTRAINTS)) <= set(after.scratch.run(CONSTRAINTS))


def test_the_fixes_take_no_replica_identity_and_no_order_away(schema: Laid, after: Mended) -> None:
    assert set(schema.scratch.run(ORDERS)) == set(after.scratch.run(ORDERS))


def test_the_fixes_leave_nothing_to_fix(schema: Laid, after: Mended) -> None:
    by_hand = {each.subject.name for each in schema.findings if each.fix and each.fix.kind != "sql"}
    failed = {each.subject.name for each in schema.findings if each.name == "invalid-index"}
    left = [
        f"{each.name} {each.subject.name}"
        for each in judged(after.scratch, STRUCTURE)
        # What a foreign key gets, or a failed build becomes, may make an older index superfluous.
        if each.subject.name not in by_hand and _names(each.related) <= schema.indexes - failed
    ]
    assert left == []


def _names(related: Iterable[Related]) -> set[str]:
    return {each.name for each in related}


def test_no_finding_lies_outside_the_traps(schema: Laid) -> None:
    lost = [
        finding.subject.name
        for finding in schema.findings
        if not any(below(trap, finding.subject.name) for trap in schema.traps)
    ]
    assert lost == []


def test_the_traps_are_many(schema: Laid) -> None:
    assert sum(len(schema.indexes_of(trap)) for trap in schema.traps) >= 150


def test_each_trap_has_a_name_of_its_own() -> None:
    names = [trap.name for trap in TRAPS]
    assert len(names) == len(set(names))
    assert not [name for name in names if "__" in name]
