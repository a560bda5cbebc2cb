"""A comment before each statement that names the view: in the form of sqlcommenter, and opt-in.

Leading, because ``pg_stat_activity`` cuts off the end of a long statement; the same for all queries of
a view, because a comment that varies with the request would defeat prepared statements.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_dbaudit.traffic import trouble, view_names
from django_dbaudit.traffic.facts import NO_VIEW
from django_dbaudit.traffic.recording import current

_DISPATCH_UID = "django_dbaudit.traffic.tags"
#: Comments that are remembered.
MOST_TAGS = 5_000


@functools.lru_cache(MOST_TAGS)
def comment(view: str, *, is_format: bool) -> str:
    """The comment; where the statement has parameters, ``%`` in it is one that the driver reads.

    >>> comment("shop.views.cart", is_format=True)
    "/*controller='shop.views.cart',framework='django'*/ "
    >>> comment("*/ DROP TABLE x; --'", is_format=True)
    "/*controller='%%2A%%2F%%20DROP%%20TABLE%%20x%%3B%%20--%%27',framework='django'*/ "
    """
    value = quote(view, safe="")
    return f"/*controller='{value.replace('%', '%%') if is_format else value}',framework='django'*/ "


def tag(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute with the comment; see ``connection.execute_wrappers``."""
    recording = current.get()
    # What is not a str is the driver's own composition of SQL.
    if recording is not None and recording.request is not None and type(sql) is str:
        try:
            view = view_names.name(recording.request)[0]
            if view != NO_VIEW:
                sql = comment(view, is_format=params is not None) + sql
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the query is sent
            trouble.tell()
    return execute(sql, params, many, context)


def install() -> None:
    """Tag what all connections send from now on."""
    connection_created.connect(_on_connection, dispatch_uid=_DISPATCH_UID)
    for connection in connections.all(initialized_only=True):
        _on_connection(connection=connection)


def uninstall() -> None:
    connection_created.disconnect(dispatch_uid=_DISPATCH_UID)
    for connection in connections.all(initialized_only=True):
        connection.execute_wrappers[:] = [each for each in connection.execute_wrappers if each is not tag]


def _on_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    # Last, so that the recorder and other tools see the SQL as Django made it.
    if not any(each is tag for each in connection.execute_wrappers):
        connection.execute_wrappers.append(tag)
