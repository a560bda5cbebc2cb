from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import DatabaseError

from aliases import alias_like
from django_dbaudit.finding import Finding, Location, Severity
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.project.schema import DeclaredIndex, DeclaredIndexes
from posing import an_index, judge, only
from scratch import Scratch

TABLE = "CREATE TABLE t AS SELECT g / 2 AS a, g AS b FROM generate_series(1, 10) AS g"


def findings(scratch: Scratch) -> list[Finding]:
    return list(scratch.findings("invalid-index"))


def names(scratch: Scratch) -> list[str]:
    return [finding.subject.name for finding in findings(scratch)]


def fails(scratch: Scratch, statement: str) -> None:
    """Run what leaves an invalid index behind; the reason is that of the last one, or a timeout."""
    with pytest.raises(DatabaseError):
        scratch.run(statement)


@contextlib.contextmanager
def transaction(scratch: Scratch, statement: str) -> Iterator[None]:
    """Another session's transaction, which stays open."""
    with scratch.session() as session, session.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(statement)
        yield
        cursor.execute("ROLLBACK")


def times_out(scratch: Scratch, statement: str, *, beside: str) -> None:
    """Run a concurrent statement that waits for the open transaction until its timeout."""
    with transaction(scratch, beside):
        scratch.run("SET lock_timeout = '20ms'")
        fails(scratch, statement)
        scratch.run("RESET lock_timeout")


@contextlib.contextmanager
def running(scratch: Scratch, statement: str, *, beside: str, invalid: str) -> Iterator[None]:
    """A concurrent statement at work in a session of its own, held up by an open transaction."""

    def work() -> None:
        with worker.cursor() as cursor:
            cursor.execute(statement)

    state = f"SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{invalid}')"
    with scratch.session() as worker:
        worker.inc_thread_sharing()
        thread = threading.Thread(target=work)
        try:
            with transaction(scratch, beside):
                thread.start()
                scratch.wait_until(lambda: scratch.run(state) == [(True,)])
                yield
        finally:
            thread.join()


def test_an_index_that_works_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "CREATE INDEX CONCURRENTLY t_b ON t (b)")
    assert names(scratch) == []


@pytest.mark.parametrize("beside", ["LOCK TABLE t IN ROW EXCLUSIVE MODE", "SELECT count(*) FROM t"])
def test_an_index_that_is_being_built_is_left_alone(scratch: Scratch, beside: str) -> None:
    scratch.run(TABLE)
    with running(scratch, "CREATE INDEX CONCURRENTLY t_a ON t (a)", beside=beside, invalid="t_a"):
        assert names(scratch) == []
    assert names(scratch) == []


def test_an_index_that_is_being_rebuilt_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    rebuild = "REINDEX INDEX CONCURRENTLY t_a"
    with running(scratch, rebuild, beside="SELECT count(*) FROM t", invalid="t_a_ccnew"):
        assert names(scratch) == []
    assert names(scratch) == []


def test_an_index_that_is_being_dropped_is_left_alone(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    drop = "DROP INDEX CONCURRENTLY t_a"
    with running(scratch, drop, beside="SELECT count(*) FROM t", invalid="t_a"):
        assert names(scratch) == []
    assert names(scratch) == []


def test_a_role_without_rights_sees_that_an_index_is_being_built(scratch: Scratch) -> None:
    scratch.run(TABLE)
    build = "CREATE INDEX CONCURRENTLY t_a ON t (a)"
    with (
        scratch.role(f"nobody_{scratch.alias}") as role,
        running(scratch, build, beside="SELECT count(*) FROM t", invalid="t_a"),
        alias_like(scratch.alias, USER=role, PASSWORD=role) as theirs,
    ):
        assert names(Scratch(theirs)) == []


def test_another_build_on_the_table_excuses_no_old_failure(scratch: Scratch) -> None:
    scratch.run(TABLE)
    fails(scratch, "CREATE UNIQUE INDEX CONCURRENTLY failed ON t (a)")
    build = "CREATE INDEX CONCURRENTLY t_b ON t (b)"
    with running(scratch, build, beside="SELECT count(*) FROM t", invalid="t_b"):
        assert names(scratch) == ["public.failed"]


def test_a_unique_build_that_met_duplicates_is_named(scratch: Scratch) -> None:
    scratch.run(TABLE)
    fails(scratch, "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.t_a"
    assert finding.severity is Severity.ERROR
    assert "is invalid: a concurrent build failed. No query can use it" in finding.message


def test_a_unique_build_that_failed_late_still_refuses_duplicates(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE t (a int)")
    times_out(
        scratch,
        "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)",
        beside="SELECT count(*) FROM pg_class",
    )
    (finding,) = findings(scratch)
    assert "yet it still refuses duplicates" in finding.message
    fails(scratch, "INSERT INTO t VALUES (1), (1)")


def test_a_build_that_failed_late_is_still_kept_up(scratch: Scratch) -> None:
    scratch.run(TABLE)
    times_out(scratch, "CREATE INDEX CONCURRENTLY t_a ON t (a)", beside="SELECT count(*) FROM pg_class")
    (finding,) = findings(scratch)
    assert "yet every write keeps it up" in finding.message


def test_a_build_that_failed_early_misses_rows(scratch: Scratch) -> None:
    scratch.run(TABLE)
    times_out(
        scratch,
        "CREATE INDEX CONCURRENTLY t_a ON t (a)",
        beside="LOCK TABLE t IN ROW EXCLUSIVE MODE",
    )
    (finding,) = findings(scratch)
    assert "and it misses rows" in finding.message


@pytest.mark.parametrize("kind", ["INDEX", "UNIQUE INDEX"])
def test_the_fix_leaves_nothing_to_find(scratch: Scratch, kind: str) -> None:
    scratch.run(TABLE)
    times_out(
        scratch,
        f'CREATE {kind} CONCURRENTLY "T INDEX" ON t (b) WHERE a > 0',
        beside="LOCK TABLE t IN ROW EXCLUSIVE MODE",
    )
    (finding,) = findings(scratch)
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert names(scratch) == []
    assert scratch.run("SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == [(True,)]


def test_the_unfinished_copy_of_a_rebuild_says_so(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    times_out(scratch, "REINDEX INDEX CONCURRENTLY t_a", beside="LOCK TABLE t IN ROW EXCLUSIVE MODE")
    (finding,) = findings(scratch)
    assert finding.subject.name == "public.t_a_ccnew"
    assert "is the unfinished copy of a REINDEX CONCURRENTLY; t_a still works" in finding.message
    assert finding.fix
    scratch.run(*finding.fix.text.splitlines())
    assert names(scratch) == []


def test_a_copy_whose_original_is_gone_is_only_dropped(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    times_out(scratch, "REINDEX INDEX CONCURRENTLY t_a", beside="LOCK TABLE t IN ROW EXCLUSIVE MODE")
    scratch.run("DROP INDEX t_a")
    (finding,) = findings(scratch)
    assert finding.message.endswith("the index that it was to replace is gone.")
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX CONCURRENTLY "public"."t_a_ccnew";'


def test_a_failed_build_is_not_repeated_beside_an_index_that_does_the_same(scratch: Scratch) -> None:
    scratch.run(TABLE)
    build = "CREATE INDEX CONCURRENTLY t_a ON t (a)"
    times_out(scratch, build, beside="LOCK TABLE t IN ROW EXCLUSIVE MODE")
    scratch.run("CREATE INDEX t_ab ON t (a, b)")
    (finding,) = findings(scratch)
    assert finding.message.endswith("t_ab does all that it was to do.")
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX CONCURRENTLY "public"."t_a";'


def test_a_second_unfinished_copy_has_a_number(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    for _ in range(2):
        times_out(scratch, "REINDEX INDEX CONCURRENTLY t_a", beside="LOCK TABLE t IN ROW EXCLUSIVE MODE")
    assert names(scratch) == ["public.t_a_ccnew", "public.t_a_ccnew1"]
    assert all("t_a still works" in finding.message for finding in findings(scratch))


def test_the_copy_of_a_long_name_is_traced_to_its_original(scratch: Scratch) -> None:
    original = "t_a_" + "x" * 59
    scratch.run(TABLE, f"CREATE INDEX {original} ON t (a)")
    times_out(
        scratch,
        f"REINDEX INDEX CONCURRENTLY {original}",
        beside="LOCK TABLE t IN ROW EXCLUSIVE MODE",
    )
    (finding,) = findings(scratch)
    assert f"{original} still works" in finding.message


def test_the_old_copy_of_a_rebuild_says_so(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)")
    (working,) = scratch.fact(Indexes).items
    posed = an_index(name="t_a_ccold", is_valid=False, table_oid=working.table_oid)
    finding = only(judge("invalid-index", scratch, Indexes((working, posed))))
    assert "is the old copy of a REINDEX CONCURRENTLY; its replacement is in place" in finding.message
    assert finding.fix
    assert finding.fix.text == 'DROP INDEX CONCURRENTLY "public"."t_a_ccold";'


def test_a_name_that_only_looks_like_a_copy_is_no_reason_for_alarm(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a_ccnew ON t (a)", "CREATE INDEX t_a_ccold1 ON t (b)")
    assert names(scratch) == []


def test_a_drop_that_did_not_finish_is_half_dropped(scratch: Scratch) -> None:
    scratch.run(TABLE)
    posed = Indexes((an_index(is_valid=False, is_ready=False, is_live=False),))
    finding = only(judge("invalid-index", scratch, posed))
    assert "is half dropped: a DROP INDEX CONCURRENTLY did not finish" in finding.message


def test_a_partitioned_index_lacks_a_part(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX root ON ONLY p (a)",
    )
    (finding,) = findings(scratch)
    assert finding.message == "root on p is invalid: some partition has no valid index attached to it."
    scratch.run("CREATE INDEX part ON p1 (a)", "ALTER INDEX root ATTACH PARTITION part")
    assert names(scratch) == []


def test_an_attached_index_cannot_be_dropped_but_rebuilt(scratch: Scratch) -> None:
    scratch.run(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE INDEX root ON ONLY p (a)",
    )
    times_out(
        scratch,
        "CREATE INDEX CONCURRENTLY part ON p1 (a)",
        beside="LOCK TABLE p1 IN ROW EXCLUSIVE MODE",
    )
    scratch.run("ALTER INDEX root ATTACH PARTITION part")
    part = next(finding for finding in findings(scratch) if finding.subject.name == "public.part")
    assert part.fix
    scratch.run(part.fix.text)
    assert names(scratch) == ["public.root"]
    scratch.run("ALTER INDEX root ATTACH PARTITION part")
    assert names(scratch) == []


def test_the_same_name_in_another_schema_is_another_index(scratch: Scratch) -> None:
    scratch.run(TABLE, "CREATE INDEX t_a ON t (a)", "CREATE SCHEMA south")
    scratch.run(TABLE.replace(" t ", " south.t "))
    fails(scratch, "CREATE UNIQUE INDEX CONCURRENTLY t_a ON south.t (a)")
    assert names(scratch) == ["south.t_a"]


def test_the_line_that_asks_for_the_index_is_shown(scratch: Scratch) -> None:
    scratch.run(TABLE)
    declared = DeclaredIndex(
        table="t",
        names=("t_a",),
        columns=("a",),
        is_unique=False,
        kind="meta_index",
        model="shop.Order",
        field=None,
        is_third_party=False,
        location=Location("shop/models.py", 7),
    )
    posed = Indexes((replace(an_index(), is_valid=False),))
    finding = only(judge("invalid-index", scratch, posed, DeclaredIndexes((declared,), (), ())))
    assert str(finding.location) == "shop/models.py:7"
