"""The fact: of every view and method, what it may do. Apart from what reads it, which is slow to load."""

from __future__ import annotations

from dataclasses import dataclass

from django_dbaudit.project.effects.remarks import Remark
from django_dbaudit.project.effects.tree import Node
from django_dbaudit.project.views import UrlProblem, View


@dataclass(frozen=True, slots=True)
class ViewEffects:
    """What one view may do for one HTTP method; with the block of ``ATOMIC_REQUESTS``, if there is one."""

    view: View
    body: Node


@dataclass(frozen=True, slots=True)
class Effects:
    """What every view may do, by name and method."""

    items: tuple[ViewEffects, ...]
    problems: tuple[UrlProblem, ...] = ()
    #: What the authors say of their lines, in comments.
    remarks: tuple[Remark, ...] = ()
