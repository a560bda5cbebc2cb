"""One ``.sql`` file a query. ``name.sql`` serves every version, ``name_post_160000.sql`` 16 and up."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def get(name: str, server_version: int) -> str:
    """The text of the newest form of a query that ``server_version`` understands.

    >>> "pg_stat_activity" in get("sessions", 140000)
    True
    """
    files = {entry.name: entry for entry in resources.files(__name__).iterdir()}
    bands = [int(file[len(name) + 6 : -4]) for file in files if file.startswith(f"{name}_post_")]
    fitting = [band for band in bands if band <= server_version]
    file = f"{name}_post_{max(fitting)}.sql" if fitting else f"{name}.sql"
    return files[file].read_text(encoding="utf-8")
