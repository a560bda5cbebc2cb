"""One HTML file that asks nobody for anything, and in which no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from django.test import override_settings

from django_dbaudit.reports import html
from django_dbaudit.reports.document import Document, Style
from samples import HOSTILE, SAMPLES, audit, document, finding, hostile, index_list

DOCUMENTATION = ("https://www.postgresql.org/docs/", "https://docs.djangoproject.com/")
VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """Elements and text, and whether all that is opened is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.content.setdefault(self.open[-1], []).append(data)

    def attributes(self, name: str) -> list[str]:
        return [str(given[name]) for _, given in self.elements if name in given]

    def count(self, tag: str) -> int:
        return sum(each == tag for each, _ in self.elements)


def page(of: Document) -> Page:
    return Page(html.render(of, Style()))


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_needs_nothing_else(sample: str) -> None:
    made = page(SAMPLES[sample]())
    assert made.attributes("src") == []
    assert made.count("link") == made.count("img") == made.count("iframe") == 0
    for target in made.attributes("href"):
        assert target.startswith(("#", *DOCUMENTATION))
    assert "url(" not in "".join(made.content["style"])
    assert "@import" not in "".join(made.content["style"])


@pytest.mark.parametrize("sample", SAMPLES)
def test_its_policy_allows_its_own_style_and_script_alone(sample: str) -> None:
    made = page(SAMPLES[sample]())
    (policy,) = (each for each in made.attributes("content") if "default-src" in each)
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        assert made.count(tag) == 1
        (text,) = made.content[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [name for _, given in made.elements for name in given if name.startswith("on")]
    assert made.attributes("style") == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_read_as_it_is(name: str) -> None:
    made = page(hostile())
    assert f"index public.{name}" in made.content["h3"]
    assert name in made.content["dd"]
    assert f"{name}\n{name}" in "".join(made.content["code"])
    assert name in made.content["td"]


def test_a_finding_is_told_whole() -> None:
    rendered = html.render(audit(), Style())
    for part in (
        "IDX005 unindexed-foreign-key",
        "orders_order.customer_id has no index",
        "orders/models.py:44",
        "index public.flavor_title_idx at flavors/models.py:28",
        "CREATE INDEX CONCURRENTLY ON &quot;public&quot;",
        "is partitioned",
        "Known from the baseline",
        "needs SELECT on public.ticket_seq",
    ):
        assert part in rendered


def test_findings_that_share_a_fingerprint_have_ids_of_their_own() -> None:
    """Two sessions with one statement: a baseline knows both by the one, a page must not."""
    twins = document(findings=(finding(), finding()), known=(finding(status="known"),))
    ids = [given["id"] for tag, given in page(twins).elements if tag == "article"]
    print_ = finding().fingerprint
    assert ids == [print_, f"{print_}-2", f"{print_}-3"]


def test_the_page_of_a_rule_is_there_to_unfold() -> None:
    made = page(document(findings=(finding(),)))
    assert made.content["summary"][0].startswith("Two indexes that serve the same queries")
    assert "What counts." in made.content["strong"]
    assert "DROP INDEX CONCURRENTLY flavor_title_copy;" in made.content["code"]
    assert "Monitoring statistics" in made.content["a"]


def test_a_severity_can_be_hidden() -> None:
    made = page(audit())
    (style,) = made.content["style"]
    boxes = [given["id"] for tag, given in made.elements if tag == "input"]
    assert boxes == ["show-error", "show-warning", "show-info"]
    for box in boxes:
        assert f"body:has(#{box}:not(:checked)) .group.{str(box).removeprefix('show-')}" in style


def test_a_table_has_a_row_for_each_row() -> None:
    made = page(index_list())
    assert made.count("table") == 2
    assert made.count("tr") == 2 + 3 + 1
    assert "orders_order_pkey" in made.content["td"]


def test_a_clean_report_says_so() -> None:
    assert page(document()).content["p"][-1] == "No findings."


def test_a_report_that_could_not_look_does_not_call_itself_clean() -> None:
    of = document(not_run=audit().not_run)
    assert page(of).content["p"][-1] == "No findings among what could be looked at."


@override_settings(LANGUAGE_CODE="de", USE_THOUSAND_SEPARATOR=True)
def test_the_projects_localisation_changes_nothing() -> None:
    with override_settings(LANGUAGE_CODE="en-us", USE_THOUSAND_SEPARATOR=False):
        plain = html.render(audit(), Style())
    assert html.render(audit(), Style()) == plain


def test_it_has_no_trace_of_the_template() -> None:
    assert not re.search(r"\{[{%]", html.render(audit(), Style()))
