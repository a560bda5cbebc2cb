from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from django_dbaudit.traffic.facts import CallSite, Traffic, merge
from requests_posed import LINE, MOVED, findings, query, view

LOOP = {"executions": 5, "most_executions": 5}
BY_KEY = 'SELECT "id" FROM "book" WHERE "id" > ? ORDER BY "book"."id" ASC LIMIT ?'


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"executions": 2, "most_executions": 2}, id="two"),
        pytest.param({"how": "prefetch"}, id="lookups and levels of one prefetch_related"),
        pytest.param({"how": "in_bulk", "querysets": 1}, id="batches of one in_bulk"),
        pytest.param({"how": "delete"}, id="what a delete that cascades looks for"),
        pytest.param({"how": "validation"}, id="the validation of each object"),
        pytest.param({"fingerprint": 'SELECT "id" FROM "book" LIMIT ? OFFSET ?'}, id="pages by offset"),
        pytest.param({"fingerprint": BY_KEY, "how": "slice"}, id="pages by key"),
        pytest.param({"kind": "transaction", "fingerprint": "SAVEPOINT ?"}, id="savepoints"),
    ],
)
def test_what_asks_again_by_its_nature_is_left_alone(given: dict[str, object]) -> None:
    assert findings("n-plus-one", view(query(**{**LOOP, **given}))) == []


def test_reads_of_a_line_that_writes_as_often_are_a_part_of_the_writing() -> None:
    writing = query(**LOOP, kind="write", how="add", rows=10, fingerprint="INSERT")
    assert findings("n-plus-one", view(query(**LOOP, how="add"), writing)) == []


def test_many_requests_that_each_ask_once_are_no_loop() -> None:
    assert findings("n-plus-one", view(query(executions=900, requests=900), requests=900)) == []


def test_one_question_again_and_again_is_no_loop_over_rows() -> None:
    assert findings("n-plus-one", view(query(**LOOP, duplicates=4))) == []


def test_lines_that_different_requests_come_by_are_not_one_loop() -> None:
    lines = [
        query(site=CallSite("code", "shop/views.py", line, "cart"), how="relation", relation="a.B.c")
        for line in (1, 2, 3)
    ]
    assert findings("n-plus-one", view(*lines, requests=3)) == []


@pytest.mark.parametrize("kind", ["read", "lock"])
def test_three_in_one_request_are_a_warning(kind: str) -> None:
    three = {"executions": 3, "most_executions": 3, "how": "relation", "relation": "shop.Book.author"}
    (finding,) = findings("n-plus-one", view(query(**three, kind=kind)))
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "shop.views.cart (GET) asks for shop.Book.author 3 times in one request, at shop/views.py:12: "
        "SELECT id FROM book WHERE author_id = ?."
    )
    assert finding.location == LINE.location


def test_objects_that_each_ask_for_the_same_row_are_a_loop() -> None:
    assert len(findings("n-plus-one", view(query(**LOOP, duplicates=4, how="relation")))) == 1


@pytest.mark.parametrize("how", ["in_bulk", "iterator", "prefetch_related_objects"])
def test_what_works_in_batches_is_a_loop_when_it_is_called_for_each_row(how: str) -> None:
    assert len(findings("n-plus-one", view(query(**LOOP, how=how, querysets=5)))) == 1


def test_a_fleet_finds_what_one_of_its_requests_did() -> None:
    (found,) = merge(
        Traffic((view(query()),)), Traffic((view(query(**LOOP)),)), Traffic((view(query()),))
    ).views
    (finding,) = findings("n-plus-one", found)
    assert finding.evidence["most_executions"] == 5
    assert finding.evidence["view_requests"] == 3


def test_its_fingerprint_stays_when_lines_move_and_numbers_change() -> None:
    (one,), (other,) = (
        findings("n-plus-one", view(query(**LOOP))),
        findings("n-plus-one", view(query(site=MOVED, executions=7, most_executions=7))),
    )
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("how", "relation", "advice"),
    [
        ("relation", "shop.Book.author", "select_related('author')"),
        ("iteration", "shop.Author.books", "prefetch_related('books')"),
        ("count", "shop.Author.books", "Count('books')"),
        ("exists", "shop.Author.books", "Exists("),
        ("deferred-field", "shop.Book.blurb", "defer()"),
        ("get", "", "in_bulk()"),
        ("index", "", "list(books)"),
        ("refresh_from_db", "", "in_bulk()"),
        ("first", "", "Subquery("),
        ("index", "shop.Author.books", "prefetch_related('books')"),
        ("count", "", "Count('…')"),
        ("prefetch_related_objects", "", "with the whole list"),
        ("cursor", "", "ANY(%s)"),
    ],
)
def test_the_advice_fits_the_way_of_asking(how: str, relation: str, advice: str) -> None:
    (finding,) = findings("n-plus-one", view(query(**LOOP, how=how, relation=relation)))
    assert finding.fix
    assert advice in finding.fix.text
