"""The numbers of each request as OpenTelemetry metrics, and as attributes of the span that is current.

Needs ``django-dbaudit[opentelemetry]`` and `TrafficMiddleware`; call `instrument` once in a process,
where the project sets up OpenTelemetry. Nothing is sent that the project's own providers do not send:
no SQL, no parameters, no paths of requests. Names that the semantic conventions have are theirs.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import opentelemetry.metrics
import opentelemetry.trace
from django.db import connections

from django_dbaudit.analysis import call_sites
from django_dbaudit.conf import get_config
from django_dbaudit.traffic import recorder, trouble
from django_dbaudit.traffic.facts import OTHER, ViewTraffic
from django_dbaudit.traffic.recording import Recording
from django_dbaudit.traffic.totals import Answer, Totals
from django_dbaudit.version import NAME, VERSION

#: Words of the semantic conventions for ``db.system.name``, by the module of Django's backend.
SYSTEMS = {
    "postgresql": "postgresql",
    "postgis": "postgresql",
    "mysql": "mysql",
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
    "oracle": "oracle.db",
}
ERROR_STATUS = 500


class _Instruments:
    def __init__(self, provider: opentelemetry.metrics.MeterProvider | None) -> None:
        meter = opentelemetry.metrics.get_meter(NAME, VERSION, meter_provider=provider)
        self._queries = meter.create_histogram(
            "dbaudit.request.queries",
            "{query}",
            "Statements that a request sent, transaction control left out",
        )
        self._duration = meter.create_histogram(
            "dbaudit.request.query.duration", "s", "Time that a request spent in its statements"
        )
        self._units = meter.create_histogram(
            "dbaudit.request.commit_units", "{unit}", "Pieces in which a request committed what it wrote"
        )
        self._reads = meter.create_counter("dbaudit.reads", "{query}", "Statements that read")
        self._writes = meter.create_counter("dbaudit.writes", "{query}", "Statements that write")
        self._duplicates = meter.create_counter(
            "dbaudit.duplicates",
            "{query}",
            "Statements that an earlier one of the same request had answered",
        )
        self._loops = meter.create_counter(
            "dbaudit.n_plus_one", "{loop}", "Lines that asked anew for each of several rows of a request"
        )

    def __call__(self, recording: Recording, answer: Answer) -> None:
        try:
            totals = Totals()
            totals.add(recording, answer)
            for view in totals.take().views:
                self._note(view, answer)
        except Exception:  # noqa: BLE001  # whatever goes wrong with us, the request goes on
            trouble.tell()

    def _note(self, view: ViewTraffic, answer: Answer) -> None:
        attributes = _attributes(view, answer)
        loops = len(call_sites.read_in_loops(view, get_config().thresholds))
        self._reads.add(view.executions - view.writes, attributes)
        self._writes.add(view.writes, attributes)
        self._duplicates.add(sum(each.duplicates for each in view.queries), attributes)
        self._loops.add(loops, attributes)
        if not answer.is_new:
            # What came after the response belongs to a request that has been measured.
            return
        units = sum(shape.most_units for shape in view.commits)
        seconds = view.query_microseconds / 1_000_000
        self._queries.record(view.executions, attributes)
        self._duration.record(seconds, attributes)
        self._units.record(units, attributes)
        span = opentelemetry.trace.get_current_span()
        if span.is_recording():
            span.set_attributes(
                {
                    "dbaudit.queries": view.executions,
                    "dbaudit.writes": view.writes,
                    "dbaudit.commit_units": units,
                    "dbaudit.n_plus_one": loops,
                    "dbaudit.query.duration": seconds,
                }
            )


def _attributes(view: ViewTraffic, answer: Answer) -> Mapping[str, Any]:
    attributes = {
        "code.function.name": view.view,
        "http.request.method": "_OTHER" if view.method in ("", OTHER) else view.method,
    }
    if view.route:
        attributes["http.route"] = view.route
    systems = {_system(each.alias) for each in view.queries}
    if len(systems) == 1:
        attributes["db.system.name"] = systems.pop()
    if not 0 < answer.status < ERROR_STATUS:
        attributes["error.type"] = str(answer.status or "exception")
    return attributes


@functools.cache
def _system(alias: str) -> str:
    try:
        engine = str(connections.settings[alias]["ENGINE"])
    except KeyError:
        return "other_sql"
    return SYSTEMS.get(engine.rpartition(".")[2], "other_sql")


_installed: list[_Instruments] = []


def instrument(meter_provider: opentelemetry.metrics.MeterProvider | None = None) -> None:
    """Measure every request from now on, through this provider or the global one. Again: no change."""
    if not _installed:
        _installed.append(_Instruments(meter_provider))
        recorder.listeners.append(_installed[0])


def uninstrument() -> None:
    while _installed:
        recorder.listeners.remove(_installed.pop())
