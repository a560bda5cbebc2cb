"""Receivers of model signals, read from the registry that Django calls them by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.dispatch import Signal

from django_dbaudit.project.effects import tree
from django_dbaudit.project.effects.machine import Machine, Site, sequence
from django_dbaudit.project.effects.values import SCALAR, Arguments, Live, Value


def receivers(signal: Signal, sender: Any) -> tuple[Any, ...]:
    """The functions that ``signal.send(sender)`` would call now."""
    live: Any = signal._live_receivers(sender)  # noqa: SLF001  # the registry's only reader
    # Those that are functions and those that are coroutine functions.
    return tuple(each for group in live for each in group)


def fire(machine: Machine, signal: Signal, name: str, sender: Any, site: Site, **named: Value) -> None:
    """Run every receiver, one after the other, as ``send`` does."""
    for each in receivers(signal, sender):
        arguments = Arguments(
            named={"signal": Live(signal), "sender": Live(sender), "using": SCALAR, **named}
        )
        with machine.collected() as steps:
            machine.call(Live(each), arguments, site)
        _emit_received(machine, steps, name)


def _emit_received(machine: Machine, steps: Iterable[tree.Node], name: str) -> None:
    for step in steps:
        if isinstance(step, tree.Call):
            machine.emit(replace(step, receives=name))
        else:
            machine.emit(sequence([step]))
