"""Running our commands: in this process for speed, as a process of its own where that matters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

MANAGE = Path(__file__).parent.parent / "testproject" / "manage.py"


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def fingerprints(self) -> set[str]:
        return {finding["fingerprint"] for finding in self.json["findings"]}


def command(name: str, *arguments: object) -> Result:
    """As ``manage.py name arguments``, in this process."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command(name, *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as stop:
        status = int(stop.code or 0)
    except CommandError as error:
        status = error.returncode
        err.write(str(error))
    return Result(status, out.getvalue(), err.getvalue())


def manage(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """``manage.py arguments`` in a process of its own, warnings and all."""
    return subprocess.run(
        argv(*arguments),
        env={**os.environ, "PYTHONDEVMODE": "1", **environ},
        cwd=MANAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def argv(*arguments: object) -> list[str]:
    return [sys.executable, str(MANAGE), *map(str, arguments)]
