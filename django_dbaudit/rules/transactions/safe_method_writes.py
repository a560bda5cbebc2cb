"""A GET that writes: crawlers, previews and prefetching browsers do it too.

GET is a *safe* method: whoever follows a link expects that nothing happens. Browsers fetch links ahead,
mail programs open them to look for malware, proxies repeat them. And Django's protection against forged
requests does not look at GET: a picture in somebody's page can send it.

**What counts.** A write to a table of the project's on a way through the view for GET. Left alone are
rows that are made because they were missing, as ``get_or_create()`` does; counters and marks of the
last visit, by the names of their fields; logs, tokens, sessions and the admin's own log; a function
view that does just the same for POST is told once.

A *warning* where rows are deleted, else an *information*.

**When to leave it alone.** When the address is the permission: links in mails, pings, callbacks of
OAuth.

**How to fix it.** Ask for POST, with ``@require_POST`` and a form with a button.

*Source:* `RFC 9110, safe methods <https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1>`__,
`Cross Site Request Forgery protection
<https://docs.djangoproject.com/en/stable/ref/csrf/>`__.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django_dbaudit.analysis import lazy_rows
from django_dbaudit.analysis.steps import Step, ViewSteps
from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.finding import Finding, Fix, Related, Severity, Subject
from django_dbaudit.project.effects.tree import Call, Write
from django_dbaudit.project.views import View
from django_dbaudit.rule import Rule

rule = Rule(code="TXN022", severity=Severity.INFO, since="0.1")

SAFE = ("GET", "HEAD", "OPTIONS")
#: Fields that tell when or how often somebody has looked.
SEEN = re.compile(
    r"(^|_)(last|seen|visit(s|ed|ors?)?|views?|viewed|hits?|access(ed)?|clicks?|count(er)?|reads?|opened)($|_)"
)
#: Tables of what passes by: logs, visits, tokens.
PASSING = re.compile(
    r"log(s|entry|entries)?$|audit|visit|pageview|hit(s)?$|click|token|session|bucket|throttl|event(s)?$"
)


@rule.check
def safe_method_writes(steps: ViewSteps) -> Iterator[Finding]:
    for each, found in steps.items:
        if each.view.method not in SAFE or _is_inherited(each.view, found):
            continue
        lazy = lazy_rows.of(found)
        writes = [step.node for step in found if isinstance(step.node, Write) and step.is_ours]
        writes = [write for write in writes if id(write) not in lazy and _counts(write)]
        if writes:
            yield _finding(each.view, writes)


def _is_inherited(view: View, steps: Sequence[Step]) -> bool:
    """Whether it is a page of the admin that the project did not write itself."""
    first = next((step.node for step in steps if isinstance(step.node, Call)), None)
    return view.kind == "admin" and first is not None and first.origin != "project"


def _finding(view: View, writes: list[Write]) -> Finding:
    tables = list(dict.fromkeys(write.table or "a table" for write in writes))
    deletes = any(write.statement == "delete" for write in writes)
    return rule.finding(
        Subject("view", view.name, method=view.method),
        f"{view.name} writes to {', '.join(tables)} when it is asked with {view.method}.",
        severity=Severity.WARNING if deletes else Severity.INFO,
        evidence={"tables": tables, "routes": list(view.routes)},
        location=view.location,
        related=[
            Related("write", f"{write.how} of {write.model or write.table}", write.location)
            for write in dict.fromkeys(writes)
        ],
        fix=Fix("text", "Ask for POST: @require_POST, or post() in the place of get()."),
    )


def _counts(write: Write) -> bool:
    if is_bookkeeping(write) or write.origin != "project" or PASSING.search(write.table):
        return False
    return not write.fields or not all(SEEN.search(name) for name in write.fields)
