"""What happens when the response is closed: the receivers of ``request_finished``.

Only where somebody besides Django itself listens. The recording begins when the response is closed
and is over with our own receiver, which is connected when the middleware is loaded: after all others.
"""

from __future__ import annotations

from typing import Any

from django.core.signals import request_finished

from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.recording import Recording, current
from django_dbaudit.traffic.totals import Answer

_DISPATCH_UID = "django_dbaudit.traffic.aftermath"


class _Receivers:
    """How many there are that matter; counted anew when their number changes."""

    known = -1
    of_projects = 0


def install() -> None:
    request_finished.disconnect(dispatch_uid=_DISPATCH_UID)
    request_finished.connect(_finished, dispatch_uid=_DISPATCH_UID)
    _Receivers.known = -1


def is_awaited() -> bool:
    """Whether anybody's receiver will run that may ask the database."""
    receivers = request_finished.receivers
    if len(receivers) != _Receivers.known:
        _Receivers.known = len(receivers)
        live = [each() if hasattr(each, "__callback__") else each for _, each, *_ in receivers]
        modules = [str(getattr(each, "__module__", "")) for each in live if each is not None]
        _Receivers.of_projects = sum(
            not module.startswith(("django.", "django_dbaudit.")) for module in modules
        )
    return _Receivers.of_projects > 0


def follow(response: Any, recording: Recording, answer: Answer) -> None:
    """Record what is done once the response is closed, as part of the same request."""

    def begin() -> None:
        rest = Recording()
        rest.parent = recording.parent
        rest.default_phase = "after-response"
        rest.rest_of = Answer(answer.view, is_new=False)
        current.set(rest)

    # As in `streams`: no public way.
    response._resource_closers.append(begin)  # noqa: SLF001  # as said


def _finished(**_: object) -> None:
    rest = current.get()
    if rest is None or rest.rest_of is None:
        return
    current.set(rest.parent)
    rest.is_open = False
    try:
        recorder.deliver(rest, rest.rest_of)
    except RecursionError:
        pass  # a full stack: see trouble.tell
    except Exception:  # noqa: BLE001  # whatever goes wrong with us, the response is closed
        trouble.tell()
