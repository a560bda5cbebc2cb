"""What is installed: the wheel where that is what is tested, with all its files that are not Python."""

from __future__ import annotations

import os
from importlib import resources
from importlib.metadata import metadata, requires
from pathlib import Path

import django_dbaudit
from django_dbaudit.version import VERSION

CHECKOUT = Path(__file__).parent.parent


def test_what_is_tested_is_what_tox_installed() -> None:
    assert django_dbaudit.__file__
    is_checkout = Path(django_dbaudit.__file__).is_relative_to(CHECKOUT / "django_dbaudit")
    # Set by tox alone; whoever works with an editable install tests the checkout.
    assert is_checkout != bool(os.environ.get("DBAUDIT_TEST_INSTALLED"))


def test_files_that_are_not_python_come_along() -> None:
    package = resources.files("django_dbaudit")
    assert package.joinpath("py.typed").is_file()
    assert (package / "reports" / "report.schema.json").is_file()
    assert (package / "postgres" / "queries" / "indexes.sql").is_file()
    assert (package / "store" / "queries" / "indexes.sql").is_file()
    assert (package / "reports" / "templates").is_dir()


def test_the_core_needs_django_and_rich_alone() -> None:
    core = [each for each in requires("django-dbaudit") or [] if "extra ==" not in each]
    assert sorted(each.partition(">")[0].lower() for each in core) == ["django", "rich"]


def test_the_version_is_the_packages() -> None:
    assert metadata("django-dbaudit")["Version"] == VERSION
