"""One ``.sql`` file a query. ``name.sql`` serves every version, ``name_post_160000.sql`` 16 and up.

What several queries have in common, or what alone differs between versions, is a file of its own: a
line ``-- include name`` stands for it.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

_INCLUDE = re.compile(r"^ *-- include (\w+)$", re.MULTILINE)


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
    text = files[file].read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda line: get(line[1], server_version), text)
