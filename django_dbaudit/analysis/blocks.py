"""What an atomic block holds, and what to call it."""

from __future__ import annotations

from django_dbaudit.analysis.verdicts import is_bookkeeping
from django_dbaudit.project.effects.tree import Atomic, Later, Node, OnCommit, Write, children


def block_named(block: Atomic) -> str:
    """A block as a reader knows it: by its line, by the setting, or by what of Django opens it."""
    if block.origin == "request":
        return "the transaction of ATOMIC_REQUESTS"
    return f"the transaction of {block.how}()" if block.how else f"the atomic block at {block.location}"


def writes_own(block: Atomic) -> bool:
    """Whether more than a framework's bookkeeping would be rolled back with it."""
    return any(not is_bookkeeping(write) for write in writes_within(block))


def writes_within(node: Node) -> list[Write]:
    """The writes that a block holds: not those that run later."""
    if isinstance(node, Write):
        return [node]
    if isinstance(node, (Later, OnCommit)):
        return []
    return [write for child in children(node) for write in writes_within(child)]
