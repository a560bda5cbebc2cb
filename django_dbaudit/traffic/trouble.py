"""What goes wrong with us is told once and hurts nobody."""

from __future__ import annotations

import contextlib
import logging

logger = logging.getLogger("django_dbaudit.traffic")

_is_told = False


def tell() -> None:
    """Log the exception that is being handled, the first time in this process.

    Callers let a `RecursionError` go by in silence before they ask for this: the stack was full, which is
    nobody's fault but the view's, and leaves no room to tell of anything.
    """
    global _is_told  # noqa: PLW0603  # once a process, and this is the process's
    if _is_told:
        return
    _is_told = True
    # A handler of the project's may raise, and the request is to go on even so.
    with contextlib.suppress(Exception):
        logger.exception(  # noqa: LOG004  # our callers handle it
            "Recording traffic failed; the request goes on without it. Told once, and please report it."
        )


def rearm() -> None:
    """Tell the next one again."""
    global _is_told  # noqa: PLW0603  # as above
    _is_told = False
