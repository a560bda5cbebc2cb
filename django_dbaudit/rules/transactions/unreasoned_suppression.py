"""A comment that silences a rule without saying why, or that silences nothing.

``# dbaudit: ok TXN001 because the attempt counts even if the login fails`` tells the next reader that
the pieces are meant, and why. Without the reason nobody can tell a decision from a finding that was in
the way; so it silences nothing. Nor does a comment with a rule that does not exist, or one that is
spelled otherwise.

**What counts.** A comment that begins with ``# dbaudit:`` in a loaded module of the project's. It
stands on the line of the write, of the ``atomic`` block, or of the ``def`` or ``class``, or alone on
the line above; at the head of a block it speaks of the whole block. Rules are named by code or by name,
several with commas between.

**When to leave it alone.** Never: say why, or take it away.

**How to fix it.** ``# dbaudit: ok RULE because REASON``.

*Source:* `Suppressing findings
<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html#_Toc34317733>`__.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.finding import Finding, Fix, Severity, Subject
from django_dbaudit.project.effects.facts import Effects
from django_dbaudit.project.effects.remarks import Remark
from django_dbaudit.rule import Rule, all_rules

rule = Rule(code="TXN024", severity=Severity.WARNING, since="0.1")


@rule.check
def unreasoned_suppression(effects: Effects) -> Iterator[Finding]:
    known = {word for each in all_rules() for word in (each.code.lower(), each.name)}
    for remark in effects.remarks:
        what = _defect(remark, known)
        if what:
            yield rule.finding(
                Subject("comment", remark.location.path),
                f"The comment at {remark.location} {what}, so it silences nothing.",
                evidence={"rules": list(remark.rules)},
                location=remark.location,
                fix=Fix("text", "# dbaudit: ok RULE because REASON"),
                identity=(remark.location.path, *remark.rules, what),
            )


def _defect(remark: Remark, known: set[str]) -> str:
    if not remark.rules:
        return "cannot be understood"
    unknown = [word for word in remark.rules if word.lower().replace("_", "-") not in known]
    if unknown:
        return f"names no rule: {', '.join(unknown)}"
    return "" if remark.reason else f"gives no reason for {', '.join(remark.rules)}"
