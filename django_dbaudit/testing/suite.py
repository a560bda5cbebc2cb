"""What the requests of a test suite did, added up beside whatever single tests record for themselves."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable

from django.apps import apps

from django_dbaudit.codec import decode, encode
from django_dbaudit.errors import AuditError
from django_dbaudit.traffic import handlers, recorder, trouble
from django_dbaudit.traffic.facts import Traffic, merge
from django_dbaudit.traffic.recording import Recording
from django_dbaudit.traffic.totals import Answer, Totals


class SuiteRecording:
    """Listens to every request between ``start`` and ``stop``, in all threads of this process."""

    def __init__(self) -> None:
        self._totals = Totals()
        self._watching = contextlib.ExitStack()

    def start(self) -> None:
        if not apps.ready:
            raise AuditError("Django is not set up: is there a DJANGO_SETTINGS_MODULE?")
        self._watching.enter_context(handlers.watched())
        recorder.listeners.append(self._add)

    def stop(self) -> Traffic:
        """End it; what was recorded."""
        with contextlib.suppress(ValueError):
            recorder.listeners.remove(self._add)
        self._watching.close()
        return self._totals.take()

    def _add(self, recording: Recording, answer: Answer) -> None:
        try:
            self._totals.add(recording, answer)
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the test goes on
            trouble.tell()


def pack(traffic: Traffic) -> str:
    """Text in which a process hands its traffic to the one that started it."""
    return json.dumps(encode(traffic))


def unpack(texts: Iterable[str]) -> Traffic:
    return merge(*(decode(Traffic, json.loads(each)) for each in texts))
