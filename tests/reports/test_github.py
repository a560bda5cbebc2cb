"""Workflow commands: one line a finding, whatever is in it."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from django_dbaudit.finding import Location, NotRun
from django_dbaudit.reports import github
from django_dbaudit.reports.document import Style
from samples import HOSTILE, SAMPLES, audit, document, finding, idle, unindexed

COMMAND = re.compile(r"::(?P<command>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def lines(*findings: object, **changes: object) -> list[str]:
    return github.render(document(findings=findings, **changes), Style()).split("\n")[:-1]


def test_a_finding_is_an_annotation_at_its_line() -> None:
    annotation, _ = lines(unindexed())
    assert annotation == (
        "::error file=orders/models.py,line=44,title=IDX005 unindexed-foreign-key::"
        "orders_order.customer_id has no index: deleting a users_user reads 2,500,000 rows.%0A"
        'Fix: CREATE INDEX CONCURRENTLY ON "public"."orders_order" ("customer_id");'
    )


def test_a_finding_without_a_line_names_no_file() -> None:
    annotation, _ = lines(idle())
    assert annotation.startswith("::notice title=ACT001 idle-in-transaction::Session 4711")


def test_what_explains_it_is_said() -> None:
    annotation, _ = lines(finding())
    assert "%0ASee index public.flavor_title_idx at flavors/models.py:28%0A" in annotation


def test_the_alias_is_named_where_there_are_several() -> None:
    rendered = github.render(audit(), Style())
    assert "title=IDX002 duplicate-index on replica::" in rendered


def test_a_message_is_escaped() -> None:
    annotation, _ = lines(finding(message="50 %: a,b\r\n%0A", related=(), fix=None))
    assert annotation.endswith("::50 %25: a,b%0D%0A%250A")


def test_a_property_is_escaped() -> None:
    annotation, _ = lines(finding(location=Location("a,b:c%\n.py", 1)))
    assert annotation.startswith("::warning file=a%2Cb%3Ac%25%0A.py,line=1,")


def test_one_notice_for_all_that_one_reason_stopped() -> None:
    stopped = tuple(
        NotRun(rule, name, "needs pg_monitor", "default")
        for rule, name in (("IDX001", "unused-index"), ("ACT001", "idle-in-transaction"))
    )
    notice, _ = lines(not_run=stopped)
    assert notice == (
        "::notice title=Not run on default, or only in part"
        "::IDX001 unused-index, ACT001 idle-in-transaction: needs pg_monitor"
    ).replace("default,", "default%2C")


def test_known_findings_are_counted_only() -> None:
    *_, last = lines(known=(finding(status="known"),))
    assert len(lines(known=(finding(status="known"),))) == 1
    assert last == "dbaudit: no findings; 1 known from the baseline."


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_line_but_the_last_is_a_command(sample: str) -> None:
    made = SAMPLES[sample]()
    *commands, summary = github.render(made, Style()).split("\n")[:-1]
    assert all(COMMAND.fullmatch(line) for line in commands)
    assert len(commands) == len(made.findings) + len(made.not_run_by_reason())
    assert not summary.startswith("::")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_arrives_whole(name: str) -> None:
    annotation, _ = lines(finding(message=name, location=Location(name, 1), related=(), fix=None))
    match = COMMAND.fullmatch(annotation)
    assert match
    file = match["properties"].partition(",")[0]
    assert unquote(file) == f"file={name}"
    assert unquote(match["message"]) == name
