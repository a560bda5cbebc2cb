"""A route for each situation, named like it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from django.urls import path

from situations import batches, eager, forms, innocent, loops, more_writes, pages, querysets, reads, writes

MODULES = (reads, writes, more_writes, innocent, querysets, eager, loops, batches, pages, forms)


def views_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Functions of the module that take a request, and what ``as_view()`` made."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__ in (module.__name__, "django.views.generic.base", "rest_framework.views")
        and "request" in inspect.signature(value).parameters
    }


#: By name, which is unique.
SITUATIONS = {name: view for module in MODULES for name, view in views_of(module).items()}

urlpatterns = [path(name, view, name=name) for name, view in SITUATIONS.items()]
