"""``--write-migration`` adds the indexes that the planner has proven: each kind, there and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import django
import pytest
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import functions

from django_dbaudit import facts
from django_dbaudit.postgres.plans import (
    Candidate,
    CandidateKey,
    Plan,
    PlannedStatement,
    Restriction,
    StatementPlans,
    Trial,
)
from django_dbaudit.postgres.tables import Tables
from parlour import Parlour
from scratch import Scratch

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)

FIELDS = """\
    customer = models.IntegerField(db_column="customer_no")
    code = models.CharField(max_length=40)
    is_open = models.BooleanField()
    paid_at = models.DateTimeField(null=True)
    notes = models.JSONField()
"""

#: By the model whose table is to have the index: its keys, its predicate, its method.
WANTED: dict[str, tuple[tuple[CandidateKey, ...], tuple[Restriction, ...], str]] = {
    "Plain": ((CandidateKey("customer_no"), CandidateKey("code", descending=True)), (), "btree"),
    "Partial": (
        (CandidateKey("customer_no"),),
        (Restriction("is_open", "true"), Restriction("paid_at", "null")),
        "btree",
    ),
    "Expression": ((CandidateKey("code", function="lower"), CandidateKey("customer_no")), (), "btree"),
    "Dated": (
        (CandidateKey("customer_no"), CandidateKey("paid_at", descending=True, nulls_moved=True)),
        (Restriction("paid_at", "not null"), Restriction("is_open", "false")),
        "btree",
    ),
    "Pattern": ((CandidateKey("code", opclass="varchar_pattern_ops"),), (), "btree"),
    "Upper": ((CandidateKey("code", function="upper", opclass="text_pattern_ops"),), (), "btree"),
    "Contained": ((CandidateKey("notes", opclass="jsonb_path_ops"),), (), "gin"),
}
MODELS = "from django.db import models\n\n\n" + "\n\n".join(
    f"class {name}(models.Model):\n{FIELDS}" for name in WANTED
)
CHECK = ["makemigrations", "--check", "--dry-run"]
THRESHOLDS = {"MISSING_INDEX_ROWS": 0, "UNUSED_INDEX_DAYS": 30}


def proven(tables: Tables) -> StatementPlans:
    """What the planner would say of a statement for each index, which makes it a hundred times faster."""
    candidates = [_candidate(tables, name) for name in WANTED]
    statement = PlannedStatement("SELECT", 1_000.0, 3_600_000.0, None, Plan(1_000.0, (), has_sort=False))
    return StatementPlans(
        items=tuple(replace(statement, text=f"SELECT {name}") for name in WANTED),
        candidates=tuple(candidates),
        trials=tuple(Trial(n, n, 10.0, is_own=True) for n in range(len(candidates))),
        removals=(),
        total=len(candidates),
        hidden=0,
        since=NOW - timedelta(days=1),
        taken_at=NOW,
        hypopg="1.4.1",
        can_hide=True,
    )


def _candidate(tables: Tables, name: str) -> Candidate:
    keys, predicate, method = WANTED[name]
    (table,) = (each for each in tables.items if each.name == f"parlour_{name.lower()}")
    return Candidate("public", table.name, table.oid, table.is_partitioned, method, keys, predicate)


@pytest.fixture
def parlour(scratch: Scratch, tmp_path: Path) -> Parlour:
    made = Parlour(tmp_path, scratch, {"parlour": MODELS}, thresholds=THRESHOLDS)
    made.run_all(["makemigrations", "parlour"], ["migrate"])
    return made


def looked_at(parlour: Parlour, *, cost: float = 10.0) -> Path:
    """A facts file as it would be had the planner been asked, and answered with this cost."""
    saved = parlour.directory / "facts.json"
    parlour.run("indexreport", "--save-facts", saved, "--fail-on", "never")
    seen = facts.load(saved)
    plans = proven(seen.aliases[0].get(Tables))
    plans = replace(plans, trials=tuple(replace(each, cost=cost) for each in plans.trials))
    saved.write_text(facts.save(seen.having(plans)))
    return saved


def write(parlour: Parlour, saved: Path) -> str:
    return parlour.write("--load-facts", saved, "--select", "missing-index")


def test_what_saves_too_little_is_not_added(parlour: Parlour) -> None:
    assert "Nothing to write for parlour" in write(parlour, looked_at(parlour, cost=990.0))


def test_each_kind_is_added_and_goes_again(parlour: Parlour) -> None:
    before = parlour.indexes
    told = write(parlour, looked_at(parlour))
    text = parlour.migration(parlour.migrations()[-1]).read_text()
    assert text.count("AddIndexConcurrently(") == len(WANTED)
    assert "atomic = False" in text
    parlour.follow(told)
    parlour.run_all(CHECK, ["migrate"])
    made = {name: definition for name, (definition, _) in parlour.indexes.items() if name not in before}
    targets = {
        _candidate(facts.load(parlour.directory / "facts.json").aliases[0].get(Tables), name).target
        for name in WANTED
    }
    assert {_shape(each) for each in made.values()} == {_shape(each) for each in targets}
    parlour.run("migrate", "parlour", "0001")
    assert parlour.indexes == before


def _shape(definition: str) -> str:
    """What follows the table, without the words that PostgreSQL and we set otherwise."""
    text = definition.partition(" USING ")[2].replace('"', "").replace("::text", "")
    text = text.replace(" = true", "").replace("is_open = false", "NOT is_open")
    keys, where, condition = text.replace("(", "").replace(")", "").lower().partition(" where ")
    # Django puts the parts of a condition in the order of their names.
    return keys + where + " and ".join(sorted(condition.split(" and ")))


def test_what_a_migration_adds_already_is_left_out(parlour: Parlour) -> None:
    saved = looked_at(parlour)
    parlour.follow(write(parlour, saved))
    again = write(parlour, saved)
    assert again.count("the migrations add it already: migrate") == len(WANTED)
    assert len(parlour.migrations()) == 2


def test_each_edit_is_the_entry_that_the_finding_shows(parlour: Parlour) -> None:
    """The text of the fix and the object of the migration are made apart, and must mean the same."""
    saved = looked_at(parlour)
    shown = json.loads(
        parlour.run(
            "indexreport", "--load-facts", saved, "--select", "missing-index", "--format", "json",
            "--fail-on", "never",
        )
    )  # fmt: skip
    fixes = [each["fix"]["text"].splitlines()[1] for each in shown["findings"]]
    edits = [each.partition(" Meta.indexes: ")[2] for each in write(parlour, saved).splitlines()]
    assert _indexes(edits) == _indexes(fixes)
    assert len(fixes) == len(WANTED)


def _indexes(texts: Iterable[str]) -> dict[str, tuple[object, ...]]:
    known = {
        **vars(functions),
        "models": models,
        "django": django,
        "GinIndex": GinIndex,
        "OpClass": OpClass,
    }
    made = [eval(each, known) for each in texts if each]  # what our command has printed
    return {each.name: each.deconstruct() for each in made}
