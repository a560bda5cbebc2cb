"""What rules say of traffic alone, in words for the report of a failed test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from django_dbaudit import audit, rule, words
from django_dbaudit.analysis import call_sites
from django_dbaudit.baseline import Baseline
from django_dbaudit.conf import Config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts
from django_dbaudit.finding import Finding, Severity
from django_dbaudit.reports import wording
from django_dbaudit.rule import Rule
from django_dbaudit.traffic.facts import BLOCK, CallSite, QueryTraffic, Traffic, ViewTraffic

#: Lines that are shown of those that sent too many statements.
MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """What a test is not to do; an `AuditError` names a word that is no rule of traffic."""

    #: Codes, beginnings of codes or names. Empty: ``DBAUDIT['SELECT']``, from ``DBAUDIT['FAIL_ON']`` on.
    select: tuple[str, ...] = ()
    #: As ``select``; empty: ``DBAUDIT['IGNORE']``.
    ignore: tuple[str, ...] = ()
    #: Statements that may be sent in all, transaction control left out.
    max_queries: int | None = None

    @classmethod
    def of(
        cls,
        select: str | Sequence[str] = (),
        ignore: str | Sequence[str] = (),
        max_queries: object = None,
    ) -> Terms:
        """The same from what a person writes: ``"QRY001, duplicate-query"`` or a list."""
        if max_queries is None:
            return cls(_words("select", select), _words("ignore", ignore))
        if isinstance(max_queries, bool) or not isinstance(max_queries, int) or max_queries < 0:
            raise AuditError(f"max_queries is {max_queries!r}; it must be a whole number, 0 or above.")
        return cls(_words("select", select), _words("ignore", ignore), max_queries)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, the findings of any baseline included."""

    findings: tuple[Finding, ...]
    #: Which lines sent too many statements; empty: none did.
    excess: str
    #: Why rules could not look: defects of ours, which fail no test.
    failures: tuple[str, ...]

    def complaints(self, known: Baseline) -> str:
        """The text of a failure; empty if there is nothing to complain of but what is known."""
        new = [each for each in self.findings if each.fingerprint not in known]
        return "\n\n".join([self.excess] * bool(self.excess) + [_told(each) for each in new])


def judge(traffic: Traffic, terms: Terms, config: Config) -> Verdict:
    outcome = audit.run(_rules(terms, config), Facts(code={Traffic: traffic}), config.thresholds)
    counted = tuple(each for each in outcome.findings if terms.select or _is_grave(each, config))
    return Verdict(counted, _excess(traffic, terms.max_queries), outcome.failures)


def without(traffic: Traffic, is_of_test: Callable[[str], bool]) -> Traffic:
    """The same, less what a test's own lines asked outside of requests: it sets the scene."""
    return Traffic(
        tuple(_without(view, is_of_test) if view.view == BLOCK else view for view in traffic.views)
    )


def _without(view: ViewTraffic, is_of_test: Callable[[str], bool]) -> ViewTraffic:
    def is_kept(site: CallSite) -> bool:
        return not is_of_test(site.path)

    gone = [each for each in view.queries if not is_kept(each.site)]
    counted = [each for each in gone if each.kind != "transaction"]
    executions = sum(each.executions for each in counted)
    return replace(
        view,
        queries=tuple(each for each in view.queries if is_kept(each.site)),
        querysets=tuple(each for each in view.querysets if is_kept(each.site)),
        eager_loads=tuple(each for each in view.eager_loads if is_kept(each.site)),
        # How a test's lines and the code's follow each other says nothing about the code.
        commits=(),
        executions=view.executions - executions,
        most_executions=max(0, view.most_executions - executions),
        writes=view.writes - sum(each.executions for each in counted if each.kind == "write"),
    )


def _rules(terms: Terms, config: Config) -> tuple[Rule, ...]:
    select = terms.select or config.select
    chosen = rule.select_rules(select, terms.ignore or config.ignore)
    found = tuple(each for each in chosen if audit.needed_facts([each]) == {Traffic})
    if terms.select and not found:
        raise AuditError(f"{', '.join(terms.select)} names no rule that judges traffic, as QRY does.")
    return found


def _is_grave(finding: Finding, config: Config) -> bool:
    return config.fail_on != "never" and Severity(config.fail_on) <= finding.severity


def _told(finding: Finding) -> str:
    lines = [f"{finding.rule} {finding.name}: {finding.message}"]
    lines += [f"  at  {finding.location}"] if finding.location else []
    lines += [f"  see {wording.related(other)}" for other in finding.related]
    lines += [f"  fix {finding.fix.text}"] if finding.fix else []
    return "\n".join(lines)


def _excess(traffic: Traffic, allowed: int | None) -> str:
    sent = sum(view.executions for view in traffic.views)
    if allowed is None or sent <= allowed:
        return ""
    asked = [each for view in traffic.views for each in view.queries if each.kind != "transaction"]
    asked.sort(key=lambda each: (-each.executions, each.site))
    lines = [f"{words.count(sent, 'statement')} sent, and {allowed:,} allowed (max_queries):"]
    lines += [f"  {_line(each)}" for each in asked[:MOST_LINES]]
    lines += [f"  and {len(asked) - MOST_LINES} more lines"] if len(asked) > MOST_LINES else []
    return "\n".join(lines)


def _line(query: QueryTraffic) -> str:
    where = call_sites.where(query.site)
    return f"{query.executions:,} at {where}, {query.how}: {call_sites.shortened(query.fingerprint)}"


def _words(name: str, given: str | Collection[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, (list, tuple, set, frozenset)) or not all(isinstance(v, str) for v in given):
        raise AuditError(f"{name} is {given!r}; it must be a string or a list of strings.")
    return tuple(word.strip() for word in given)
