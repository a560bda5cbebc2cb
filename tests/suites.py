"""A small project with a test suite of its own, run as its developers run it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

from django_dbaudit import facts
from django_dbaudit.traffic.facts import Traffic, ViewTraffic

URL = "DBAUDIT_TEST_URL"
PLUGIN = "django_dbaudit.testing.pytest_plugin"
HAS_ENTRY_POINT = any(each.value == PLUGIN for each in entry_points(group="pytest11"))

FILES = {
    "settings.py": """
        import os
        import dj_database_url
        DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
        DATABASES["default"]["TEST"] = {"NAME": os.environ["SHELF_DATABASE"]}
        INSTALLED_APPS = ["shelf"]
        ROOT_URLCONF = "shelf.urls"
        STATIC_URL = "static/"
        SECRET_KEY = "for tests only"
        ALLOWED_HOSTS = ["*"]
        DBAUDIT = {}
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        """,
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
        if __name__ == "__main__":
            import multiprocessing
            from django.core.management import execute_from_command_line
            if "SHELF_START" in os.environ:
                multiprocessing.set_start_method(os.environ["SHELF_START"], force=True)
            execute_from_command_line(sys.argv)
        """,
    "shelf/__init__.py": "",
    "shelf/models.py": """
        from django.db import models
        class Author(models.Model):
            name = models.CharField(max_length=20)
        class Book(models.Model):
            title = models.CharField(max_length=20)
            author = models.ForeignKey(Author, models.CASCADE)
        """,
    "shelf/services.py": """
        from shelf.models import Book
        def names():
            return [book.author.name for book in Book.objects.all()]
        def stock():
            from shelf.models import Author
            for n in range(4):
                Book.objects.create(title=str(n), author=Author.objects.create(name=str(n)))
        """,
    "shelf/views.py": """
        from django.http import HttpResponse, StreamingHttpResponse
        from shelf import services
        from shelf.models import Book
        def loop(request):
            return HttpResponse(", ".join(services.names()))
        def joined(request):
            return HttpResponse(", ".join(b.author.name for b in Book.objects.select_related("author")))
        def stream(request):
            return StreamingHttpResponse(b.author.name for b in Book.objects.all())
        async def waiting(request):
            return HttpResponse(", ".join([b.title async for b in Book.objects.all()]))
        def failing(request):
            Book.objects.count()
            raise ZeroDivisionError
        """,
    "shelf/urls.py": """
        from django.urls import path
        from shelf import views
        urlpatterns = [
            path(f"{name}/", getattr(views, name))
            for name in ("loop", "joined", "stream", "waiting", "failing")
        ]
        """,
}


@dataclass(frozen=True)
class Run:
    """What came of running the suite."""

    status: int
    output: str

    def passed(self, number: int) -> bool:
        return self.status == 0 and f"{number} passed" in self.output

    def failed(self, number: int) -> bool:
        return self.status == 1 and f"{number} failed" in self.output


class Suite:
    """The project in ``place``; `write` adds to it, `pytest` and `manage` run it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._database = f"test_shelf_{uuid.uuid4().hex[:12]}"
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> Path:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def pytest(self, *arguments: str) -> Run:
        # Named where the package under test is not installed with its entry points.
        named = () if HAS_ENTRY_POINT else ("-p", PLUGIN)
        return self.run(
            *(
                "-m",
                "pytest",
                "-W",
                "error",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:randomly",
                "-p",
                "no:asyncio",
            ),
            *named,
            *arguments,
        )

    def manage(self, *arguments: str, **environment: str) -> Run:
        return self.run("manage.py", *arguments, **environment)

    def run(self, *arguments: str, **environment: str) -> Run:
        package = Path(facts.__file__).parent.parent
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.place,
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith("PYTEST")},
                "PYTHONPATH": os.pathsep.join([str(self.place), str(package)]),
                "DJANGO_SETTINGS_MODULE": "settings",
                "DATABASE_URL": os.environ[URL],
                "SHELF_DATABASE": self._database,
                "NO_COLOR": "1",
                "COLUMNS": "200",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        return Run(done.returncode, done.stdout)

    def traffic(self, name: str = "traffic.json") -> Traffic:
        """What the facts file holds."""
        loaded: Traffic = facts.load(self.place / name).code[Traffic]
        return loaded

    def views(self, name: str = "traffic.json") -> dict[str, ViewTraffic]:
        return {each.view: each for each in self.traffic(name).views}

    def baseline(self, name: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = json.loads((self.place / name).read_text())["findings"]
        return entries
