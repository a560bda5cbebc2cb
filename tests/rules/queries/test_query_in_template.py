from __future__ import annotations

import pytest

from django_dbaudit.finding import Severity
from requests_posed import LINE, TEMPLATE_LINE, findings, query, view

NAME = "query-in-template"
RELATION = {"site": TEMPLATE_LINE, "how": "relation", "relation": "shop.Book.author", "phase": "template"}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"site": LINE, "rendered_at": TEMPLATE_LINE}, id="a line of code below a template's"),
        *(
            pytest.param({"how": how, "relation": ""}, id=f"{how} of what the view put there")
            for how in ("iteration", "len", "bool", "slice", "iterator", "prefetch")
        ),
        pytest.param({"how": "get", "relation": ""}, id="the user, whom Django fetches when he is named"),
        pytest.param({"how": "cursor", "relation": ""}, id="a library's tag"),
        pytest.param({"kind": "write"}, id="a write"),
    ],
)
def test_what_the_template_does_not_ask_by_itself_is_left_alone(given: dict[str, object]) -> None:
    assert findings(NAME, view(query(**{**RELATION, **given}))) == []


def test_a_loop_is_left_to_n_plus_one() -> None:
    loop = {"executions": 5, "most_executions": 5}
    other = query(**{**RELATION, "relation": "shop.Book.editor", "fingerprint": "SELECT 1"})
    assert findings(NAME, view(query(**RELATION, **loop), other)) == []


@pytest.mark.parametrize(
    ("how", "relation"),
    [
        ("relation", "shop.Book.author"),
        ("iteration", "shop.Book.reviews"),
        ("count", "shop.Book.reviews"),
        ("count", ""),
        ("exists", ""),
        ("first", ""),
        ("index", ""),
        ("deferred-field", "shop.Book.blurb"),
    ],
)
def test_what_a_line_names_and_so_asks_for_is_an_information(how: str, relation: str) -> None:
    (finding,) = findings(NAME, view(query(**{**RELATION, "how": how, "relation": relation})))
    assert finding.severity is Severity.INFO
    assert finding.location == TEMPLATE_LINE.location


def test_the_message_says_what_is_named() -> None:
    (finding,) = findings(NAME, view(query(**RELATION), requests=3))
    assert finding.message == (
        "shop/cart.html:3 asks the database (shop.Book.author) 1 time in 1 of 3 requests to "
        "shop.views.cart (GET): SELECT id FROM book WHERE author_id = ?."
    )
    assert finding.fix
    assert "select_related, prefetch_related or annotate" in finding.fix.text


def test_it_is_the_same_finding_when_lines_move() -> None:
    moved = type(TEMPLATE_LINE)("template", TEMPLATE_LINE.path, 30)
    (one,), (other,) = (
        findings(NAME, view(query(**RELATION))),
        findings(NAME, view(query(**{**RELATION, "site": moved}))),
    )
    assert one.fingerprint == other.fingerprint
