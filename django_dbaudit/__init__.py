"""Audits of a Django project's PostgreSQL databases; see the commands in ``management``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_dbaudit.traffic.recorder import record

__all__ = ["record"]


def __getattr__(name: str) -> Any:
    if name == "record":
        # Not before it is asked for: an entry in INSTALLED_APPS must not load the ORM.
        from django_dbaudit.traffic.recorder import record  # noqa: PLC0415  # as above

        return record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
