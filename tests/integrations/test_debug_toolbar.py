"""The panel in the real toolbar, in a project of its own: the toolbar wants settings from the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites import Suite

pytest.importorskip("debug_toolbar")

SETTINGS = """
INSTALLED_APPS = ["shelf", "django.contrib.staticfiles", "debug_toolbar"]
MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware"]
PANEL = "django_dbaudit.integrations.debug_toolbar.TrafficPanel"
DEBUG_TOOLBAR_PANELS = ["debug_toolbar.panels.sql.SQLPanel", PANEL]
DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": lambda request: True, "IS_RUNNING_TESTS": False}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
"""
TESTS = """
from debug_toolbar.toolbar import DebugToolbar
from django.test import TestCase
from shelf import services


class OfPanel(TestCase):
    def setUp(self):
        services.stock()
        self.shown = []
        DebugToolbar._created.connect(self.note)
        self.addCleanup(DebugToolbar._created.disconnect, self.note)

    def note(self, toolbar, **_):
        self.shown.append(toolbar)

    def panel(self):
        (toolbar,) = self.shown
        return toolbar.get_panel_by_id("TrafficPanel")

    def test_a_loop_is_counted_named_and_shown(self):
        self.assertEqual(self.client.get("/loop/").status_code, 200)
        panel = self.panel()
        self.assertEqual(panel.nav_subtitle, "5 statements, 1 finding")
        stats = panel.get_stats()
        self.assertEqual([each["code"] for each in stats["findings"]], ["QRY001"])
        self.assertIn("asks for shelf.Book.author 4 times", stats["findings"][0]["message"])
        self.assertEqual(
            sorted((each["where"], each["executions"], each["phase"]) for each in stats["sites"]),
            [("shelf/services.py:3", 1, "view"), ("shelf/services.py:3", 4, "view")],
        )
        self.assertIn("shelf/services.py:3", panel.content)
        self.assertIn("QRY001 n-plus-one", panel.content)

    def test_a_page_without_findings_has_none(self):
        self.client.get("/joined/")
        panel = self.panel()
        self.assertEqual(panel.nav_subtitle, "1 statement")
        self.assertNotIn("Findings", panel.content)

    def test_a_page_without_queries_is_shown(self):
        self.client.get("/nowhere/")
        panel = self.panel()
        self.assertEqual(panel.nav_subtitle, "0 statements")
        self.assertIn("0 statements", panel.content)

    async def test_an_asynchronous_page(self):
        self.assertEqual((await self.async_client.get("/waiting/")).status_code, 200)
        self.assertEqual(self.panel().get_stats()["queries"], 1)

    def test_a_view_that_raises_raises(self):
        with self.assertRaises(ZeroDivisionError):
            self.client.get("/failing/")

    def test_what_a_page_shows_is_escaped(self):
        from django_dbaudit.integrations.debug_toolbar import _template
        from django.template import Context
        self.assertIn("&lt;b&gt;", _template().render(Context({"sites": [{"sql": "<b>"}]})))
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    found = Suite(tmp_path)
    found.write("shelf/tests.py", TESTS)
    with (tmp_path / "settings.py").open("a") as settings:
        settings.write(SETTINGS)
    with (tmp_path / "shelf/urls.py").open("a") as urls:
        urls.write("from django.urls import include\n")
        urls.write('urlpatterns += [path("__debug__/", include("debug_toolbar.urls"))]\n')
    return found


def test_the_panel_in_a_project(suite: Suite) -> None:
    run = suite.pytest("shelf/tests.py")
    assert run.passed(6), run.output


def test_beside_the_middleware_a_request_still_counts_once(suite: Suite) -> None:
    with (suite.place / "settings.py").open("a") as settings:
        settings.write('MIDDLEWARE.insert(0, "django_dbaudit.traffic.middleware.TrafficMiddleware")\n')
    run = suite.pytest("shelf/tests.py", "--dbaudit-record", "traffic.json")
    assert run.passed(6), run.output
    loop = suite.views()["shelf.views.loop"]
    assert (loop.requests, loop.executions) == (1, 5)
