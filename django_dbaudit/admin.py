"""The recorded traffic in Django's admin: for reading, to whoever may view it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from django_dbaudit.models import (
    RecordedCommit,
    RecordedEagerLoad,
    RecordedQuery,
    RecordedQuerySet,
    RecordedView,
    TrafficRecord,
    ViewPart,
)

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic in its stubs alone.
    _ModelAdmin = admin.ModelAdmin

#: Parts of a view that its page shows, at most: those first that cost most, or came most often.
MOST_PARTS = 200


class ReadOnly:
    """Nobody changes what was measured; who may view it is a matter of permissions, as ever."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:,.1f}"


def _line(site: dict[str, Any]) -> str:
    return f"{site['path']}:{site['line']}" if site["line"] else "-"


class TrafficAdmin(ReadOnly, _ModelAdmin):
    """What the pages of all kinds share. The key is shown field by field, as nobody wants to read JSON."""

    date_hierarchy = "day"
    list_per_page = 50
    # Counting all rows besides those that are found would be one more query a page.
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        counters = [each.name for each in self.opts.concrete_fields]
        return ["day", "described", *(each for each in counters if each not in _NOT_SHOWN)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description="what")
    def described(self, record: TrafficRecord) -> SafeString:
        return format_html_join("", "<div><b>{}</b> {}</div>", _told(record.key))


_NOT_SHOWN = frozenset({"id", "identity", "day", "key", "view"})


def _told(key: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _plain(value)) for name, value in key.items() if value not in ("", [])]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return _line(value) if value.keys() >= {"path", "line"} and "tables" not in value else _unit(value)
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)


def _unit(unit: dict[str, Any]) -> str:
    return f"{unit['kind']} ({', '.join(unit['tables'])}) at {_line(unit['site'])}"


@admin.register(RecordedView)
class RecordedViewAdmin(TrafficAdmin):
    """A view's requests by one method and route, on one day; its page shows what its lines asked."""

    list_display = (
        "__str__", "route", "day", "requests", "executions", "most_executions", "writes", "milliseconds",
    )  # fmt: skip
    search_fields = ("key__view", "key__route")
    ordering = ("-day", "-query_microseconds", "id")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [*super().get_fields(request, obj), "lines"]

    @admin.display
    def route(self, view: RecordedView) -> str:
        return str(view.key["route"])

    @admin.display(description="ms in queries", ordering="query_microseconds")
    def milliseconds(self, view: RecordedView) -> str:
        return _milliseconds(view.query_microseconds)

    @admin.display(description="what its lines ask")
    def lines(self, view: RecordedView) -> SafeString:
        asked = RecordedQuery.objects.filter(view=view).order_by("-microseconds", "id")[:MOST_PARTS]
        return format_html_join(
            "",
            "<div><b>{}</b> {} &times; {} in {} ms: <code>{}</code></div>",
            (
                (
                    _line(each.key["site"]),
                    each.key["how"],
                    each.executions,
                    _milliseconds(each.microseconds),
                    each.key["fingerprint"],
                )
                for each in asked
            ),
        )


class PartAdmin(TrafficAdmin):
    """Parts of views, with the view beside them: by a join, not by a query a row."""

    list_select_related = ("view",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["of", *super().get_fields(request, obj)]

    @admin.display(description="view", ordering="view__key__view")
    def of(self, part: ViewPart) -> str:
        return str(part.view)

    @admin.display
    def site(self, part: ViewPart) -> str:
        return _line(part.key["site"])

    @admin.display
    def how(self, part: ViewPart) -> str:
        key = part.key
        return str(key["how"]) if "how" in key else ", ".join(key["hows"]) or "never executed"


@admin.register(RecordedQuery)
class RecordedQueryAdmin(PartAdmin):
    list_display = (
        "__str__", "of", "site", "how", "day", "executions", "most_executions", "rows", "milliseconds",
    )  # fmt: skip
    search_fields = ("view__key__view", "key__fingerprint", "key__site__path")
    ordering = ("-day", "-microseconds", "id")

    @admin.display(description="ms", ordering="microseconds")
    def milliseconds(self, query: RecordedQuery) -> str:
        return _milliseconds(query.microseconds)


@admin.register(RecordedQuerySet)
class RecordedQuerySetAdmin(PartAdmin):
    list_display = ("__str__", "of", "site", "how", "day", "built", "executions", "fetched", "unread")
    search_fields = ("view__key__view",)
    ordering = ("-day", "-executions", "id")


@admin.register(RecordedEagerLoad)
class RecordedEagerLoadAdmin(PartAdmin):
    list_display = ("__str__", "of", "site", "day", "requests", "loads", "reads")
    search_fields = ("view__key__view",)
    ordering = ("-day", "-loads", "id")


@admin.register(RecordedCommit)
class RecordedCommitAdmin(PartAdmin):
    list_display = ("__str__", "of", "day", "requests", "most_units", "rolled_back", "failed_requests")
    search_fields = ("view__key__view",)
    ordering = ("-day", "-most_units", "id")
