"""Reports to try the formats on, the same on every run: ``SAMPLES`` holds them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from django_dbaudit.codec import encode
from django_dbaudit.finding import Database, Finding, Fix, Location, NotRun, Related, Severity, Subject
from django_dbaudit.project.schema import DeclaredIndex
from django_dbaudit.reports.document import Column, Document, Row, RuleHelp, Table
from posing import a_key, an_index

PAGE = """\
{summary}

It takes its place in memory and in backups, and every write pays for it. See ``pg_stat_user_indexes``
and *the manual*.

**What counts.** Scans of all partitions, over ``UNUSED_INDEX_DAYS`` (30 by default):

- an index that is read,
- an index that is *not* read

**How to fix it.** Drop it with::

    DROP INDEX CONCURRENTLY flavor_title_copy;

*Source:* `Monitoring statistics
<https://www.postgresql.org/docs/current/monitoring-stats.html>`__.
"""

#: What a table, an index or a column may really be called.
HOSTILE = (
    "<script>alert(1)</script>",
    "a|b",
    "two\nlines",
    "carriage\rreturn",
    "]]>",
    "\"double\" 'single' `tick` ```fence```",
    "100 %, 50 %25: done",
    "@somebody #1 $1 *bold* _thin_ [link](https://example.com)",
    "::error::",
    "{{ document }} {% now 'Y' %} &amp; </style></details>",
    "Straße 冰淇淋 🍦",
    "x" * 200,
)


def rule(code: str, name: str, severity: Severity, summary: str) -> RuleHelp:
    return RuleHelp(code, name, severity, summary, PAGE.format(summary=summary).strip())


RULES = (
    rule(
        "ACT001",
        "idle-in-transaction",
        Severity.WARNING,
        "A session sits in an open transaction and does nothing.",
    ),
    rule(
        "IDX002",
        "duplicate-index",
        Severity.WARNING,
        "Two indexes that serve the same queries; every write pays for both.",
    ),
    rule(
        "IDX005",
        "unindexed-foreign-key",
        Severity.ERROR,
        "A foreign key without an index: deleting what it refers to reads the whole table.",
    ),
    rule(
        "IDX007",
        "sequence-near-limit",
        Severity.WARNING,
        "A sequence, or the column it fills, is about to run out of numbers.",
    ),
)


def finding(**changes: Any) -> Finding:
    """A duplicate index, but for what is given."""
    values: dict[str, Any] = {
        "rule": "IDX002",
        "name": "duplicate-index",
        "severity": Severity.WARNING,
        "subject": Subject("index", "public.flavor_title_copy", "public.flavors_flavor"),
        "message": "flavor_title_copy on public.flavors_flavor (16 kB) does what flavor_title_idx does.",
        "evidence": {"size_bytes": 16384, "definition": "CREATE INDEX flavor_title_copy ON …"},
        "location": Location("flavors/models.py", 31),
        "related": (Related("index", "public.flavor_title_idx", Location("flavors/models.py", 28)),),
        "fix": Fix(
            "migration",
            "Remove it from flavors.Flavor Meta.indexes, and in a migration with atomic = False:\n"
            'RemoveIndexConcurrently("flavor", "flavor_title_copy")',
        ),
        "database": "default",
    }
    return Finding(**{**values, **changes})


def unindexed(**changes: Any) -> Finding:
    return finding(
        rule="IDX005",
        name="unindexed-foreign-key",
        severity=Severity.ERROR,
        subject=Subject("foreign_key", "public.orders_order.customer_id", "public.orders_order"),
        message="orders_order.customer_id has no index: deleting a users_user reads 2,500,000 rows.",
        evidence={"rows": 2_500_000, "columns": ["customer_id"], "is_partitioned": False},
        location=Location("orders/models.py", 44),
        related=(),
        fix=Fix("sql", 'CREATE INDEX CONCURRENTLY ON "public"."orders_order" ("customer_id");'),
        **changes,
    )


def idle(**changes: Any) -> Finding:
    """No place in the project's code."""
    values: dict[str, Any] = {
        "rule": "ACT001",
        "name": "idle-in-transaction",
        "severity": Severity.INFO,
        "subject": Subject("session", "ice cream shop worker"),
        "message": "Session 4711 (ice cream shop worker) has been idle in transaction for 12 min 3 s.",
        "evidence": {"pid": 4711, "seconds": 723.5, "last_statement": "SELECT $1", "waiting": None},
        "location": None,
        "related": (Related("session", "4712", None),),
        "fix": Fix("sql", "SELECT pg_terminate_backend(4711);"),
    }
    return finding(**{**values, **changes})


def document(**changes: Any) -> Document:
    values: dict[str, Any] = {
        "tool": "django-dbaudit",
        "version": "0.1.0",
        "command": "dbaudit",
        "databases": (Database("default", "postgresql", "18.6"),),
        "findings": (),
        "rules": RULES,
    }
    return Document(**{**values, **changes})


def clean() -> Document:
    """Nothing to say."""
    return document()


def audit() -> Document:
    """Findings of each severity, on two aliases, some known, some rules not run."""
    two = finding(
        subject=Subject("index", "public.order_number_copy", "public.orders_order"),
        message="order_number_copy on public.orders_order (1.2 GB) does what order_number_key does.",
        location=None,
        related=(Related("index", "public.order_number_key"),),
        fix=Fix("sql", 'DROP INDEX CONCURRENTLY "public"."order_number_copy";'),
        database="replica",
    )
    return document(
        databases=(
            Database("default", "postgresql", "18.6"),
            Database("replica", "postgresql", "16.10"),
            Database("legacy", "mysql"),
        ),
        findings=(unindexed(), finding(), two, idle()),
        known=(finding(status="known", location=Location("flavors/models.py", 57)),),
        not_run=(
            NotRun("IDX007", "sequence-near-limit", "needs SELECT on public.ticket_seq", "default"),
            *(
                NotRun(each.code, each.name, "not a PostgreSQL database, but mysql", "legacy")
                for each in RULES
            ),
            NotRun("ACT001", "idle-in-transaction", "no traffic was recorded"),
        ),
    )


def odd() -> Document:
    """Findings of a shape that is rare: nothing but what must be there, or a great deal."""
    bare = finding(evidence={}, location=None, related=(), fix=None, database=None)
    long = finding(
        subject=Subject("index", "public." + "n" * 200, "public." + "t" * 200),
        message=f"{'n' * 200} is a name of 200 letters, which PostgreSQL cuts to 63.",
        location=Location("a/" + "deep/" * 40 + "models.py", 123_456),
    )
    unicode = finding(
        subject=Subject("index", "public.größe_冰淇淋_🍦", "public.größe"),
        message="größe_冰淇淋_🍦 on public.größe (16 kB) does what größe_idx does — twice “over”.",
        evidence={"columns": ["größe", "冰淇淋"], "nothing": []},
    )
    many = finding(
        subject=Subject("view", "orders.views.checkout", method="POST"),
        message="POST orders.views.checkout writes in 12 places outside a transaction.",
        related=tuple(
            Related("call", f"orders.services.step_{number}", Location("orders/services.py", 10 + number))
            for number in range(12)
        ),
        fix=Fix("text", "Wrap it:\n\nwith transaction.atomic():\n    order.save()\n    ticket.save()\n"),
    )
    unruly = finding(rule="XYZ999", name="rule-without-help", severity=Severity.INFO, database=None)
    return document(findings=(bare, long, unicode, many, unruly), rules=RULES[:2])


def hostile() -> Document:
    """Names that would be markup, in every place that takes a name."""
    findings = [_hostile(name) for name in HOSTILE]
    table = Table("\n".join(HOSTILE[:3]), (Column(HOSTILE[0]), Column("a|b", is_number=True)), _rows())
    return document(
        databases=(Database(HOSTILE[0], "postgresql", "18.6"), Database(HOSTILE[1], "postgresql")),
        findings=tuple(findings),
        known=tuple(finding(status="known", message=each.message) for each in findings),
        not_run=tuple(NotRun("IDX002", "duplicate-index", f"needs {name}", name) for name in HOSTILE),
        tables=(table,),
        totals=" ".join(HOSTILE),
    )


def _hostile(name: str) -> Finding:
    return finding(
        subject=Subject("index", f"public.{name}", f"public.{name}"),
        message=f"{name} on public.{name} is a duplicate.",
        evidence={name: name, "list": [name, name]},
        location=Location(f"{name}/models.py", 1),
        related=(Related("index", name, Location(name, 2)), Related("index", name)),
        fix=Fix("migration", f"Remove {name.splitlines()[0]}:\n{name}\n{name}"),
        database=name,
    )


def _rows() -> tuple[Row, ...]:
    return tuple(Row((name, name), Severity.WARNING) for name in HOSTILE)


COLUMNS = (
    Column("Index"),
    Column("Size", is_number=True),
    Column("Scans", is_number=True),
    Column("Last read", is_number=True),
    Column("Declared by"),
    Column("Verdict"),
)


def index_list() -> Document:
    """As of indexreport: tables, totals and details."""
    orders = Table(
        "public.orders_order  2,500,000 rows, 1.9 GB; 3 indexes, 1.3 GB",
        COLUMNS,
        (
            Row(
                ("order_number_copy", "1.2 GB", "0", "", "orders.Order Meta.indexes", "duplicate-index"),
                Severity.WARNING,
            ),
            Row(
                ("orders_order_pkey", "54 MB", "9,120,044", "2026-10-21", "orders.Order.id", "kept: unique")
            ),
            Row(
                (
                    "orders_order_placed_by_customer_and_created_at_6f3a9b1e_idx",
                    "48 MB est.",
                    "12",
                    "2026-03-01",
                    "nothing",
                    "in use",
                )
            ),
        ),
    )
    flavors = Table(
        "public.flavors_flavor  12 rows, 16 kB; 1 index, 16 kB",
        COLUMNS,
        (Row(("flavor_title_copy", "16 kB", "0", "", "flavors.Flavor.title", "not read")),),
    )
    return document(
        command="indexreport",
        findings=(finding(),),
        tables=(orders, flavors),
        details={
            "indexes": [_index_details(declared=True), _index_details(declared=False)],
            "index_changes": [],
        },
        totals="4 indexes, 1.3 GB; 1 of them can go, 1.2 GB.",
    )


def _index_details(*, declared: bool) -> dict[str, Any]:
    return {
        "database": "default",
        **encode(INDEX),
        "with_partitions": None,
        "declared_by": encode(DECLARED) if declared else None,
        "servers": [],
        "history": None,
    }


INDEX = an_index(
    oid=16_412,
    name="flavor_title_copy",
    table_oid=16_400,
    table="flavors_flavor",
    keys=(
        a_key(
            "title",
            opclass="pg_catalog.varchar_pattern_ops",
            opfamily="pg_catalog.text_pattern_ops",
            collation="pg_catalog.default",
        ),
    ),
    include=("price",),
    predicate="(price > 0)",
    storage_parameters=("fillfactor=70",),
    definition="CREATE INDEX flavor_title_copy ON public.flavors_flavor USING btree (title)",
    size_bytes=16_384,
    last_scan=datetime(2026, 10, 21, 9, 30, tzinfo=timezone.utc),
)

DECLARED = DeclaredIndex(
    table="flavors_flavor",
    names=("flavor_title_copy",),
    columns=("title",),
    is_unique=False,
    kind="meta_index",
    model="flavors.Flavor",
    field=None,
    is_third_party=False,
    location=Location("flavors/models.py", 31),
)

SAMPLES: Mapping[str, Callable[[], Document]] = {
    each.__name__: each for each in (clean, audit, odd, hostile, index_list)
}
