"""How numbers, names and durations are said in messages."""

from __future__ import annotations

from datetime import timedelta


def size(bytes_: int) -> str:
    """
    >>> size(16384), size(5 * 1024**3)
    ('16 kB', '5.0 GB')
    """
    value = float(bytes_)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit in ("bytes", "kB") else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def duration(time: timedelta) -> str:
    """
    >>> duration(timedelta(seconds=95)), duration(timedelta(days=3, hours=2))
    ('1 min 35 s', '3 d 2 h')
    >>> duration(timedelta(seconds=1.23))
    '1.2 s'
    """
    seconds = int(time.total_seconds())
    if seconds < 10:
        return f"{time.total_seconds():.1f} s"
    for unit, length, smaller, step in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if seconds >= length:
            rest = seconds % length // step
            return f"{seconds // length} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "row"), count(2500, "row")
    ('1 row', '2,500 rows')
    """
    plural = {"entry": "entries", "index": "indexes", "query": "queries"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def percent(share: float) -> str:
    """Rounded down, because 99.99 % used up is not yet 100 %.

    >>> percent(0.93132), percent(0.99999)
    ('93.1 %', '99.9 %')
    """
    return f"{int(share * 1000) / 10:.1f} %"


def quote(*names: str) -> str:
    """An identifier for SQL, in parts.

    >>> quote("public", 'odd"name')
    '"public"."odd""name"'
    """
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
