"""From a running frame to the line of the project, or of its template, that asked.

A walk up the stack costs a fraction of a microsecond for each frame. So what a walk finds is kept as
a `Trail`: the next time the same SQL comes, two looks at the stack, at known depths, tell whether it
comes the same way, however deep the stack is.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any
from weakref import WeakValueDictionary

from django_dbaudit.traffic import frames
from django_dbaudit.traffic.budget import Budget
from django_dbaudit.traffic.facts import NOWHERE, OTHER, CallSite
from django_dbaudit.traffic.frames import CodeInfo, Owner
from django_dbaudit.traffic.how import NO_OBJECT, PREFETCHING, STICKY
from django_dbaudit.traffic.sql import Statement

#: Frames that a walk goes up at most.
HIGHEST = 400
#: What a site takes, and a probe, besides the characters of its fingerprint; and a weak reference to each.
SITE_BYTES, PROBE_BYTES = 700, 650


class Site:
    """A line that asks, not yet looked up: a code object holds no more than what it was compiled from."""

    __slots__ = ("__weakref__", "_call_site", "code", "instruction", "kind", "line", "path")

    def __init__(self, kind: str, code: CodeType | None, instruction: int, path: str, line: int) -> None:
        self.kind = kind
        self.code = code
        #: Offset in the code.
        self.instruction = instruction
        self.path = path
        self.line = line
        self._call_site: CallSite | None = None

    @property
    def is_own(self) -> bool:
        """The project's."""
        return self.kind in ("code", "template")

    @property
    def call_site(self) -> CallSite:
        found = self._call_site
        if found is None:
            path, line, function = self.path, self.line, ""
            if self.code is not None:
                path, line = self.code.co_filename, _line(self.code, self.instruction)
                # Python 3.11 and later.
                function = getattr(self.code, "co_qualname", self.code.co_name)
            found = self._call_site = CallSite(self.kind, frames.shown(path), line, function)
        return found


def _line(code: CodeType, instruction: int) -> int:
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


_sites: dict[tuple[object, int], Site] = {}
_sites_budget = Budget(1_500_000, _sites)
#: Those that somebody holds as well, found again when the cache was emptied: a request that is on its way
#: must not count one line as two.
_held_sites: WeakValueDictionary[tuple[object, int], Site] = WeakValueDictionary()


def _interned(key: tuple[object, int], *values: Any) -> Site:
    found = _sites.get(key) or _held_sites.get(key)
    if found is None:
        found = Site(*values)
        # The site may be all that holds the code: that of a string that was executed, say.
        _sites_budget.spend(SITE_BYTES + sys.getsizeof(found.code or found.path))
        _sites[key] = _held_sites[key] = found
    return found


def site_of(frame: FrameType, kind: str) -> Site:
    code, instruction = frame.f_code, frame.f_lasti
    # By id, which is safe as long as the site holds the code.
    return _interned((id(code), instruction), kind, code, instruction, "", 0)


def site_of_line(frame: FrameType) -> Site:
    """The line of the project's at which a coroutine is: the same whether it runs or is suspended there."""
    code, line = frame.f_code, frame.f_lineno
    instruction = next((start for start, _, each in code.co_lines() if each == line), frame.f_lasti)
    return _interned((id(code), instruction), "code", code, instruction, "", 0)


def site_of_node(node: Any) -> Site:
    """The line of a template's node; both attributes are Django's public ones for debugging."""
    path, line = _place(node)
    return _interned((path, line), "template", None, 0, path, line)


def _place(node: Any) -> tuple[str, int]:
    token, origin = getattr(node, "token", None), getattr(node, "origin", None)
    return str(getattr(origin, "name", None) or "<template>"), getattr(token, "lineno", None) or 0


UNKNOWN = Site("nowhere", None, 0, "", 0)
UNKNOWN._call_site = NOWHERE  # noqa: SLF001  # the one that is known from the beginning


_getframe = sys._getframe  # noqa: SLF001  # CPython's, and documented


class Trail:
    """How a text came to be executed, and how to tell that it comes the same way again.

    The frame at ``depth`` is where the site is. The frame at ``anchor_depth`` is the one that tells the
    phase, or the last of the stack: with the same at the same depth, nothing else can lie between. Depths
    count from `Recording.note`.
    """

    __slots__ = (
        "alias", "anchor_code", "anchor_depth", "code", "depth", "gives_objects", "how", "instruction",
        "is_orm", "kind", "node_line", "node_path", "node_type", "phase", "probe", "probes", "relation",
        "rendered_at", "site", "statement",
    )  # fmt: skip

    def __init__(self, alias: str, statement: Statement) -> None:
        self.alias = alias
        self.statement = statement
        self.kind = statement.kind
        #: No depth of an anchor: it is the site's own frame.
        self.depth = self.anchor_depth = 0
        self.code: CodeType | None = None
        self.anchor_code: CodeType | None = None
        self.instruction = 0
        #: Place of the template's node at the anchor; no line: it is none.
        self.node_path, self.node_line = "", 0
        self.node_type: type = object
        self.site: Site | None = None
        self.rendered_at = UNKNOWN
        self.how = self.phase = self.relation = ""
        self.is_orm = self.gives_objects = False
        #: What executions by this trail are counted under: one, or by what else it depends on.
        self.probe: Probe | None = None
        self.probes: dict[tuple[str, Site], Probe] = {}

    def is_here(self, alias: str) -> bool:
        """Whether it is this way now. Called by `trails.find`, which is called by `Recording.note`."""
        try:
            frame = _getframe(self.depth + 2)
            if frame.f_code is not self.code or frame.f_lasti != self.instruction or self.alias != alias:
                return False
            if not self.anchor_depth:
                return True
            anchor = _getframe(self.anchor_depth + 2)
        except ValueError:
            # The stack is not that deep.
            return False
        return anchor.f_code is self.anchor_code and (not self.node_line or self.leads_past(anchor))

    def leads_past(self, anchor: FrameType) -> bool:
        """Whether the template's node at the anchor is the one that it was."""
        node = anchor.f_locals.get("self")
        return type(node) is self.node_type and _place(node) == (self.node_path, self.node_line)


class Probe:
    """What is counted as one: the key of `facts.QueryTraffic`, but for the unit. Compared by identity."""

    __slots__ = ("__weakref__", "alias", "how", "phase", "relation", "rendered_at", "site", "statement")

    def __init__(self, trail: Trail, phase: str, site: Site) -> None:
        self.alias = trail.alias
        self.statement = trail.statement
        self.site = site
        self.rendered_at = trail.rendered_at
        self.phase = phase
        self.how = trail.how
        self.relation = trail.relation


#: In place of what finds no room.
OTHER_PROBE = Probe(
    Trail("", Statement(OTHER, "other", (), "", is_limited=False, conditions=0, leading=0)), "", UNKNOWN
)

_probes: dict[tuple[object, ...], Probe] = {}
_probes_budget = Budget(1_500_000, _probes)
#: As with sites.
_held_probes: WeakValueDictionary[tuple[object, ...], Probe] = WeakValueDictionary()


def probe_of(trail: Trail, phase: str, site: Site) -> Probe:
    """The same one for all texts with the same fingerprint, so that what one request repeats adds up."""
    key = (
        site, phase, trail.statement.fingerprint, trail.how, trail.relation, trail.alias, trail.rendered_at,
    )  # fmt: skip
    found = _probes.get(key) or _held_probes.get(key)
    if found is None:
        _probes_budget.spend(PROBE_BYTES + sys.getsizeof(trail.statement.fingerprint))
        found = _probes[key] = _held_probes[key] = Probe(trail, phase, site)
    return found


def walk(frame: FrameType, alias: str, statement: Statement, relation: str) -> Trail:
    """Go up the stack from ``frame``, which is at depth 1, until site and phase are known.

    ``relation`` is that of the related manager which built the queryset.
    """
    trail = Trail(alias, statement)
    trail.relation = relation
    walker: FrameType | None = frame
    library: FrameType | None = None
    how, weak_phase, last, depth = "", "", frame, 0
    while walker is not None and depth < HIGHEST:
        depth, last = depth + 1, walker
        info = frames.info_of(walker.f_code)
        if trail.site is None:
            how = _how(how, info, walker)
            if info.how:
                trail.relation = _relation(info.how, walker) or trail.relation
            trail.site = _site(info, walker)
            if trail.site is not None:
                trail.depth, trail.code, trail.instruction = depth, walker.f_code, walker.f_lasti
            elif library is None and info.owner is Owner.LIBRARY:
                library = walker
        trail.phase = trail.phase or info.phase
        # The node that a template is rendered by is further out than what it calls.
        if info.is_boundary or (info.phase and (info.is_template_node or info.phase != "template")):
            break
        weak_phase = weak_phase or info.weak_phase
        walker = walker.f_back
    trail.phase = trail.phase or weak_phase
    trail.anchor_depth, trail.anchor_code = depth, last.f_code
    _look_at_node(trail, last)
    _finish(trail, how, library, last.f_lasti)
    if trail.anchor_depth == trail.depth and not trail.node_line:
        trail.anchor_depth = 0
    return trail


def _how(so_far: str, info: CodeInfo, frame: FrameType) -> str:
    """What is done, seen from one frame further out."""
    if so_far == "len" and info.is_for_loop:
        return "iteration"
    if so_far == PREFETCHING and (info.how or info.is_boundary):
        # For the rows of a queryset; of an asynchronous call nobody can tell.
        return "prefetch"
    if info.how == PREFETCHING:
        objects: Any = frame.f_locals.get("model_instances")
        is_one = type(objects) in (list, tuple, set) and len(objects) == 1
        return PREFETCHING if is_one else "prefetch"
    return info.how if info.how and so_far not in STICKY else so_far


def _site(info: CodeInfo, frame: FrameType) -> Site | None:
    if info.is_template_node:
        return site_of_node(frame.f_locals.get("self"))
    return site_of(frame, "code") if is_site(info, frame) else None


def _look_at_node(trail: Trail, anchor: FrameType) -> None:
    if frames.info_of(anchor.f_code).is_template_node:
        node = anchor.f_locals.get("self")
        trail.node_path, trail.node_line = _place(node)
        trail.node_type = type(node)
        if trail.depth != trail.anchor_depth:
            trail.rendered_at = site_of_node(node)


def is_site(info: CodeInfo, frame: FrameType) -> bool:
    if info.owner is not Owner.PROJECT:
        return False
    # A manager's get_queryset builds for whoever calls the manager.
    return not (info.is_get_queryset and frame.f_back and _is_orm(frame.f_back))


def _is_orm(frame: FrameType) -> bool:
    info = frames.info_of(frame.f_code)
    return info.is_django and info.owner is Owner.MACHINERY


def _finish(trail: Trail, how: str, library: FrameType | None, anchor_instruction: int) -> None:
    # prefetch_related_objects() executes the queryset that it is given, a page of rows say.
    if how in ("iteration", "prefetch") and trail.statement.is_limited:
        how = "slice"
    trail.how = how or "cursor"
    trail.is_orm = bool(how)
    trail.gives_objects = trail.statement.kind in ("read", "lock") and how not in NO_OBJECT
    if trail.site is None:
        trail.depth, trail.code = trail.anchor_depth, trail.anchor_code
        trail.instruction = anchor_instruction
        # The project's own line may still be known: from the queryset, where it was built.
        trail.site = None if library is None else site_of(library, "library")
    elif trail.phase:
        trail.probe = probe_of(trail, trail.phase, trail.site)


def _relation(how: str, frame: FrameType) -> str:
    """What a descriptor of Django's stands for; it is only looked at."""
    if how not in ("relation", "deferred-field"):
        return ""
    descriptor = frame.f_locals.get("self")
    field = getattr(descriptor, "field", None) or getattr(descriptor, "related", None) or descriptor
    model = getattr(field, "model", None)
    accessor = getattr(field, "get_accessor_name", None)
    name = accessor() if accessor else getattr(field, "name", "")
    return f"{model._meta.label}.{name}" if model is not None and name else ""


def forget() -> None:
    """Begin with empty caches, as a process does."""
    _sites_budget.clear()
    _probes_budget.clear()
