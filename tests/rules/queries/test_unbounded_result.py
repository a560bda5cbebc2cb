from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from requests_posed import MOVED, findings, query, view


@pytest.mark.parametrize(
    "given",
    [
        {"most_rows": 999},
        {"most_rows": 50_000, "fingerprint": 'SELECT "id" FROM "book" LIMIT ?'},
        {"most_rows": 50_000, "how": "iterator"},
        {"most_rows": 50_000, "how": "prefetch"},
        {"most_rows": 50_000, "how": "in_bulk"},
        {"most_rows": 50_000, "kind": "write", "fingerprint": 'UPDATE "book" SET "copies" = ?'},
    ],
)
def test_few_rows_pages_and_chunks_are_left_alone(given: dict[str, object]) -> None:
    assert findings("unbounded-result", view(query(**given))) == []


def test_a_thousand_rows_at_once_are_an_information() -> None:
    (finding,) = findings("unbounded-result", view(query(most_rows=1_000)))
    assert finding.severity is Severity.INFO
    assert "was given 1,000 rows by one query without a LIMIT, at shop/views.py:12" in finding.message
    assert finding.location
    assert (finding.location.path, finding.location.line) == ("shop/views.py", 12)


def test_ten_thousand_rows_are_a_warning() -> None:
    (fewer,) = findings("unbounded-result", view(query(most_rows=9_999)))
    (finding,) = findings("unbounded-result", view(query(most_rows=10_000)))
    assert (fewer.severity, finding.severity) == (Severity.INFO, Severity.WARNING)


def test_it_is_the_same_finding_when_lines_move_and_the_table_grows() -> None:
    (one,), (other,) = (
        findings("unbounded-result", view(query(most_rows=1_000))),
        findings("unbounded-result", view(query(most_rows=40_000, site=MOVED))),
    )
    assert one.fingerprint == other.fingerprint
    assert one.fix
    assert "iterator(chunk_size=…)" in one.fix.text
