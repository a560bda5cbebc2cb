from __future__ import annotations

from django_dbaudit.finding import Severity
from requests_posed import findings, query, view


def test_forty_nine_statements_are_left_alone() -> None:
    assert findings("too-many-queries", view(most_executions=49, executions=49)) == []


def test_what_a_loop_accounts_for_is_named_there_alone() -> None:
    loop = query(executions=60, most_executions=60)
    assert findings("too-many-queries", view(loop, executions=70, most_executions=70)) == []


def test_fifty_statements_in_one_request_are_named() -> None:
    (finding,) = findings("too-many-queries", view(requests=2, executions=60, most_executions=50))
    assert finding.message.startswith(
        "shop.views.cart (GET) sent 50 statements in one request (30 on average)"
    )
    assert finding.severity is Severity.WARNING
    assert finding.subject.kind == "view"
    assert finding.subject.method == "GET"


def test_what_a_loop_leaves_over_is_counted() -> None:
    loop = query(executions=60, most_executions=60)
    assert len(findings("too-many-queries", view(loop, executions=110, most_executions=110))) == 1


def test_writes_in_a_loop_are_named_there_alone() -> None:
    loop = query(kind="write", how="save", executions=60, most_executions=60, rows=60)
    assert findings("too-many-queries", view(loop, executions=70, most_executions=70)) == []


def test_the_way_out_is_the_report_of_the_view() -> None:
    (one,), (other,) = (
        findings("too-many-queries", view(executions=50, most_executions=50)),
        findings("too-many-queries", view(executions=80, most_executions=80)),
    )
    assert one.fix
    assert one.fix.text.endswith("queryreport --view shop.views.cart")
    assert one.fingerprint == other.fingerprint
