"""Commits the live sins, those one finds only in the sessions of a server, and holds them."""

from __future__ import annotations

import os
import select
import signal
import stat
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from demo.trouble import trouble
from stock.models import StockItem

STDIN = 0
TICK = 0.1


class Command(BaseCommand):
    help = (
        "Holds sessions that are idle in transaction, blocked, slow and too many. Prints 'ready'"
        " once all are in place, and cleans up after --seconds, SIGTERM, SIGINT or when the pipe"
        " on stdin closes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60, help="How long.")

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        if not 0 < seconds <= 86_400:
            raise CommandError(f"--seconds must be above 0 and at most 86400, not {seconds:g}.")
        if connection.in_atomic_block:
            raise CommandError("Other sessions cannot see what a transaction has not committed.")
        if not StockItem.objects.exists():
            raise CommandError("The shop is empty. Run `manage.py fill` first.", returncode=2)
        with listening() as stop, trouble(seconds):
            self.stdout.write("ready")
            self.stdout.flush()
            stop.wait(seconds)


class Stop:
    """Whether we were told to stop. A plain flag: a signal's handler must not take a lock."""

    def __init__(self) -> None:
        self.told = False
        # A pipe that is closed from the start tells nothing: there is nobody at the other end.
        self.stdin_tells = stdin_is_a_pipe() and not stdin_is_closed(0)

    def tell(self, *_: object) -> None:
        self.told = True

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.told and time.monotonic() < deadline:
            if not self.stdin_tells:
                time.sleep(TICK)
            elif stdin_is_closed(TICK):
                self.tell()


@contextmanager
def listening() -> Iterator[Stop]:
    """Turn the signals that would kill us into a flag, so that nothing is left behind."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's business; a test may well run us in another.
        yield stop
        return
    previous = {n: signal.signal(n, stop.tell) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def stdin_is_a_pipe() -> bool:
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def stdin_is_closed(seconds: float) -> bool:
    """Watch stdin for so long; whatever is said there is read and forgotten."""
    readable, _, _ = select.select([STDIN], [], [], seconds)
    return bool(readable) and not os.read(STDIN, 4096)
