from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from advice import advised, available, needs, plans, prepare, record, targets, the_one
from django_dbaudit.finding import Severity
from django_dbaudit.postgres.plans import StatementPlans
from posing import judge
from scratch import Scratch

pytestmark = needs()

ONE = "SELECT * FROM sale WHERE customer = 5"


@pytest.fixture
def sales(scratch: Scratch) -> Scratch:
    """A table of 20,000 rows, and no way to ask the planner about indexes that there are not."""
    return prepare(scratch)


@pytest.fixture
def proving(scratch: Scratch) -> Iterator[Scratch]:
    """The same, with HypoPG."""
    if "hypopg" not in available():
        pytest.skip("the server has no hypopg")
    yield prepare(scratch, "hypopg")


# What must not be proposed.


@pytest.mark.parametrize(
    "index",
    [
        "CREATE INDEX i ON sale (customer)",
        "CREATE INDEX i ON sale (customer, price)",
        "CREATE INDEX i ON sale (customer DESC NULLS LAST)",
        "CREATE INDEX i ON sale USING hash (customer)",
    ],
)
def test_what_an_index_serves_already_is_not_proposed_again(sales: Scratch, index: str) -> None:
    sales.run(index)
    assert targets(sales, ONE) == []


def test_an_invalid_index_is_to_be_built_again_and_not_twice(sales: Scratch) -> None:
    sales.run(
        "CREATE INDEX i ON sale (customer)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
    )
    assert targets(sales, ONE) == []


def test_a_small_table_is_left_alone(proving: Scratch) -> None:
    assert targets(proving, ONE, missing_index_rows=20_001) == []
    assert targets(proving, ONE, missing_index_rows=20_000) == ['btree ("customer")']


#: Each alone in the WHERE of a SELECT.
OF_NO_USE = (
    "status = 'sent'",
    "is_open = false",
    "NOT is_open",
    "paid_at IS NOT NULL",
    "customer <> 5",
    "customer NOT IN (5, 6)",
    "NOT (customer = 5)",
    "customer = 5 OR price = 7",
    "customer + 1 = 5",
    "customer = price",
    "customer = ALL (ARRAY[5])",
    "code NOT LIKE 'abc%'",
    # A day of the session's time zone, and a unit that is not on record.
    "made_at::date = '2026-01-05'",
    "date_trunc('day', paid_at) = '2026-01-05'",
    "extract(year FROM made_at) = 2026",
    "(made_at AT TIME ZONE 'UTC')::date = '2026-01-05'",
    # A third of the rows, as far as anybody knows.
    "price > 5",
)


def test_a_condition_that_an_index_could_not_serve_is_left_alone(proving: Scratch) -> None:
    assert targets(proving, *(f"SELECT count(*) FROM sale WHERE {each}" for each in OF_NO_USE)) == []


def test_a_row_looked_up_by_its_key_needs_nothing_more(proving: Scratch) -> None:
    statements = (
        "SELECT * FROM sale WHERE id = 5 AND customer = 7",
        "UPDATE sale SET price = 1 WHERE id = 5",
    )
    assert targets(proving, *statements) == []


def test_an_order_is_not_trusted_where_certain_rows_are_wanted(proving: Scratch) -> None:
    """The planner believes that the rows of a customer lie evenly in the order of time."""
    statement = "SELECT * FROM sale WHERE customer = 5 ORDER BY price LIMIT 10"
    for target in targets(proving, statement):
        assert target.startswith('btree ("customer"')


def test_what_writes_would_lose_more_by_is_not_proposed(proving: Scratch) -> None:
    """At 10 µs for each row, 400 million rows a day cost more than an hour of it."""
    record(proving, ONE)
    assert advised(proving, written=200_000_000).findings
    assert not advised(proving, written=400_000_000).findings


def test_no_more_is_said_than_a_statement_is_worth(proving: Scratch) -> None:
    record(proving, ONE)
    assert not advised(proving, missing_index_least_seconds_per_day=3601).findings
    assert advised(proving, missing_index_least_seconds_per_day=3000).findings


# What is proposed.


#: What is asked, and the keys of the one index that would help.
SERVED = (
    (ONE, '("customer")'),
    ("SELECT * FROM public.sale AS s WHERE s.customer IN (5, 6, 7)", '("customer")'),
    ("SELECT * FROM sale WHERE customer = ANY (ARRAY[5, 6])", '("customer")'),
    ("UPDATE sale SET price = 0 WHERE customer = 5", '("customer")'),
    ("DELETE FROM sale WHERE customer = -5", '("customer")'),
    ("SELECT * FROM sale WHERE customer = 5 FOR UPDATE", '("customer")'),
    ("WITH s AS (SELECT * FROM sale WHERE customer = 5) SELECT count(*) FROM s", '("customer")'),
    ("SELECT 1 WHERE EXISTS (SELECT FROM sale WHERE customer = 5)", '("customer")'),
    ("SELECT * FROM sale WHERE made_at BETWEEN '2026-01-05' AND '2026-01-06'", '("made_at")'),
    ("SELECT * FROM sale WHERE price >= 17 AND price < 18", '("price")'),
    ("SELECT * FROM sale ORDER BY made_at DESC LIMIT 10", '("made_at")'),
    ("SELECT * FROM sale ORDER BY price, made_at DESC LIMIT 10", '("price", "made_at" DESC)'),
    ("SELECT max(made_at) FROM sale", '("made_at")'),
    ("SELECT * FROM sale WHERE paid_at IS NULL AND customer = 5", '("customer") WHERE "paid_at" IS NULL'),
    ("SELECT count(*) FROM sale WHERE is_open", '("is_open") WHERE "is_open"'),
    ("SELECT price FROM sale WHERE is_open ORDER BY made_at LIMIT 5", '("made_at") WHERE "is_open"'),
    ("SELECT * FROM sale WHERE upper(code::text) = upper('abc')", '(upper("code"))'),
    ("SELECT * FROM sale WHERE lower(code) = 'abc'", '(lower("code"))'),
    ("SELECT * FROM sale WHERE place LIKE 'abc%'", '("place")'),
)


def test_an_index_is_proven_for_each_kind_of_condition(proving: Scratch) -> None:
    for statement, target in SERVED:
        finding = the_one(proving, statement)
        found = str(finding.evidence["index"])
        assert found == f"btree {target}", statement
        assert str(finding.evidence["proof"]).startswith("hypopg 1."), statement
        assert finding.subject.name == "public.sale"


def test_a_join_is_led_to_its_other_table(proving: Scratch) -> None:
    proving.run(
        "CREATE TABLE line (id bigserial PRIMARY KEY, sale_id bigint NOT NULL, pad text)",
        "INSERT INTO line (sale_id, pad) SELECT i, repeat('x', 50) FROM generate_series(1, 50000) AS i",
        "VACUUM ANALYZE line",
    )
    statement = "SELECT l.* FROM sale AS s LEFT OUTER JOIN line AS l ON (s.id = l.sale_id) WHERE s.id = 5"
    assert targets(proving, statement) == ['btree ("sale_id")']


def test_one_wide_index_stands_for_the_narrow_one_too(proving: Scratch) -> None:
    wide = "SELECT * FROM sale WHERE customer = 5 ORDER BY made_at DESC LIMIT 1"
    finding = the_one(proving, ONE, wide)
    assert finding.evidence["index"] in ('btree ("customer")', 'btree ("customer", "made_at")')
    assert "2 statements" in finding.message


def test_what_hypopg_cannot_make_is_proposed_unproven(scratch: Scratch) -> None:
    if not {"hypopg", "pg_trgm"} <= available():
        pytest.skip("the server has no hypopg or no pg_trgm")
    prepare(scratch, "hypopg", "pg_trgm")
    for statement, target in (
        ("SELECT * FROM sale WHERE tags @> ARRAY[5]", 'gin ("tags")'),
        ("SELECT * FROM sale WHERE tags && ARRAY[5]", 'gin ("tags")'),
        ("SELECT * FROM sale WHERE notes @> '{\"k\": 5}'", 'gin ("notes")'),
        ("SELECT * FROM sale WHERE code LIKE '%abc%'", 'gin ("code" gin_trgm_ops)'),
        ("SELECT * FROM sale WHERE code ILIKE '%abc%'", 'gin ("code" gin_trgm_ops)'),
        ("SELECT * FROM sale WHERE upper(code) LIKE '%ABC%'", 'gin (upper("code") gin_trgm_ops)'),
    ):
        finding = the_one(scratch, statement)
        assert finding.evidence["index"] == target
        assert finding.evidence["proof"] == "unproven"
        assert finding.severity is Severity.INFO
        assert finding.message.endswith("unproven.")


def test_without_trigrams_a_pattern_is_taken_for_a_prefix_and_that_is_said(proving: Scratch) -> None:
    finding = the_one(proving, "SELECT * FROM sale WHERE code LIKE 'abc%'")
    assert finding.evidence["index"] == 'btree ("code" varchar_pattern_ops)'
    assert "only if the patterns of LIKE begin with a letter" in finding.message
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("statement", "target"),
    [
        (ONE, 'btree ("customer")'),
        ("SELECT * FROM sale WHERE upper(code) = 'ABC'", 'btree (upper("code"))'),
        ("SELECT * FROM sale WHERE tags @> ARRAY[5]", 'gin ("tags")'),
    ],
)
def test_without_hypopg_a_scan_that_throws_most_rows_away_speaks(
    sales: Scratch, statement: str, target: str
) -> None:
    finding = the_one(sales, statement)
    assert finding.evidence["index"] == target
    assert finding.evidence["proof"] == "unproven"
    assert finding.severity is Severity.INFO


def test_without_hypopg_a_scan_for_many_rows_says_nothing(sales: Scratch) -> None:
    assert targets(sales, "SELECT * FROM sale WHERE price > 100", "SELECT count(*) FROM sale") == []


def test_a_partitioned_table_gets_one_index_and_not_concurrently(proving: Scratch) -> None:
    proving.run(
        "CREATE TABLE visit (day int, guest int) PARTITION BY RANGE (day)",
        "CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (0) TO (50)",
        "CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM (50) TO (100)",
        "INSERT INTO visit SELECT i % 100, i FROM generate_series(1, 40000) AS i",
        "ANALYZE visit",
    )
    finding = the_one(proving, "SELECT * FROM visit WHERE guest = 5")
    assert finding.subject.name == "public.visit"
    assert finding.fix is not None
    assert finding.fix.text == 'CREATE INDEX "visit_guest_idx" ON "public"."visit" USING btree ("guest");'
    proving.run(finding.fix.text)
    assert targets(proving, "SELECT * FROM visit WHERE guest = 5") == []


def test_names_that_need_quotes_and_other_schemas_are_no_hindrance(proving: Scratch) -> None:
    proving.run(
        'CREATE SCHEMA "Odd"',
        'CREATE TABLE "Odd"."The ""Table""" (id serial PRIMARY KEY, "Select" int)',
        'INSERT INTO "Odd"."The ""Table""" ("Select") SELECT i FROM generate_series(1, 20000) AS i',
        'ANALYZE "Odd"."The ""Table"""',
    )
    finding = the_one(proving, 'SELECT * FROM "Odd"."The ""Table""" WHERE "Select" = 5')
    assert finding.fix is not None
    proving.run(finding.fix.text)
    assert targets(proving, 'SELECT * FROM "Odd"."The ""Table""" WHERE "Select" = 5') == []


def test_every_proposal_can_be_made_and_is_then_used(proving: Scratch) -> None:
    statements = (
        ONE,
        "SELECT * FROM sale WHERE made_at BETWEEN '2026-01-05' AND '2026-01-06'",
        "SELECT count(*) FROM sale WHERE is_open",
        "SELECT * FROM sale WHERE upper(code) = 'ABC'",
    )
    record(proving, *statements)
    found = advised(proving)
    assert len(found.findings) == 3
    for finding in found.findings:
        assert finding.fix is not None
        proving.run(finding.fix.text)
    proving.run("VACUUM ANALYZE sale")
    record(proving, *statements)
    assert len(advised(proving).findings) == 1
    used = {
        name
        for each in plans(proving).items
        for scan in (each.plan.scans if each.plan else ())
        for name in scan.indexes
    }
    assert len(used) == 3


# What it says of what it could not see.


def test_statements_that_cannot_be_planned_are_counted(sales: Scratch) -> None:
    sales.run("CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2'")
    record(sales, "SELECT * FROM sale WHERE customer = half(10)", ONE)
    (left_out,) = advised(sales).not_run
    assert "1 could not be planned: it calls half(), which planning it would run" in left_out.reason


def test_without_the_extension_the_rule_is_not_run(scratch: Scratch) -> None:
    (not_run,) = scratch.not_run("missing-index")
    assert not_run.reason == "needs the pg_stat_statements extension: CREATE EXTENSION pg_stat_statements"


def test_without_the_parser_the_rule_is_not_run(sales: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_dbaudit.sql.grammar.IS_INSTALLED", False)
    (not_run,) = sales.not_run("missing-index")
    assert not_run.reason == "needs sqlglot: pip install django-dbaudit[advice]"


def test_a_statement_says_who_sends_it_where_somebody_knows(sales: Scratch) -> None:
    record(sales, ONE)
    asked = plans(sales)
    items = tuple(replace(each, ms_per_day=1e7, sent_by="shop.views.sales") for each in asked.items)
    found = judge("missing-index", sales, replace(asked, items=items))
    assert isinstance(asked, StatementPlans)
    assert [each.evidence["sent_by"] for each in found.findings] == [["shop.views.sales"]]
