"""Every labelled view, and the pages for the staff."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from django.urls import path

from corpus import admin, labels


def _path(module: str, name: str) -> Any:
    view: Any = getattr(importlib.import_module(f"corpus.views.{module}"), name)
    route = f"{module}/{name}/"
    if hasattr(view, "as_view"):
        takes_row = hasattr(view, "pk_url_kwarg") or hasattr(view, "lookup_field")
        return path(route, view.as_view(), {"pk": 1} if takes_row else {})
    return path(route, view, {"pk": 1} if "pk" in inspect.signature(view).parameters else {})


urlpatterns = [_path(module, name) for module in labels.modules() for name in labels.views(module)]
urlpatterns.append(path("staff/", admin.site.urls))
