"""Which of the candidates to propose: what they save a day, held against what writes pay for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django_dbaudit.conf import Thresholds
from django_dbaudit.postgres.plans import Candidate, PlannedStatement, Scan, StatementPlans, Trial
from django_dbaudit.postgres.tables import Table, Tables

#: Milliseconds that a row written takes longer for one index more: at most 8 µs for a btree and 31 µs for
#: trigrams were measured with everything in memory, and WAL and disks come on top.
WRITE_MS = {"btree": 0.01, "gin": 0.05}
#: Share of the rows that a sequential scan may keep for an index to be worth a try that nobody can make.
FEW = 0.1
#: Share of a statement's cost that such a scan must have.
MOST_OF_IT = 0.5
#: A wider index must save so much more than a narrow one to be taken instead.
WIDER = 1.1
#: Indexes proposed for one table: with them there, the next look is at another database.
MOST_A_TABLE = 3


@dataclass(frozen=True, slots=True)
class Benefit:
    """What a candidate does for one statement."""

    statement: PlannedStatement
    #: Milliseconds a day.
    saved_ms: float
    #: Of the planner: None where it could not be asked.
    cost: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """A candidate worth making."""

    candidate: Candidate
    #: Biggest first.
    benefits: tuple[Benefit, ...]
    #: Milliseconds a day that writes would take longer.
    write_ms: float

    @property
    def is_proven(self) -> bool:
        return all(each.cost is not None for each in self.benefits)

    @property
    def saved_ms(self) -> float:
        return sum(each.saved_ms for each in self.benefits)

    @property
    def net_ms(self) -> float:
        return self.saved_ms - self.write_ms


def advise(plans: StatementPlans, tables: Tables, days: float, thresholds: Thresholds) -> list[Advice]:
    """The candidates to propose, best first; ``days`` is how long the tables' writes were counted."""
    chooser = _Chooser(plans, _Sizes(tables), days, thresholds)
    of_table: dict[int, list[int]] = defaultdict(list)
    for place, candidate in enumerate(plans.candidates):
        of_table[candidate.table_oid].append(place)
    found = [each for places in of_table.values() for each in chooser.choose(places)]
    return sorted(found, key=lambda each: (not each.is_proven, -each.net_ms, each.candidate.target))


class _Sizes:
    """Rows, and rows written, of a table and all its partitions."""

    def __init__(self, tables: Tables) -> None:
        self._tables = {table.oid: table for table in tables.items}
        self._parts: dict[int, list[Table]] = defaultdict(list)
        for table in tables.items:
            if table.parent_oid is not None:
                self._parts[table.parent_oid].append(table)

    def rows(self, oid: int) -> int:
        return self._sum(oid, lambda table: 0 if table.is_partitioned else table.rows)

    def writes(self, oid: int) -> int:
        """Rows that an index has to take up: deletions cost it nothing until VACUUM."""
        return self._sum(oid, lambda table: table.rows_inserted + table.rows_updated)

    def names(self, oid: int) -> set[tuple[str, str]]:
        table = self._tables.get(oid)
        own = {(table.schema, table.name)} if table else set()
        return own.union(*(self.names(part.oid) for part in self._parts[oid]))

    def _sum(self, oid: int, number: Callable[[Table], int]) -> int:
        table = self._tables.get(oid)
        own = number(table) if table else 0
        return own + sum(self._sum(part.oid, number) for part in self._parts[oid])


class _Chooser:
    def __init__(self, plans: StatementPlans, sizes: _Sizes, days: float, thresholds: Thresholds) -> None:
        self._plans = plans
        self._sizes = sizes
        self._days = days
        self._thresholds = thresholds
        self._trials: dict[int, list[Trial]] = defaultdict(list)
        for trial in plans.trials:
            self._trials[trial.candidate].append(trial)

    def choose(self, places: Iterable[int]) -> list[Advice]:
        """Of one table's candidates the best, then the best for what is left, and so on."""
        left = [
            place
            for place in places
            if self._sizes.rows(self._plans.candidates[place].table_oid)
            >= self._thresholds.missing_index_rows
        ]
        chosen: list[Advice] = []
        costs: dict[int, float] = {}
        while left and len(chosen) < MOST_A_TABLE:
            best = self._best(left, costs)
            if best is None:
                break
            place, advice = best
            left.remove(place)
            chosen.append(advice)
            costs.update(self._costs(place, costs))
        return self._settled(chosen)

    def _best(self, places: Iterable[int], costs: Mapping[int, float]) -> tuple[int, Advice] | None:
        worth = [(place, self._advice(place, costs)) for place in places]
        least = self._thresholds.missing_index_least_seconds_per_day * 1000
        worth = [(place, advice) for place, advice in worth if advice.net_ms > 0 and advice.net_ms >= least]
        if not worth:
            return None
        # What is proven goes before what is not, and the narrow before the wide that saves but little more.
        proven = [each for each in worth if each[1].is_proven] or worth
        most = max(advice.net_ms for _, advice in proven)
        good = [each for each in proven if each[1].net_ms * WIDER >= most]
        return min(good, key=lambda each: (len(each[1].candidate.keys), -each[1].net_ms, each[0]))

    def _settled(self, chosen: list[Advice]) -> list[Advice]:
        """Without those that a wider one, chosen later, does the work of."""
        settled = []
        for advice in chosen:
            wider = [each for each in chosen if _is_beginning(advice.candidate, each.candidate)]
            if not wider:
                taken = [each for each in chosen if _is_beginning(each.candidate, advice.candidate)]
                settled.append(_with_benefits_of(advice, taken))
        return settled

    def _advice(self, place: int, costs: Mapping[int, float]) -> Advice:
        candidate = self._plans.candidates[place]
        benefits = [each for trial in self._trials[place] for each in self._benefit(trial, costs)]
        writes = self._sizes.writes(candidate.table_oid) / self._days
        return Advice(
            candidate=candidate,
            benefits=tuple(sorted(benefits, key=lambda each: -each.saved_ms)),
            write_ms=writes * WRITE_MS[candidate.access_method],
        )

    def _benefit(self, trial: Trial, costs: Mapping[int, float]) -> Iterator[Benefit]:
        statement = self._plans.items[trial.statement]
        if statement.plan is None or not statement.plan.cost:
            return
        today = statement.plan.cost
        before = min(today, costs.get(trial.statement, today))
        if trial.cost is None:
            scan = self._wasteful_scan(trial, statement)
            # At most: an index takes some of that time, too.
            if scan is not None and before == today:
                share = min(1.0, scan.cost / today)
                yield Benefit(statement, statement.ms_per_day * share, None)
        elif (before - trial.cost) / before >= self._thresholds.missing_index_cost_share:
            yield Benefit(statement, statement.ms_per_day * (before - trial.cost) / today, trial.cost)

    def _wasteful_scan(self, trial: Trial, statement: PlannedStatement) -> Scan | None:
        """The sequential scan of the candidate's table that throws most of its rows away."""
        oid = self._plans.candidates[trial.candidate].table_oid
        names = self._sizes.names(oid)
        plan = statement.plan
        if plan is None or not trial.is_own:
            return None
        scans = [each for each in plan.scans if (each.schema, each.table) in names]
        wasteful = [each for each in scans if each.node == "Seq Scan" and each.is_filtered]
        rows, kept = self._sizes.rows(oid), sum(each.rows for each in wasteful)
        worst = max(wasteful, key=lambda each: each.cost, default=None)
        if worst is None or kept > FEW * rows or worst.cost < MOST_OF_IT * plan.cost:
            return None
        return worst

    def _costs(self, place: int, costs: Mapping[int, float]) -> dict[int, float]:
        """Of the statements that a chosen candidate serves, their cost from now on."""
        found: dict[int, float] = {}
        for trial in self._trials[place]:
            if any(self._benefit(trial, costs)):
                # Where nobody could ask, the statement counts as served: nothing else is tried for it.
                found[trial.statement] = trial.cost or 0
        return found


def _is_beginning(narrow: Candidate, wide: Candidate) -> bool:
    return (
        len(narrow.keys) < len(wide.keys)
        and narrow.access_method == wide.access_method
        and narrow.predicate == wide.predicate
        and wide.keys[: len(narrow.keys)] == narrow.keys
    )


def _with_benefits_of(advice: Advice, taken: Iterable[Advice]) -> Advice:
    """What was first counted for narrower ones, it does as well."""
    benefits = {each.statement: each for other in taken for each in other.benefits}
    for each in advice.benefits:
        before = benefits.get(each.statement)
        saved = each.saved_ms + (before.saved_ms if before else 0)
        benefits[each.statement] = Benefit(each.statement, saved, each.cost)
    ordered = sorted(benefits.values(), key=lambda each: -each.saved_ms)
    return Advice(advice.candidate, tuple(ordered), advice.write_ms)
