"""Metrics and span attributes, through the SDK with readers that keep them in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from django_dbaudit.traffic import handlers, recorder, trouble

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from django_dbaudit.integrations import opentelemetry as ours
from flavors.models import Category, Flavor

pytestmark = pytest.mark.django_db


class Seen:
    """What the project's providers would send on."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider(metric_readers=[self._reader])
        self.exporter = InMemorySpanExporter()
        self._tracers = TracerProvider()
        self._tracers.add_span_processor(SimpleSpanProcessor(self.exporter))

    def get(self, path: str) -> None:
        with self._tracers.get_tracer("test").start_as_current_span("request"):
            answer: Any = Client(raise_request_exception=False).get(path)
            if answer.streaming:
                answer.getvalue()

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    @property
    def span(self) -> dict[str, Any]:
        (span,) = self.exporter.get_finished_spans()
        return dict(span.attributes or {})


@pytest.fixture
def seen() -> Iterator[Seen]:
    found = Seen()
    trouble.rearm()
    with handlers.watched():
        ours.instrument(found.meters)
        ours.instrument(found.meters)
        yield found
        ours.uninstrument()


@pytest.fixture(autouse=True)
def shop(db: None) -> None:
    """Four categories, with a flavor each."""
    for n in range(4):
        category = Category.objects.create(name=f"category {n}")
        Flavor.objects.create(title=f"flavor {n}", slug=f"flavor-{n}", category=category, price=n + 1)


def test_a_request_is_measured_once_under_the_names_of_the_conventions(seen: Seen) -> None:
    seen.get("/flavors/")
    (point,) = seen.points("dbaudit.request.queries")
    (reads,) = seen.points("dbaudit.reads")
    assert point.count == 1
    assert point.sum == reads.value > 0
    assert point.attributes == {
        "code.function.name": "flavors.views.FlavorList",
        "http.request.method": "GET",
        "http.route": "flavors/",
        "db.system.name": "postgresql",
    }


def test_the_span_of_the_request_has_the_numbers(seen: Seen) -> None:
    seen.get("/flavors/")
    (point,) = seen.points("dbaudit.request.queries")
    assert seen.span["dbaudit.queries"] == point.sum
    assert seen.span["dbaudit.writes"] == 0
    assert 0 < seen.span["dbaudit.query.duration"] < 60


def test_a_request_that_finds_no_view_has_no_route(seen: Seen) -> None:
    seen.get("/nowhere/at/all/")
    (point,) = seen.points("dbaudit.request.queries")
    assert "http.route" not in point.attributes
    assert point.attributes["code.function.name"] == "(no view)"


def test_a_loop_over_rows_is_counted(seen: Seen) -> None:
    seen.get("/flavors/categories/counted-late/")
    (point,) = seen.points("dbaudit.n_plus_one")
    assert point.value == seen.span["dbaudit.n_plus_one"] == 1


def test_a_view_that_fails_is_told_from_others(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("flavors.views.FlavorList.get_queryset", broken)
    seen.get("/flavors/")
    (point,) = seen.points("dbaudit.request.queries")
    assert point.attributes["error.type"] == "500"


def test_a_defect_of_ours_costs_the_numbers_and_not_the_request(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ours, "_attributes", broken)
    with caplog.at_level(logging.ERROR):
        seen.get("/flavors/")
    assert seen.points("dbaudit.request.queries") == []
    assert "Recording traffic failed" in caplog.text


def test_nothing_is_measured_any_more_once_it_is_taken_away(seen: Seen) -> None:
    ours.uninstrument()
    ours.uninstrument()
    seen.get("/flavors/")
    assert seen.points("dbaudit.request.queries") == []
    assert not any(isinstance(each, ours._Instruments) for each in recorder.listeners)
