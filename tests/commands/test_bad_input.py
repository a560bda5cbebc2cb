"""Every wrong input: the value, the rule and the way out on stderr, status 2, nothing half-written."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from running import argv, command, manage
from scratch import Scratch

pytestmark = pytest.mark.usefixtures("no_views")

HERE = Path(__file__).parent


def refused(*arguments: object, name: str = "dbaudit") -> str:
    """The message of a command that must refuse, and print no report."""
    result = command(name, *arguments)
    assert result.status == 2, result
    assert result.out == ""
    assert "Traceback" not in result.err
    return result.err


@pytest.fixture
def alias(scratch: Scratch) -> str:
    scratch.run("CREATE TABLE flavor (id bigint PRIMARY KEY)")
    return scratch.alias


def test_an_unknown_alias_names_the_known_ones() -> None:
    message = refused("--database", "nowhere")
    assert message.startswith("Unknown alias: 'nowhere'. DATABASES has: default")


@pytest.mark.parametrize("option", ["--select", "--ignore", "--explain"])
@pytest.mark.parametrize("word", ["IDX999", "no-such-rule", " ", "IDX002,nonsense"])
def test_an_unknown_rule_names_the_known_ones(option: str, word: str) -> None:
    message = refused(option, word)
    # --explain takes one rule; the others take many, apart from their blanks.
    named = word if option == "--explain" else word.rsplit(",", maxsplit=1)[-1].strip()
    assert message.startswith(f"Unknown rule: {named!r}.")
    assert "IDX002  duplicate-index" in message


def test_a_selection_that_leaves_nothing_is_refused() -> None:
    assert "No rule is left to run" in refused("--select", "ACT", name="indexreport")
    assert "No rule is left to run" in refused("--select", "IDX002", "--ignore", "IDX")


def test_an_unknown_format_names_the_known_ones() -> None:
    assert refused("--format", "pdf").startswith("--format is 'pdf'; it must be one of: console, json")


def test_an_unknown_severity_names_the_known_ones() -> None:
    message = refused("--fail-on", "fatal")
    assert message == "--fail-on is 'fatal'; it must be one of: info, warning, error, never."


@pytest.mark.parametrize("option", ["--output", "--write-baseline", "--save-facts"])
def test_a_file_that_cannot_be_is_refused_before_we_look(option: str, tmp_path: Path) -> None:
    assert "there is no directory" in refused(option, tmp_path / "no" / "file")
    assert "it is a directory" in refused(option, tmp_path)


def test_a_file_that_may_not_be_written_is_said(alias: str) -> None:
    # Not even root may make a file there.
    result = command("dbaudit", "--database", alias, "--output", "/proc/report")
    assert result.status == 2
    assert result.err.startswith("Cannot write /proc/report: ")


def test_a_file_on_a_full_disk_is_said_and_the_old_one_stays(alias: str) -> None:
    result = command("dbaudit", "--database", alias, "--output", "/dev/full")
    assert result.status == 2
    assert result.err == "Cannot write /dev/full: No space left on device."


def test_a_wrong_setting_is_named_with_the_right_ones(settings: Any) -> None:
    settings.DBAUDIT = {"FAIL_UPON": "error"}
    assert refused().startswith("DBAUDIT has an unknown key 'FAIL_UPON'; it may have: BASELINE, ")


def test_an_unknown_option_is_refused() -> None:
    done = manage("dbaudit", "--frobnicate")
    assert done.returncode == 2
    assert "unrecognized arguments: --frobnicate" in done.stderr


@pytest.mark.parametrize("option", ["--baseline", "--load-facts"])
class TestAFileThatWeRead:
    def test_missing(self, option: str, tmp_path: Path) -> None:
        file = tmp_path / "missing.json"
        message = refused(option, file)
        assert str(file) in message
        assert "No such file or directory" in message

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"baseline_version": "1"}', "\0"])
    def test_damaged(self, option: str, text: str, tmp_path: Path) -> None:
        file = tmp_path / "damaged.json"
        file.write_text(text)
        message = refused(option, file)
        assert f"{file} is damaged" in message

    def test_not_even_text(self, option: str, tmp_path: Path) -> None:
        file = tmp_path / "binary.json"
        file.write_bytes(b"\xff\xfe\x00\xd8")
        assert f"{file} is damaged" in refused(option, file)

    def test_of_a_newer_version(self, option: str, tmp_path: Path) -> None:
        file = tmp_path / "newer.json"
        file.write_text(json.dumps({"baseline_version": 2, "facts_version": 2}))
        message = refused(option, file)
        assert "has version 2" in message
        assert "upgrade django-dbaudit" in message


def test_a_baseline_whose_entries_are_damaged(tmp_path: Path) -> None:
    file = tmp_path / "damaged.json"
    file.write_text('{"baseline_version": 1, "findings": [{"rule": "IDX002"}]}')
    assert f"{file} is damaged" in refused("--baseline", file)


def test_facts_that_do_not_hold_the_alias_name_those_they_hold(alias: str, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    command("dbaudit", "--database", alias, "--save-facts", file)
    message = refused("--load-facts", file, "--database", "other")
    assert message == f"Unknown alias: 'other'. The facts file has: {alias}."


class TestAnAliasThatCannotBeLookedAt:
    """The report is printed, with every rule of it not run; the reason comes on stderr."""

    def check(self, alias: str, reason: str) -> None:
        result = command("dbaudit", "--database", alias, "--format", "json")
        assert result.status == 2
        assert reason in result.err
        assert "hunter2" not in result.err + result.out
        assert result.json["findings"] == []
        assert any(reason in each["reason"] for each in result.json["not_run"])

    @pytest.fixture
    def elsewhere(self, scratch: Scratch) -> Iterator[Any]:
        """The settings of the alias, for a test to spoil."""
        saved = connections.settings[scratch.alias]
        connections.settings[scratch.alias] = spoiled = {**saved}
        yield spoiled
        connections.settings[scratch.alias] = saved

    def test_it_is_down(self, scratch: Scratch, elsewhere: Any) -> None:
        elsewhere.update(PORT="1", PASSWORD="hunter2")
        self.check(scratch.alias, "could not connect")

    def test_it_refuses_the_password(self, scratch: Scratch, elsewhere: Any) -> None:
        elsewhere["PASSWORD"] = "hunter2"
        self.check(scratch.alias, "password authentication failed")

    def test_it_does_not_exist(self, scratch: Scratch, elsewhere: Any) -> None:
        elsewhere["NAME"] = "nowhere"
        self.check(scratch.alias, 'database "nowhere" does not exist')

    def test_its_engine_is_missing(self, scratch: Scratch, elsewhere: Any) -> None:
        elsewhere["ENGINE"] = "no.such.engine"
        self.check(scratch.alias, "cannot load its ENGINE 'no.such.engine'")

    def test_it_has_no_tables(self, scratch: Scratch) -> None:
        self.check(scratch.alias, f"run 'manage.py migrate --database {scratch.alias}'")


def test_one_alias_down_leaves_the_findings_of_the_other(scratch: Scratch) -> None:
    connections.settings["down"] = {**connections.settings["default"], "PORT": "1"}
    scratch.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int)",
        "CREATE INDEX t_a ON t (a)",
        "CREATE INDEX t_b ON t (a)",
    )
    result = command("dbaudit", "--database", scratch.alias, "--database", "down", "--format", "json")
    del connections["down"], connections.settings["down"]
    assert result.status == 2
    assert result.err.startswith("down: could not connect: ")
    assert [finding["subject"]["name"] for finding in result.json["findings"]] == ["public.t_b"]


def test_a_role_without_rights_is_told_what_it_could_not_see(scratch: Scratch) -> None:
    scratch.run("CREATE TABLE flavor (id serial PRIMARY KEY)")
    with scratch.role("intern") as role, scratch.session("somebody else"):
        connections.settings[scratch.alias].update(USER=role, PASSWORD=role)
        # The alias' own wrapper keeps the settings that it was made with.
        owner = connections[scratch.alias]
        del connections[scratch.alias]
        result = command("dbaudit", "--database", scratch.alias, "--format", "json")
        connections[scratch.alias].close()
        connections[scratch.alias] = owner
    reasons = {each["name"]: each["reason"] for each in result.json["not_run"]}
    assert result.status == 0
    assert "needs SELECT or USAGE on the sequence" in reasons["sequence-near-limit"]
    assert "needs membership in pg_read_all_stats" in reasons["idle-in-transaction"]


def test_stdout_closed_early_is_no_traceback(alias: str, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    command("indexreport", "--database", alias, "--save-facts", facts)
    process = subprocess.Popen(
        argv("indexreport", "--load-facts", facts, "--format", "json"),
        cwd=HERE.parent.parent / "testproject",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    message = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 2
    assert message == "CommandError: The report was not read to its end: stdout was closed.\n"


@contextlib.contextmanager
def opened_for_writing(pipe: Path, process: subprocess.Popen[str]) -> Iterator[int]:
    """The writing end, which cannot be opened before the command has opened the reading end."""
    handle = None
    while handle is None:
        assert process.poll() is None, process.communicate()
        with contextlib.suppress(OSError):
            handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    try:
        yield handle
    finally:
        os.close(handle)


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def unread(pipe: int) -> int:
    """How many bytes of it are still to be read."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def test_ctrl_c_is_no_traceback_and_writes_nothing(scratch: Scratch, tmp_path: Path) -> None:
    scratch.run("CREATE TABLE flavor (id bigint PRIMARY KEY)")
    report = tmp_path / "report.json"
    # A facts file that is a pipe nobody writes to: the command is caught waiting for it.
    pipe = tmp_path / "facts"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        argv("dbaudit", "--load-facts", pipe, "--output", report),
        cwd=HERE.parent.parent / "testproject",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background is born deaf to Ctrl-C, and so are its children.
        preexec_fn=heed_interrupts,  # noqa: PLW1509  # the child only restores a signal
    )
    with opened_for_writing(pipe, process) as handle:
        os.write(handle, b"{")
        # Once that is read the command waits for more. Python drops a signal that comes while it
        # still opens the file.
        scratch.wait_until(lambda: unread(handle) == 0)
        process.send_signal(signal.SIGINT)
    # The pipe is closed by now, which ends a wait that the signal came just too early for.
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert (out, err) == ("", "CommandError: Interrupted; no report was written.\n")
    assert not report.exists()


def test_facts_are_not_loaded_and_saved_at_once(tmp_path: Path) -> None:
    message = refused("--load-facts", tmp_path / "a", "--save-facts", tmp_path / "b")
    assert message.startswith("--save-facts would only copy what --load-facts reads")


class Stubborn:
    """A router that raises."""

    def allow_migrate(self, *_: object, **__: object) -> bool:
        raise LookupError("no such tenant")


def test_a_router_that_raises_costs_the_rules_that_need_models_alone(alias: str, settings: Any) -> None:
    settings.DATABASE_ROUTERS = [Stubborn()]
    result = command("dbaudit", "--database", alias, "--format", "json")
    assert result.status == 2
    assert "reading the project's models failed: LookupError: no such tenant" in result.err
    assert result.json["failures"]
    assert "blocked-session" not in {each["name"] for each in result.json["not_run"]}
