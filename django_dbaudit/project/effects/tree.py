"""What a view may do, as a tree: the fact that rules judge.

Steps stand in the order in which they run. A `Call` bounds a ``return`` and names the way from the
view to its writes. Every node knows the line it stands on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from django_dbaudit.finding import Location


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    steps: tuple[Node, ...] = ()
    kind: str = field(default="sequence", init=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """Exactly one of them; an empty sequence is the way past."""

    alternatives: tuple[Node, ...]
    location: Location
    kind: str = field(default="branch", init=False)


@dataclass(frozen=True, slots=True)
class Loop:
    """As often as it likes, or never."""

    body: Node
    location: Location
    kind: str = field(default="loop", init=False)


@dataclass(frozen=True, slots=True)
class Handler:
    """One ``except``."""

    #: Classes by their full name; empty where it catches everything, or what could not be resolved.
    catches: tuple[str, ...]
    #: Whether one of them is, is above or is below ``django.db.Error``.
    catches_database_errors: bool
    body: Node
    location: Location


@dataclass(frozen=True, slots=True)
class Try:
    """``finally`` is ``final``."""

    body: Node
    handlers: tuple[Handler, ...]
    otherwise: Node
    final: Node
    location: Location
    kind: str = field(default="try", init=False)


@dataclass(frozen=True, slots=True)
class Atomic:
    """A block of ``transaction.atomic``. ``alias`` is None where it could not be told."""

    body: Node
    alias: str | None
    #: project, package for an installed one, django for a block Django opens itself, as in
    #: ``Model.delete``, or request for ``ATOMIC_REQUESTS``.
    origin: str
    location: Location
    durable: bool = False
    savepoint: bool = True
    #: What opens it, where Django does: ``QuerySet.update_or_create``.
    how: str = ""
    #: What a decorator was put around, if it cannot hold it: generator or coroutine.
    wraps: str = ""
    kind: str = field(default="atomic", init=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function that was followed into."""

    #: ``module.qualname``; for a receiver of a signal ``receives`` names the signal.
    name: str
    body: Node
    #: Of the call, not of the function.
    location: Location
    receives: str = ""
    is_async: bool = False
    #: Whose function it is: project, or package for an installed one.
    origin: str = "project"
    kind: str = field(default="call", init=False)


@dataclass(frozen=True, slots=True)
class Read:
    """A query that reads. ``how`` is what asked for it: ``get``, ``exists``, ``iterate``."""

    model: str
    table: str
    alias: str | None
    how: str
    location: Location
    #: By ``select_for_update``.
    locks: bool = False
    #: Fields that are compared for equality, as far as they are known.
    fields: tuple[str, ...] = ()
    #: Whether a unique constraint, without a condition, covers these fields; None where it cannot be told.
    is_unique: bool | None = None
    #: Whether something else narrows it too: other comparisons, Q objects, exclude().
    is_narrowed: bool = False
    kind: str = field(default="read", init=False)


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that writes to one table."""

    #: As in ``apps.get_model``: orders.Order; for raw SQL empty.
    model: str
    #: Of raw SQL the name as it is written there; empty where it could not be told.
    table: str
    alias: str | None
    #: insert, update, delete, save where it may be an insert or an update; of raw SQL its first keyword.
    statement: str
    #: What was called: ``Model.save``, ``QuerySet.update``, ``cursor.execute``.
    how: str
    location: Location
    #: ``update_fields``, or what ``update()`` was given; empty for all or unknown.
    fields: tuple[str, ...] = ()
    #: Where the written object came from: created, fetched, locked, or unknown.
    source: str = "unknown"
    #: Fields whose new value was worked out in Python from the object's old ones.
    computed: tuple[str, ...] = ()
    #: Whose code asks for it: project, or package for an installed one.
    origin: str = "project"
    kind: str = field(default="write", init=False)


@dataclass(frozen=True, slots=True)
class SideEffect:
    """Something that no rollback takes back.

    ``effect`` is mail, http, task, cache, file, process, channel, sleep or session.
    """

    effect: str
    name: str
    location: Location
    kind: str = field(default="side_effect", init=False)


@dataclass(frozen=True, slots=True)
class OnCommit:
    """What ``transaction.on_commit`` was given."""

    body: Node
    alias: str | None
    location: Location
    robust: bool = False
    #: A function that takes a name from the loop around it, and so sees the last value alone.
    binds_late: bool = False
    kind: str = field(default="on_commit", init=False)


@dataclass(frozen=True, slots=True)
class Later:
    """What runs after the view has returned, or beside it: ``when`` is streaming, rendering or thread."""

    body: Node
    when: str
    location: Location
    kind: str = field(default="later", init=False)


@dataclass(frozen=True, slots=True)
class Rollback:
    """``transaction.set_rollback(True)``: the block around it will not be committed."""

    alias: str | None
    location: Location
    kind: str = field(default="rollback", init=False)


@dataclass(frozen=True, slots=True)
class Raise:
    """The class by its full name; empty where it could not be told."""

    exception: str
    location: Location
    kind: str = field(default="raise", init=False)


@dataclass(frozen=True, slots=True)
class Return:
    """``status`` is that of the response, where it could be told."""

    location: Location
    status: int | None = None
    kind: str = field(default="return", init=False)


@dataclass(frozen=True, slots=True)
class Leave:
    """A ``break`` or a ``continue``."""

    statement: str
    location: Location
    kind: str = field(default="leave", init=False)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A call that could not be followed: what it may write is not known."""

    call: str
    reason: str
    location: Location
    kind: str = field(default="unresolved", init=False)


Node: TypeAlias = (
    Sequence
    | Branch
    | Loop
    | Try
    | Atomic
    | Call
    | Read
    | Write
    | SideEffect
    | OnCommit
    | Later
    | Rollback
    | Raise
    | Return
    | Leave
    | Unresolved
)

NOTHING = Sequence()


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below, in the order in which they run."""
    if isinstance(node, Sequence):
        return node.steps
    if isinstance(node, Branch):
        return node.alternatives
    if isinstance(node, Try):
        return (node.body, *(each.body for each in node.handlers), node.otherwise, node.final)
    if isinstance(node, (Loop, Atomic, Call, OnCommit, Later)):
        return (node.body,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)
