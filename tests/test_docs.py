"""The documentation says what the code says, and leaves no rule or command out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from django_dbaudit.rule import Rule, all_rules

ROOT = Path(__file__).parent.parent
COMMANDS = sorted(name for name, app in get_commands().items() if app == "django_dbaudit")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
class TestARule:
    def test_has_a_page(self, rule: Rule) -> None:
        assert f"{rule.code} {rule.name}" in (ROOT / "docs" / "rules" / f"{rule.name}.rst").read_text()

    def test_stands_in_the_readme(self, rule: Rule) -> None:
        assert f"{rule.code}    {rule.name} " in (ROOT / "README.rst").read_text()

    def test_has_a_test_file_of_its_name(self, rule: Rule) -> None:
        assert list((ROOT / "tests" / "rules").glob(f"*/test_{rule.name.replace('-', '_')}.py"))

    def test_says_why_when_not_and_how(self, rule: Rule) -> None:
        assert rule.summary.endswith(".")
        assert "**How to fix it.**" in rule.page
        assert "*Source:*" in rule.page

    def test_is_named_as_its_file_and_its_function(self, rule: Rule) -> None:
        assert rule.function.__name__ == rule.function.__module__.rpartition(".")[2]
        assert rule.name == rule.function.__name__.replace("_", "-")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_page_with_real_output(name: str) -> None:
    page = (ROOT / "docs" / "commands" / f"{name}.rst").read_text()
    assert f"$ python manage.py {name}" in page
    assert name in (ROOT / "README.rst").read_text()


def test_the_sample_in_the_readme_is_what_the_command_prints() -> None:
    readme = (ROOT / "README.rst").read_text()
    sample = readme.partition("$ python manage.py dbaudit\n")[2].partition("Two commands")[0].splitlines()
    page = (ROOT / "docs" / "commands" / "dbaudit.rst").read_text().splitlines()
    assert len(sample) > 20
    assert [line for line in sample if line not in page and line.strip() != "…"] == []


def test_codes_are_unique() -> None:
    codes = [rule.code for rule in all_rules()]
    assert len(codes) == len(set(codes)) >= 10


def test_what_is_generated_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
