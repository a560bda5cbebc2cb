"""How much of what a project's requests were seen to commit in pieces reading its code had told.

Record the project's own test suite on PostgreSQL, then hold the one against the other, in the directory
of the project's ``manage.py``::

    python manage.py test --testrunner django_dbaudit.testing.RecordingRunner --dbaudit-record seen.json
    DJANGO_SETTINGS_MODULE=shop.settings python .../benchmarks/recall.py seen.json
    DJANGO_SETTINGS_MODULE=shop.settings python .../benchmarks/recall.py seen.json --bookkeeping

What counts is a view and a method. It was *seen* in pieces where one request committed two units or more
in the view's phases, blocks of a TestCase left aside; with ``--bookkeeping`` sessions and the admin's log
count too. It was *predicted* where its verdict is split or mixed. Views that were predicted and requested
but not seen are listed to be looked at by hand: a suite takes few of the ways through a view.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings

Key = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("traffic", type=Path, help="a facts file with traffic")
    parser.add_argument("--bookkeeping", action="store_true", help="count sessions and the admin's log too")
    options = parser.parse_args()
    # As manage.py has it.
    sys.path.insert(0, os.getcwd())
    django.setup()

    from django_dbaudit import facts  # noqa: PLC0415  # once Django is set up
    from django_dbaudit.traffic.facts import Traffic  # noqa: PLC0415  # as above

    seen = Comparison(facts.load(options.traffic).code[Traffic], bookkeeping=options.bookkeeping)
    seen.show()


class Comparison:
    """The two sides, by view and method."""

    def __init__(self, traffic: object, *, bookkeeping: bool) -> None:
        from django_dbaudit.analysis import commits, testimony, verdicts  # noqa: PLC0415  # as above
        from django_dbaudit.project.effects import reading  # noqa: PLC0415  # as above

        began = time.process_time()
        effects = reading.read()
        self.verdicts = {(each.view.name, each.view.method): verdicts.judge(each) for each in effects.items}
        self.seconds = time.process_time() - began
        self.requests: defaultdict[Key, int] = defaultdict(int)
        self.seen: defaultdict[Key, list[str]] = defaultdict(list)
        for view in traffic.views:  # type: ignore[attr-defined]  # imported when Django is set up
            key = (view.view, "GET" if view.method == "HEAD" else view.method)
            self.requests[key] += view.requests
            shapes = [each.units for each in commits.in_pieces(view)]
            if bookkeeping:
                kept = [
                    [unit for unit in shape.units if unit.phase not in testimony.ELSEWHERE]
                    for shape in view.commits
                ]
                shapes = [each for each in kept if len(each) > 1 or any(unit.is_repeated for unit in each)]
            self.seen[key] += ["; then ".join(_unit(unit) for unit in units) for units in shapes]

    def show(self) -> None:
        in_pieces = {key for key, ways in self.seen.items() if ways}
        predicted = {key for key, verdict in self.verdicts.items() if verdict.word in ("split", "mixed")}
        missed = sorted(in_pieces - predicted)
        unseen = sorted(predicted & self.requests.keys() - in_pieces)
        share = f", {len(in_pieces - set(missed)) / len(in_pieces):.0%}" if in_pieces else ""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(settings.ROOT_URLCONF)
        print(f"  views with their methods   {len(self.verdicts):5}  {self.seconds:.1f} s, {peak:.0f} MB")
        print(f"  requested                  {len(self.verdicts.keys() & self.requests.keys()):5}")
        print(f"  seen in pieces             {len(in_pieces):5}")
        print(f"  of these predicted         {len(in_pieces) - len(missed):5}{share}")
        print(f"  predicted, not seen        {len(unseen):5}")
        for title, lines in (
            ("Missed", self._missed(missed)),
            ("Predicted and requested, not seen", self._unseen(unseen)),
        ):
            print(f"\n{title}:", *lines, sep="\n  ")

    def _missed(self, keys: list[Key]) -> Iterator[str]:
        for key in keys:
            verdict = self.verdicts.get(key)
            yield f"{key[0]} ({key[1]}): {verdict.word if verdict else 'no such view'}"
            yield from (f"    {way}" for way in dict.fromkeys(self.seen[key]))
            if verdict:
                for each in verdict.unresolved:
                    yield f"    not resolved: {each.call}, {each.location}"

    def _unseen(self, keys: list[Key]) -> Iterator[str]:
        for key in keys:
            units = self.verdicts[key].way.units
            places = "; then ".join(f"{', '.join(unit.tables)} at {unit.location}" for unit in units[:4])
            yield f"{key[0]} ({key[1]}), {self.requests[key]} requests: {places}"


def _unit(unit: object) -> str:
    site = unit.site  # type: ignore[attr-defined]  # as above
    return f"{', '.join(unit.tables)} at {site.path}:{site.line}"  # type: ignore[attr-defined]  # as above


if __name__ == "__main__":
    main()
