"""What a frame's code is to us: whose it is, what it does to the database, in which phase it runs.

Looked up once for each code object and kept together with it: the key is the object's id, which
nothing else can take while we hold the object. (A code object's own hash is computed anew each time.)
"""

from __future__ import annotations

import enum
import os
import site
import sys
import sysconfig
from dataclasses import dataclass
from types import CodeType

import django

from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.traffic import how
from django_dbaudit.traffic.budget import Budget

#: What we know of a code object takes, besides the code itself.
INFO_BYTES = 350

DJANGO = os.path.join(os.path.dirname(django.__file__), "")
OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


class Owner(enum.Enum):
    """Whose code it is."""

    #: Between a line and its query, and of no interest itself: the ORM, asgiref, functools, ours.
    MACHINERY = "machinery"
    TEMPLATES = "templates"
    LIBRARY = "library"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, eq=False)
class CodeInfo:
    """What is known of one code object."""

    code: CodeType
    owner: Owner
    #: What the call does, in the words of how.py; empty where it says nothing.
    how: str
    #: The phase that its caller is in; empty where it tells none.
    phase: str
    #: ``Node.render_annotated``, whose ``self`` knows the template's line.
    is_template_node: bool
    #: The phase where no code further out tells one.
    weak_phase: str
    #: Beyond it lies another stack: this one is a thread's that serves an asynchronous caller.
    is_boundary: bool
    #: ``{% for %}``, which takes the length of what it goes through.
    is_for_loop: bool
    #: A manager's ``get_queryset``: where a queryset is made, seldom where it is wanted.
    is_get_queryset: bool
    #: Of the class that Django makes for the manager of a relation.
    is_related: bool
    #: What a manager makes of each method of its queryset; the method's name is its local ``name``.
    is_manager_method: bool
    #: Django's own code.
    is_django: bool


_known: dict[int, CodeInfo] = {}
#: Enough for three thousand functions on the way to a query.
_budget = Budget(3_000_000, _known)


def info_of(code: CodeType) -> CodeInfo:
    known = _known.get(id(code))
    if known is not None:
        return known
    found = _look_at(code)
    _budget.spend(INFO_BYTES + sys.getsizeof(code))
    _known[id(code)] = found
    return found


def forget() -> None:
    """Look anew at every code object: the setting of what is the project's has changed."""
    _budget.clear()
    _roots.clear()


def _look_at(code: CodeType) -> CodeInfo:
    path, name = code.co_filename, code.co_name
    in_django = path[len(DJANGO) :].replace(os.sep, "/") if path.startswith(DJANGO) else ""
    owner = _owner(path, in_django)
    return CodeInfo(
        code=code,
        owner=owner,
        how=how.of(in_django, name),
        phase=how.phase_of(code, in_django, is_ours=path.startswith(OURS)),
        weak_phase=how.weak_phase_of(code),
        is_boundary=name == "thread_handler" and path.endswith(f"asgiref{os.sep}sync.py"),
        is_for_loop=in_django == "template/defaulttags.py" and "len_values" in code.co_varnames,
        is_template_node=in_django == "template/base.py" and name == "render_annotated",
        is_get_queryset=name == "get_queryset" and code.co_varnames[:1] == ("self",),
        is_related=in_django in _RELATED,
        is_manager_method=in_django == "db/models/manager.py" and name == "manager_method",
        is_django=bool(in_django),
    )


# Whose code.

_RELATED = ("db/models/fields/related_descriptors.py", "contrib/contenttypes/fields.py")
_MACHINERY = ("db/", "contrib/contenttypes/fields.py", "contrib/postgres/", "utils/functional.py")
_roots: list[tuple[str, Owner]] = []


def _owner(path: str, in_django: str) -> Owner:
    if in_django.startswith(_MACHINERY):
        return Owner.MACHINERY
    if in_django.startswith("template/"):
        return Owner.TEMPLATES
    if path.startswith("<"):
        # What exec made of a string: a dataclass's methods, a shell's input.
        return Owner.PROJECT if path.startswith(("<console", "<stdin", "<ipython")) else Owner.MACHINERY
    for root, owner in _roots or _find_roots():
        if path.startswith(root):
            return owner
    if f"{os.sep}site-packages{os.sep}" in path or f"{os.sep}dist-packages{os.sep}" in path:
        return Owner.LIBRARY
    return Owner.PROJECT


def _find_roots() -> list[tuple[str, Owner]]:
    """Directories and whose they are; the first that fits counts."""
    packages = {sysconfig.get_path(each) for each in ("purelib", "platlib")} | set(site.getsitepackages())
    packages.add(site.getusersitepackages())
    roots = [(_directory(each), Owner.PROJECT) for each in _project_paths()]
    roots.append((OURS, Owner.MACHINERY))
    roots.extend((os.path.join(each, "asgiref", ""), Owner.MACHINERY) for each in packages)
    roots.extend((_directory(each), Owner.LIBRARY) for each in packages)
    roots.append((DJANGO, Owner.LIBRARY))
    standard = {sysconfig.get_path(each) for each in ("stdlib", "platstdlib")}
    standard.add(os.path.dirname(os.__file__))
    roots.extend((_directory(each), Owner.MACHINERY) for each in standard)
    _roots[:] = roots
    return _roots


def _project_paths() -> tuple[str, ...]:
    try:
        return get_config().project_paths
    except AuditError:
        # Told elsewhere: by the middleware when it is loaded, and by our commands.
        return ()


def _directory(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")


def shown(path: str) -> str:
    """The path as a reader knows it: below the directory of packages, or below the working directory."""
    packages = [root for root, owner in _roots or _find_roots() if owner is Owner.LIBRARY]
    for root in (*packages, os.path.join(os.getcwd(), "")):
        if path.startswith(root) and root != DJANGO:
            return path[len(root) :].replace(os.sep, "/")
    return path.replace(os.sep, "/")
