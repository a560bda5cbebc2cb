"""The path from a view to each of its writes, as lines that a reader can follow."""

from __future__ import annotations

from collections.abc import Iterator

from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.tree import Node

INDENT = "  "


def lines(node: Node, depth: int = 0) -> Iterator[tuple[str, str]]:
    """What is done, indented by what holds it, and where; ways without a write are left out."""
    if not _matters(node):
        return
    text = _said(node)
    if text:
        yield INDENT * depth + text, str(getattr(node, "location", ""))
        depth += 1
    for child in tree.children(node):
        yield from lines(child, depth)


def _matters(node: Node) -> bool:
    shown = (tree.Write, tree.Unresolved, tree.SideEffect)
    return any(
        isinstance(each, shown) or (isinstance(each, tree.Read) and each.locks) for each in tree.walk(node)
    )


def _said(node: Node) -> str:
    if isinstance(node, tree.Call):
        return f"{node.name}()" + (f", receiver of {node.receives}" if node.receives else "")
    if isinstance(node, tree.Write):
        return f"{node.statement.upper()} {node.table or '?'}  {node.how}"
    if isinstance(node, tree.Read):
        return f"SELECT {node.table} FOR UPDATE"
    if isinstance(node, tree.Atomic):
        return _of_block(node)
    if isinstance(node, tree.SideEffect):
        return f"{node.effect}: {node.name}"
    if isinstance(node, tree.Unresolved):
        return f"not resolved: {node.call} ({node.reason})"
    if isinstance(node, tree.Later):
        return f"later, while {node.when}" if node.when != "thread" else "in another thread"
    plain = {tree.Loop: "for each", tree.Branch: "either", tree.Try: "try", tree.OnCommit: "on commit"}
    return plain.get(type(node), "")


def _of_block(node: tree.Atomic) -> str:
    whose = {"django": f"Django's own block, in {node.how}", "request": "ATOMIC_REQUESTS"}
    alias = f" on {node.alias}" if node.alias not in (None, "default") else ""
    return whose.get(node.origin, "atomic block") + alias
