"""What all our commands share: from options to facts, to findings, to a report and an exit status."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_dbaudit import audit, baseline, clusters, facts, rule
from django_dbaudit.audit import Audit
from django_dbaudit.baseline import Baseline
from django_dbaudit.conf import Config, get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts
from django_dbaudit.management import options as option_module
from django_dbaudit.management.options import Options
from django_dbaudit.management.writing import write_file, write_stdout
from django_dbaudit.reports import FORMATS
from django_dbaudit.reports.document import Document, RuleHelp, Style, Table
from django_dbaudit.rule import Rule
from django_dbaudit.version import NAME, VERSION

#: Exit statuses, beside 0: findings at or above --fail-on; could not look, or not as asked.
FOUND, COULD_NOT_LOOK = 1, 2


@contextlib.contextmanager
def _without_cycle_collection() -> Iterator[None]:
    """Look for no reference cycles for the few seconds of an audit.

    Facts are a million objects without one; to look for some again and again took a fifth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class AuditCommand(BaseCommand):
    """A command that runs rules. Subclasses say which, and what they show beside findings."""

    #: Name of the command, as reports say it.
    name: str
    #: Beginning of the codes of the rules that belong to this command; empty for all.
    codes = ""
    #: The first day, in UTC, of the traffic that counts; by default all that is kept does.
    since: date | None = None
    # An audit is wanted most when the project's own checks fail.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        option_module.add_arguments(parser)

    def execute(self, *args: Any, **given: Any) -> str | None:
        try:
            return super().execute(*args, **given)
        except AuditError as error:
            raise CommandError(str(error), returncode=COULD_NOT_LOOK) from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted; no report was written.", returncode=COULD_NOT_LOOK) from error

    @_without_cycle_collection()
    def handle(self, *args: Any, **given: Any) -> None:
        config = get_config()
        options = option_module.parse(given, config)
        rules = self.rules(options)
        known = self.known(options)
        seen, outcome = self.look(options, rules, config)
        shown, asked_for = self.arrange(seen, outcome)
        compared = baseline.compare(asked_for.findings, known)
        document = Document(
            tool=NAME,
            version=VERSION,
            command=self.name,
            databases=seen.databases,
            findings=compared.new,
            known=compared.known,
            suppressed=outcome.suppressed,
            not_run=outcome.not_run,
            rules=tuple(help_of(each) for each in rules),
            tables=self.tables(shown, asked_for),
            failures=outcome.failures,
            details=self.details(shown) if options.format == "json" else {},
            totals=self.totals(shown, asked_for),
        )
        self.deliver(FORMATS[options.format](document, self.room(given)), options)
        # What is merely not shown is not gone; and a baseline is written whole.
        gone = baseline.compare(outcome.findings, known, _ran(rules, outcome, seen)).gone
        if gone and not outcome.failures:
            entries = (
                "1 entry of the baseline matches"
                if gone == 1
                else (f"{gone} entries of the baseline match")
            )
            self.stderr.write(f"{entries} nothing any more; write it again with --write-baseline.")
        self.finish(options, outcome, compared)

    def known(self, options: Options) -> Baseline:
        if options.baseline is None or (options.write_baseline and not options.baseline.exists()):
            # The first baseline is written where the setting already says that there is one.
            return {}
        return baseline.load(options.baseline)

    def look(self, options: Options, rules: Sequence[Rule], config: Config) -> tuple[Facts, Audit]:
        with self.progress() as progress:
            seen = clusters.linked(self.facts(options, rules, config, progress))
            # With the thresholds, so that what is derived for the rules serves the report as well.
            seen = seen.having(config.thresholds)
            return seen, audit.run(rules, seen, config.thresholds)

    def rules(self, options: Options) -> tuple[Rule, ...]:
        selected = rule.select_rules(options.select, options.ignore)
        own = tuple(each for each in selected if each.code.startswith(self.codes))
        if not own:
            raise AuditError(
                f"No rule is left to run: {self.name} runs {self.codes or 'all'} rules, "
                "and --select and --ignore leave none of them."
            )
        return own

    def facts(
        self,
        options: Options,
        rules: Sequence[Rule],
        config: Config,
        progress: Callable[[str], None],
    ) -> Facts:
        if options.load_facts:
            return option_module.only(options.databases, facts.load(options.load_facts))
        aliases = options.databases or option_module.default_aliases()
        kinds = audit.needed_facts(rules)
        if options.save_facts:
            kinds = set(facts.ALL.values())
        given = self.given_facts()
        kinds = (kinds | self.extra_facts()) - given.keys()
        seen = facts.gather(aliases, kinds, config, progress, self.since)
        seen = dataclasses.replace(seen, code={**seen.code, **given})
        if options.save_facts:
            write_file(options.save_facts, facts.save(seen), private=True)
        return seen

    def extra_facts(self) -> set[type[Any]]:
        """Facts that the command shows, whatever its rules ask for."""
        return set()

    def given_facts(self) -> Mapping[type[Any], Any]:
        """Facts that are the same for every alias, and that an option has brought along."""
        return {}

    def arrange(self, seen: Facts, outcome: Audit) -> tuple[Facts, Audit]:
        """What of it to show, and in which order, where the command's own options ask for less."""
        return seen, outcome

    def tables(self, seen: Facts, outcome: Audit) -> tuple[Table, ...]:
        """What the command shows before its findings."""
        return ()

    def details(self, seen: Facts) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The command's own whole lists, which ``--format json`` alone has."""
        return {}

    def totals(self, seen: Facts, outcome: Audit) -> str:
        """One line for the end."""
        return ""

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Say on stderr what is being read, if somebody is there to see it."""
        if not self.stderr.isatty():
            yield lambda _: None
            return
        # Here, because it takes a tenth of a second to import, and mostly nobody looks on.
        from rich.console import Console  # noqa: PLC0415  # as above

        with Console(stderr=True).status("Reading…") as status:
            yield lambda what: status.update(f"Reading {what}…")

    def room(self, given: Mapping[str, Any]) -> Style:
        width = shutil.get_terminal_size((80, 24)).columns
        if given["output"]:
            return Style(width=width)
        # Django's own word on colour: --no-color, --force-color, NO_COLOR, and what stdout is.
        color = self.style.ERROR("x") != "x"
        return Style(width=width, color=color and not given["no_color"])

    def deliver(self, report: str, options: Options) -> None:
        if options.output:
            write_file(options.output, report)
        else:
            write_stdout(self.stdout, report)

    def finish(self, options: Options, outcome: Audit, compared: baseline.Compared) -> None:
        """End with the exit status that fits."""
        if outcome.failures:
            skipped = "\nThe baseline was not written." if options.write_baseline else ""
            raise CommandError("\n".join(outcome.failures) + skipped, returncode=COULD_NOT_LOOK)
        if options.write_baseline:
            write_file(options.write_baseline, baseline.dump(outcome.findings))
            self.stderr.write(
                f"Wrote {len(outcome.findings)} findings to the baseline {options.write_baseline}."
            )
        elif any(options.fails(finding.severity) for finding in compared.new):
            sys.exit(FOUND)


def _ran(rules: Sequence[Rule], outcome: Audit, seen: Facts) -> set[tuple[str, str | None]]:
    """Which rules looked at which alias, and at all of it."""
    stopped = {(each.rule, each.database) for each in outcome.not_run}
    aliases = [database.alias for database in seen.databases]
    pairs = {
        (each.code, alias) for each in rules for alias in ([None] if audit.is_of_code(each) else aliases)
    }
    return pairs - stopped


def help_of(each: Rule) -> RuleHelp:
    return RuleHelp(each.code, each.name, each.severity, each.summary, each.page)
