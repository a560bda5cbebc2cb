"""Lines of classes, also of those that do not make it easy; None where there is no telling."""

from __future__ import annotations

import inspect
import types
from typing import Any

import pytest

from django_dbaudit.project import source_lines
from django_dbaudit.project.source_lines import class_lines

Entry = dict


class Outer:
    class Inner:
        annotated: int = 1
        first = second = 2

        class Meta:
            indexes = ("one", Entry(name="two"), Entry(name=inspect.__name__))
            ordering = "name"


if len(inspect.__name__) > 1:

    class BelowIf:
        here = 1


class Twice:
    old = 1


class Twice:  # type: ignore[no-redef]  # noqa: F811  # that is the case
    new = 1


class Pretender:
    """Says it lives where it does not, as some packages do for the sake of short import paths."""

    here = 1

    def method(self) -> None:
        """Knows where it is written."""


Pretender.__module__ = "inspect"


def line(text: str) -> int:
    with open(__file__) as file:
        return next(number for number, each in enumerate(file, 1) if text in each)


def lines(cls: type) -> Any:
    found = class_lines(cls)
    assert found is not None
    return found


def test_assignments_of_every_kind() -> None:
    found = lines(Outer.Inner)
    assert found.attributes == {
        "annotated": line("annotated: int"),
        "first": line("first = second"),
        "second": line("first = second"),
    }


def test_entries_of_meta_by_name_and_place() -> None:
    found = lines(Outer.Inner)
    assert [name for name, _ in found.entries["indexes"]] == [None, "two", None]
    assert found.meta["ordering"] == line('ordering = "name"')
    assert "ordering" not in found.entries


def test_a_class_below_a_condition() -> None:
    assert lines(BelowIf).attributes == {"here": line("        here = 1")}


def test_the_last_class_of_a_name_is_the_one() -> None:
    assert lines(Twice).attributes == {"new": line("    new = 1")}


def test_a_class_that_claims_another_module_is_found_by_its_methods() -> None:
    assert lines(Pretender).path.endswith("test_source_lines.py")


@pytest.mark.parametrize("cls", [int, type("Made", (), {}), types.new_class("AtRunTime")])
def test_what_has_no_source_has_no_line(cls: type) -> None:
    assert class_lines(cls) is None
    assert source_lines.field_location(cls, "anything") is None
    assert source_lines.meta_location(cls, "indexes", None, 0) is None


def test_a_source_that_cannot_be_parsed_has_no_line(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "broken_later.py").write_text("class Fine:\n    here = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import broken_later  # type: ignore[import-not-found]  # just written

    (tmp_path / "broken_later.py").write_text("class Fine(:\n")
    assert class_lines(broken_later.Fine) is None


def test_an_installed_package_is_known_wherever_it_was_put() -> None:
    assert source_lines.is_installed(pytest.Item)
    assert not source_lines.is_installed(Outer)
