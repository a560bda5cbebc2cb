"""Traffic in tests: fail a test on rules, or record what a whole suite does.

``check`` is for any test; ``RecordingRunner`` for ``manage.py test --testrunner``; ``pytest_plugin``
is pytest's, which loads it in every run: nothing here may be imported before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_dbaudit.testing.checking import check
    from django_dbaudit.testing.runner import RecordingMixin, RecordingRunner

__all__ = ["RecordingMixin", "RecordingRunner", "check"]


def __getattr__(name: str) -> Any:
    if name == "check":
        # As said above.
        from django_dbaudit.testing.checking import check  # noqa: PLC0415  # as above

        return check
    if name in ("RecordingMixin", "RecordingRunner"):
        # As said above; and the runner's base is the project's, which only its settings name.
        from django_dbaudit.testing import runner  # noqa: PLC0415  # as above

        return runner.RecordingMixin if name == "RecordingMixin" else runner.recording_runner()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
