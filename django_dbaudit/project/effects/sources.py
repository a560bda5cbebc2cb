"""From a function to the syntax tree of its source, each file parsed once."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

#: Files whose functions are kept: a tree takes some 100 times the room of its source.
FILES_KEPT = 48


def node_of(code: types.CodeType) -> FunctionNode | None:
    """The definition that was compiled to ``code``; None without source, or with one we cannot parse."""
    return _node(code.co_filename, code.co_firstlineno, code.co_name)


@functools.cache
def _node(path: str, line: int, name: str) -> FunctionNode | None:
    found = [each for each in _around(_parsed(path).body, line) if _begins(each, line, name)]
    # Two lambdas on a line cannot be told apart.
    return found[0] if len(found) == 1 else None


def _around(statements: Iterable[ast.AST], line: int) -> Iterator[FunctionNode]:
    """Functions in the statements that span the line; of the rest of a file nothing is looked at."""
    for statement in statements:
        if not _first_line(statement) <= line <= getattr(statement, "end_lineno", line):
            continue
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield statement
        yield from _around(ast.iter_child_nodes(statement), line)


def _first_line(node: ast.AST) -> int:
    """That of the first decorator, as compiled code has it; below any line where a node has none."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorators[0].lineno if decorators else getattr(node, "lineno", 0)


def _begins(node: FunctionNode, line: int, name: str) -> bool:
    return _first_line(node) == line and getattr(node, "name", "<lambda>") == name


@functools.lru_cache(maxsize=FILES_KEPT)
def _parsed(path: str) -> ast.Module:
    try:
        return ast.parse(Path(path).read_bytes())
    # RecursionError, MemoryError: an expression nested deeper than the parser can hold.
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


@functools.cache
def is_generator(node: FunctionNode) -> bool:
    """Whether calling it makes a generator: a ``yield`` of its own, not of a function within."""
    return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in _own(node))


def _own(node: FunctionNode) -> list[ast.AST]:
    todo: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    own = []
    while todo:
        each = todo.pop()
        own.append(each)
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(each))
    return own


@functools.cache
def mentions_django(path: str) -> bool:
    """Whether a file says ``django`` at all; what does not cannot know a model."""
    try:
        text = Path(path).read_bytes()
    except OSError:
        return False
    return b"django" in text or b"rest_framework" in text
