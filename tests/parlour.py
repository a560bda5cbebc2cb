"""A project of its own, in a directory and a database, for what is written into projects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connections

from scratch import Scratch

SETTINGS = """
import json, os
SECRET_KEY = "x"
DATABASES = {"default": json.loads(os.environ["PARLOUR_DATABASE"])}
INSTALLED_APPS = [
    "django.contrib.postgres", "django_dbaudit", *json.loads(os.environ["PARLOUR_APPS"]),
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DBAUDIT = {"THRESHOLDS": json.loads(os.environ["PARLOUR_THRESHOLDS"])}
globals().update(json.loads(os.environ["PARLOUR_SETTINGS"]))
"""

#: One command after another, in one process: most of the time goes into starting Django.
SEVERAL = """
import importlib, json, sys
from django.core.management import execute_from_command_line
for arguments in json.loads(sys.argv[1]):
    importlib.invalidate_caches()
    execute_from_command_line(["django", *arguments])
"""

#: With these, whatever nobody has read is unused, and each foreign key wants an index.
EVERYTHING = {
    "UNUSED_INDEX_DAYS": 0,
    "UNUSED_INDEX_TABLE_PAGES": 0,
    "UNINDEXED_FOREIGN_KEY_ROWS": 0,
}


@dataclass
class Parlour:
    """``apps`` maps each app's label to the text of its models; ``contrib`` are Django's own ones."""

    directory: Path
    scratch: Scratch
    apps: Mapping[str, str]
    contrib: Sequence[str] = ()
    thresholds: Mapping[str, float] = field(default_factory=lambda: EVERYTHING)
    settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.directory / "parlour_settings.py").write_text(SETTINGS)
        for app, text in self.apps.items():
            package = self.directory / app
            package.mkdir()
            (package / "__init__.py").touch()
            (package / "models.py").write_text(text)

    def migrations(self, app: str = "parlour") -> list[str]:
        return sorted(each.name for each in (self.directory / app / "migrations").glob("0*.py"))

    def migration(self, name: str, app: str = "parlour") -> Path:
        return self.directory / app / "migrations" / name

    @property
    def indexes(self) -> dict[str, tuple[str, str | None]]:
        """For each index its definition, and the tablespace, which that leaves out."""
        rows = self.scratch.run(
            "SELECT indexname, indexdef, tablespace FROM pg_indexes WHERE schemaname = 'public'"
        )
        return {name: (definition, tablespace) for name, definition, tablespace in rows}

    def run(self, *arguments: object, status: int = 0) -> str:
        return self._python(["-m", "django", *map(str, arguments)], status)

    def run_all(self, *commands: Sequence[str]) -> None:
        self._python(["-c", SEVERAL, json.dumps(commands)], 0)

    def _python(self, arguments: list[str], status: int) -> str:
        wanted = connections.settings[self.scratch.alias]
        kept = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
        done = subprocess.run(
            [sys.executable, *arguments],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "parlour_settings",
                "PYTHONPATH": os.pathsep.join([str(self.directory), os.environ.get("PYTHONPATH", "")]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PARLOUR_DATABASE": json.dumps({key: wanted[key] for key in kept if key in wanted}),
                "PARLOUR_APPS": json.dumps([*self.contrib, *self.apps]),
                "PARLOUR_THRESHOLDS": json.dumps(dict(self.thresholds)),
                "PARLOUR_SETTINGS": json.dumps(self.settings),
            },
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    def write(self, *arguments: object, app: str = "parlour", status: int = 0) -> str:
        return self.run("indexreport", "--write-migration", app, *arguments, status=status)

    def subjects(self, *arguments: object) -> list[str]:
        out = self.run(
            "indexreport", "--format", "json", "--app", "parlour", "--fail-on", "never", *arguments
        )
        findings = json.loads(out)["findings"]
        return [each["subject"]["name"] for each in findings if each["severity"] != "info"]

    def follow(self, told: str) -> None:
        """Make the edits that the command has printed, as a reader would, the last line of a file first."""
        lines = re.findall(r"^  (\S+\.py):(\d+): (.+)$", told.partition("Left out:")[0], re.MULTILINE)
        assert lines, told
        # Of several on one line, the last one said comes out on top.
        for path, number, what in sorted(lines, key=lambda each: (each[0], -int(each[1]))):
            _edit(self.directory / path, int(number) - 1, what)
        # Once all lines are where they were said to be.
        for path in {each[0] for each in lines}:
            _import(self.directory / path)


def _edit(path: Path, number: int, what: str) -> None:
    lines = path.read_text().splitlines()
    verb = what.split(" ", 1)[0]
    if what.startswith("remove db_index=True from "):
        changed = re.sub(r"db_index=True, |(, )?db_index=True", "", lines[number])
        assert changed != lines[number], (what, lines[number])
        lines[number] = changed
    elif what.startswith("set db_index=False on "):
        inside = lines[number].rpartition(")")[0]
        lines[number] = f"{inside}{'' if inside.endswith('(') else ', '}db_index=False)"
    elif verb == "remove":
        assert "name=" in lines[number], (what, lines[number])
        del lines[number]
    elif " Meta.indexes replace " in what:
        lines[number] = f"            {what.partition(' by: ')[2]},"
    elif " Meta.indexes: " in what:
        entry = what.partition(" Meta.indexes: ")[2]
        if lines[number].strip().startswith("class "):
            lines[number + 1 : number + 1] = ["    class Meta:", f"        indexes = [{entry}]"]
        else:
            assert "indexes = [" in lines[number], (what, lines[number])
            lines.insert(number + 1, f"            {entry},")
    elif verb == "set":
        lines.insert(number + 1, f"        {what.partition(' Meta: ')[2]}")
    elif ": class Meta" in what:
        head, _, body = what.partition(": ")[2].partition(": ")
        lines[number + 1 : number + 1] = [f"    {head}:", f"        {body}"]
    else:
        field_ = what.partition(": ")[2].partition(", in the place of ")[0]
        assert re.match(r"\w+ = models\.", field_), what
        lines.insert(number + 1, f"    {field_}")
    path.write_text("\n".join([*lines, ""]))


def _import(path: Path) -> None:
    text = path.read_text()
    if "django.contrib.postgres.indexes." in text and "import django" not in text:
        path.write_text(f"import django.contrib.postgres.indexes\n{text}")
