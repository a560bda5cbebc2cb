"""The ``DBAUDIT`` setting: one frozen dataclass, validated, read anew when the setting changes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.core.signals import setting_changed

from django_dbaudit.errors import AuditError

T = TypeVar("T")

#: Seconds. PostgreSQL counts the milliseconds of a timeout in 32 bits.
LONGEST_TIMEOUT = 2_147_483
#: A hundred years, which Python can still count back.
MOST_DAYS = 36_525
#: As seconds, more than thirty years.
LARGEST = 999_999_999

#: Where nought would mean something else than little: each of these is at least so much.
LOWEST = {"history_days": 1, "traffic_days": 1, "flush_seconds": 0.1}

FAIL_ON = ("info", "warning", "error", "never")
SERVER_TIMING = ("nobody", "staff", "users", "all")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which number on a rule speaks up. Each is a positive number; shares lie below 1."""

    #: How long, in seconds, a transaction may sit idle.
    idle_in_transaction_seconds: float = 60
    #: How long, in seconds, one statement may run.
    long_running_query_seconds: float = 60
    #: How long, in seconds, a session may wait for a lock.
    blocked_session_seconds: float = 5
    #: Share of the connections that may be taken.
    connections_share: float = 0.8
    #: Share of a sequence's numbers that may be used up.
    sequence_share: float = 0.7
    #: How many days the statistics must cover before an index is called unused.
    unused_index_days: float = 30
    #: Pages of 8 kB that a table must have; on smaller ones the planner leaves indexes alone.
    unused_index_table_pages: int = 6
    #: Rows from which a foreign key without an index is a warning, below it an information.
    unindexed_foreign_key_rows: int = 1000
    #: Pages of 8 kB that an index must have before a smaller one, or none, is proposed in its place.
    large_index_pages: int = 128
    #: Share of NULLs in a column from which an index is better off without them.
    null_heavy_share: float = 0.9
    #: Share of a table's rows that each value of a column must have for an index on it to be of no help.
    low_selectivity_share: float = 0.1
    #: Scans a day from which an index on a column of few values is in use all the same.
    low_selectivity_scans_per_day: float = 1
    #: How many days the statistics must cover before an index on few values is called little used.
    low_selectivity_days: float = 7
    #: Rows from which it matters that a table is read from end to end.
    sequential_scan_rows: int = 10_000
    #: Pages of 8 kB from which it matters that a table is read from end to end.
    sequential_scan_pages: int = 500
    #: How often a day a table may be read from end to end: nightly jobs and backups do that.
    sequential_scans_per_day: float = 24
    #: Rows read a day by sequential scans from which they are a warning, below it an information.
    sequential_rows_per_day: int = 100_000_000
    #: How many days the statistics must cover before scans are counted by the day.
    sequential_scan_days: float = 1
    #: How often one line may ask, or write, the same in one request before it is a loop over rows.
    repeated_queries: int = 3
    #: Rows that a query without a LIMIT may return to one request.
    unbounded_result_rows: int = 1_000
    #: Statements that one request may send.
    too_many_queries: int = 50
    #: Milliseconds that a query may take on average.
    slow_query_milliseconds: float = 100
    #: Share of an index that a rebuild must win for it to be bloated.
    bloated_index_share: float = 0.45
    #: Pages of 8 kB that a rebuild must win to be worth a word: 1 MB.
    bloated_index_pages: int = 128
    #: Pages of 8 kB that a rebuild must win to be a warning, below it an information: 100 MB.
    bloated_index_warning_pages: int = 12_800
    #: How many times what an index saves it must cost before it is called rarely used.
    rarely_used_cost_ratio: float = 5
    #: Scans a day above which an index is in use, whatever it costs.
    rarely_used_scans_per_day: float = 10
    #: Entries written a day below which what an index costs does not matter.
    rarely_used_writes_per_day: float = 1000
    #: How many days the statistics must cover before an index is called rarely used.
    rarely_used_days: float = 30
    #: Rows that a table must have before an index on it is proposed.
    missing_index_rows: int = 10_000
    #: Seconds a day that a proven index must save to be a warning; below it is an information.
    missing_index_seconds_per_day: float = 60
    #: Seconds a day that an index must save to be proposed at all.
    missing_index_least_seconds_per_day: float = 1
    #: Share of a statement's cost that an index must save before it is proposed for it.
    missing_index_cost_share: float = 0.3


@dataclass(frozen=True, slots=True)
class Config:
    """All that ``settings.DBAUDIT`` may say, in lower case; the setting's keys are upper case."""

    #: Rules to run: codes, prefixes of codes, or names. Empty: all.
    select: tuple[str, ...] = ()
    #: Rules to leave out, as in ``select``.
    ignore: tuple[str, ...] = ()
    #: The lowest severity that makes the exit status 1.
    fail_on: str = "warning"
    #: Path of a baseline file to compare with.
    baseline: str = ""
    #: Bound, in seconds, of every statement that we send.
    statement_timeout: float = 15
    #: Bound, in seconds, of every wait for a lock.
    lock_timeout: float = 1
    #: Bound, in seconds, of opening a connection, unless the alias sets one itself.
    connect_timeout: float = 10
    #: Whether to see queries at all; without the middleware it costs half a microsecond a query.
    record: bool = True
    #: Directories whose code is the project's, besides all that is not installed as a package.
    project_paths: tuple[str, ...] = ()
    #: How much of the indexes, in MB, one look at a database may read with pgstattuple; 0: nothing.
    pgstattuple_megabytes: int = 512
    #: Alias of the PostgreSQL database with our own tables, where ``migrate`` has made them.
    store: str = "default"
    #: How many days of records ``indexreport --snapshot`` keeps there.
    history_days: int = 400
    #: Whether what the middleware records is kept there, for ``queryreport`` and ``dbaudit``.
    keep_traffic: bool = True
    #: How many days of traffic are kept there.
    traffic_days: int = 30
    #: Every how many seconds a process writes what it has counted.
    flush_seconds: float = 10
    #: Share of the requests that are recorded: one in each row of 1 / SAMPLE_SHARE, chosen by lot.
    sample_share: float = 1
    #: Who gets a ``Server-Timing`` header: ``nobody``, ``staff``, ``users`` (who are logged in) or ``all``.
    server_timing: str = "nobody"
    #: Whether each statement begins with a comment that names the view, in the form of sqlcommenter.
    tag_queries: bool = False
    #: Bound, in seconds, of all that the planner is asked about statements on record, together.
    planning_timeout: float = 20
    #: How many of the statements that took most time the planner is asked about.
    planned_statements: int = 100
    thresholds: Thresholds = field(default_factory=Thresholds)


@functools.cache
def get_config() -> Config:
    """The project's configuration; an `AuditError` names a wrong key or value and the right ones."""
    return parse(getattr(settings, "DBAUDIT", {}))


def parse(value: object) -> Config:
    """Check what ``settings.DBAUDIT`` holds and make a `Config` of it."""
    config = _build(Config, value, "DBAUDIT")
    if config.fail_on not in FAIL_ON:
        raise AuditError(
            f"DBAUDIT['FAIL_ON'] is {config.fail_on!r}; it must be one of {', '.join(FAIL_ON)}."
        )
    if config.server_timing not in SERVER_TIMING:
        raise AuditError(
            f"DBAUDIT['SERVER_TIMING'] is {config.server_timing!r}; "
            f"it must be one of {', '.join(SERVER_TIMING)}."
        )
    return config


def _build(cls: type[T], value: object, where: str) -> T:
    if not isinstance(value, Mapping):
        raise AuditError(f"{where} is {value!r}; it must be a dict with upper-case keys.")
    fields = {each.name.upper(): each for each in dataclasses.fields(cls)}  # type: ignore[arg-type]  # cls is one of our two dataclasses
    for key in value:
        if key not in fields:
            allowed = ", ".join(sorted(fields))
            raise AuditError(f"{where} has an unknown key {key!r}; it may have: {allowed}.")
    return cls(
        **{
            fields[key].name: _checked(fields[key], given, f"{where}[{key!r}]")
            for key, given in value.items()
        }
    )


def _checked(spec: dataclasses.Field[Any], value: object, where: str) -> object:
    if spec.type == "Thresholds":
        return _build(Thresholds, value, where)
    if spec.type == "bool":
        if not isinstance(value, bool):
            raise AuditError(f"{where} is {value!r}; it must be True or False.")
        return value
    if spec.type == "str":
        if not isinstance(value, str):
            raise AuditError(f"{where} is {value!r}; it must be a string.")
        return value
    if spec.type == "tuple[str, ...]":
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise AuditError(f"{where} is {value!r}; it must be a list of strings.")
        return tuple(value)
    return _number(spec, value, where)


def _number(spec: dataclasses.Field[Any], value: object, where: str) -> float:
    whole = spec.type == "int"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise AuditError(f"{where} is {value!r}; it must be {'a whole' if whole else 'a'} number.")
    # Zero would switch a timeout off altogether, and no timeout is what we promise never to have.
    is_timeout = "timeout" in spec.name
    lowest = 0.001 if is_timeout else LOWEST.get(spec.name, 0)
    highest = LONGEST_TIMEOUT if is_timeout else MOST_DAYS if spec.name.endswith("_days") else LARGEST
    if not lowest <= value <= highest:
        raise AuditError(f"{where} is {value!r}; it must be at least {lowest} and at most {highest}.")
    if spec.name.endswith("_share") and value > 1:
        raise AuditError(f"{where} is {value!r}; a share lies between 0 and 1.")
    return value


def _reset(*, setting: str, **_: object) -> None:
    if setting == "DBAUDIT":
        get_config.cache_clear()


setting_changed.connect(_reset, dispatch_uid="django_dbaudit.conf")
