"""Writes the pages that are the code's own word: one a rule, one a command, one for the setting.

    python docs/generate.py            writes them
    python docs/generate.py --check    says which of them are out of date, with exit status 1

Commands show their real output, on the facts that the demonstration saved in ``data/``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import os
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
SHOP = DOCS.parent / "testproject"
FACTS = DOCS / "data" / "shop-facts.json"

sys.path.insert(0, str(SHOP))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings.local"
os.environ["COLUMNS"] = "96"

import django  # noqa: E402  # the settings have to be found first
from django.core.management import call_command, load_command_class  # noqa: E402  # as above

from django_dbaudit.conf import Config, Thresholds  # noqa: E402  # as above
from django_dbaudit.management import commands as command_package  # noqa: E402  # as above
from django_dbaudit.rule import Rule, all_rules  # noqa: E402  # as above

#: Options with which a command is shown once more.
MORE = {"queryreport": ["--view export_and_mark"]}

GENERATED = ".. Written by docs/generate.py; edit what it is made from.\n\n"


def main(arguments: list[str]) -> int:
    # The facts name files as the shop sees them.
    os.chdir(SHOP)
    django.setup()
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/generate.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path])
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


def pages() -> dict[Path, str]:
    """The text of every generated page, by its path."""
    found = {DOCS / "rules" / f"{rule.name}.rst": GENERATED + rule_page(rule) for rule in all_rules()}
    found[DOCS / "rules" / "index.rst"] = GENERATED + rule_index()
    for name in command_names():
        found[DOCS / "commands" / f"{name}.rst"] = GENERATED + command_page(name)
    found[DOCS / "commands" / "index.rst"] = GENERATED + command_index()
    found[DOCS / "setting.rst"] = GENERATED + setting_page()
    return found


def heading(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n\n"


def rule_page(rule: Rule) -> str:
    facts = ", ".join(sorted(kind.__name__ for kind in rule.sources))
    return (
        f".. _{rule.name}:\n\n"
        + heading(f"{rule.code} {rule.name}")
        + f":severity: {rule.severity.value}\n:since: {rule.since}\n:looks at: {facts}\n\n"
        + rule.page
        + "\n"
    )


def rule_index() -> str:
    rows = "".join(
        f"   * - {rule.code}\n     - :ref:`{rule.name} <{rule.name}>`\n     - {rule.severity.value}\n"
        f"     - {rule.summary}\n"
        for rule in all_rules()
    )
    names = "".join(f"   {rule.name}\n" for rule in all_rules())
    return (
        heading("Rules")
        + "``manage.py dbaudit --explain RULE`` prints each of these pages. Codes are kept for ever.\n\n"
        + ".. list-table::\n   :header-rows: 1\n   :widths: 10 25 10 55\n\n"
        + "   * - Code\n     - Name\n     - Severity\n     - What it finds\n"
        + rows
        + "\n.. toctree::\n   :hidden:\n\n"
        + names
    )


def command_names() -> list[str]:
    files = Path(command_package.__path__[0]).glob("[!_]*.py")
    return sorted(file.stem for file in files)


def command_page(name: str) -> str:
    command = load_command_class("django_dbaudit", name)
    options = command.create_parser("manage.py", name).format_help()
    return (
        heading(name)
        + f"{inspect.cleandoc(sys.modules[command.__module__].__doc__ or '')}\n\n"
        + heading("What it shows", "-")
        + f"On the ice-cream shop of ``testproject/``::\n\n{indented(output_of(name))}\n"
        + "".join(f"::\n\n{indented(output_of(name, more))}\n" for more in MORE.get(name, ()))
        + heading("Options", "-")
        + f"::\n\n{indented(own_options(options))}\n"
        + "Exit status: 0 if nothing was found at or above ``--fail-on``, 1 if something was, 2 if it\n"
        "could not look, or not as asked.\n"
    )


def output_of(name: str, options: str = "") -> str:
    out = io.StringIO()
    # It ends with the exit status for what it found.
    with contextlib.suppress(SystemExit):
        call_command(name, *options.split(), load_facts=str(FACTS), stdout=out, no_color=True)
    return f"$ python manage.py {name} {options}".rstrip() + f"\n\n{out.getvalue()}"


def own_options(text: str) -> str:
    """The help text without the options that Django gives every command."""
    kept, keep = [], True
    for line in text.splitlines():
        if line.startswith("  -"):
            keep = not line.lstrip().startswith(DJANGOS_OPTIONS)
        if line.startswith(("usage:", "options:")):
            keep = line.startswith("options:")
        if keep and line.startswith("  "):
            kept.append(line)
    return "\n".join(kept)


DJANGOS_OPTIONS = (
    "-h,",
    "--version",
    "-v ",
    "-v,",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
)


def indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


def command_index() -> str:
    names = "".join(f"   {name}\n" for name in command_names())
    return heading("Commands") + ".. toctree::\n   :maxdepth: 1\n\n" + names


def setting_page() -> str:
    return (
        heading("The DBAUDIT setting")
        + "A dictionary in the project's settings; every key may be left out. A key that does not exist\n"
        "or a value of the wrong kind is an error that names the right ones. What stands on the command\n"
        "line goes before what stands here.\n\n"
        + fields(Config)
        + heading("THRESHOLDS", "-")
        + "From which number on a rule speaks up.\n\n"
        + fields(Thresholds)
    )


def fields(cls: type) -> str:
    """The fields of a dataclass, with the comments above them that say what they mean."""
    source = inspect.getsource(cls).splitlines()
    text = ""
    for field in dataclasses.fields(cls):
        line = next(n for n, each in enumerate(source) if each.strip().startswith(f"{field.name}:"))
        comments: list[str] = []
        while source[line - 1].strip().startswith("#:"):
            line -= 1
            comments.insert(0, source[line].strip().removeprefix("#:").strip())
        default = "" if field.default is dataclasses.MISSING else f" Default: ``{field.default!r}``."
        meaning = " ".join(comments) or "See below."
        text += f"``{field.name.upper()}``\n    {meaning}{default}\n\n"
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
