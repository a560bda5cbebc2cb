from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from requests_posed import LINE, MOVED, OTHER_LINE, findings, query, view

NAME = "per-row-writes"
WRITE = {
    "kind": "write",
    "tables": ("book",),
    "how": "save",
    "fingerprint": 'UPDATE "book" SET "copies" = ?',
}
LOOP = {**WRITE, "executions": 5, "most_executions": 5, "rows": 5}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"executions": 2, "most_executions": 2, "rows": 2}, id="two rows"),
        pytest.param({"executions": 900, "most_executions": 1, "requests": 900}, id="one in each request"),
        pytest.param({"rows": 8}, id="more than a row or so each"),
        pytest.param({"how": "bulk_create"}, id="batches of bulk_create"),
        pytest.param({"how": "bulk_update"}, id="batches of bulk_update"),
        pytest.param({"kind": "read"}, id="reads"),
        pytest.param({"kind": "transaction", "fingerprint": "SAVEPOINT ?"}, id="savepoints"),
    ],
)
def test_few_rows_batches_and_writes_to_many_are_left_alone(given: dict[str, object]) -> None:
    assert findings(NAME, view(query(**{**LOOP, **given}))) == []


def test_three_in_one_request_are_named() -> None:
    (finding,) = findings(NAME, view(query(**{**LOOP, "executions": 3, "most_executions": 3, "rows": 3})))
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "shop.views.cart (GET) writes to book 3 times in one request, a row at a time, at shop/views.py:12."
    )
    assert finding.location == LINE.location


def test_a_loop_whose_writes_find_no_row_is_one_too() -> None:
    assert len(findings(NAME, view(query(**{**LOOP, "rows": 0})))) == 1


def test_statements_of_one_line_are_told_together() -> None:
    parent = query(**{**LOOP, "executions": 6, "most_executions": 6, "tables": ("product",)})
    child = query(**{**LOOP, "fingerprint": 'INSERT INTO "audio" VALUES (?)', "tables": ("audio",)})
    (finding,) = findings(NAME, view(parent, child))
    assert "writes to product 6 times" in finding.message
    assert finding.message.endswith(", and 1 other statement with each.")


def test_two_lines_are_two_findings() -> None:
    assert len(findings(NAME, view(query(**LOOP), query(**{**LOOP, "site": OTHER_LINE})))) == 2


def test_it_is_the_same_finding_when_lines_move_and_numbers_change() -> None:
    (one,), (other,) = (
        findings(NAME, view(query(**LOOP))),
        findings(NAME, view(query(**{**LOOP, "site": MOVED, "executions": 9, "most_executions": 9}))),
    )
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("how", "advice"),
    [
        ("create", "bulk_create()"),
        ("save", "bulk_update()"),
        ("update", "F(), Case and When"),
        ("delete", "filter(…).delete()"),
        ("add", "add(*objects)"),
        ("remove", "through table"),
        ("get_or_create", "ignore_conflicts=True"),
        ("update_or_create", "update_conflicts=True"),
        ("cursor", "executemany()"),
        ("set", "one statement"),
    ],
)
def test_the_advice_fits_the_way_of_writing(how: str, advice: str) -> None:
    (finding,) = findings(NAME, view(query(**{**LOOP, "how": how})))
    assert finding.fix
    assert advice in finding.fix.text
