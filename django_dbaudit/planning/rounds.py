"""Three rounds of questions: how each statement goes today, with each candidate, without each index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django_dbaudit.analysis import candidates
from django_dbaudit.analysis.redundancy import protection
from django_dbaudit.planning.reading import Catalog, Work
from django_dbaudit.postgres import failure
from django_dbaudit.postgres.indexes import Indexes
from django_dbaudit.postgres.planner import Answers, Job, Planner, Refusal
from django_dbaudit.postgres.plans import Candidate, Plan, Removal, Trial

#: Candidates of other statements that a statement is tried with.
MOST_OTHERS = 8
#: The one job of the first round, which changes nothing.
TODAY = 0


def today_of(planner: Planner, works: list[Work]) -> dict[int, Plan]:
    """The plans of those that can be planned; each of the others has its problem noted."""
    plans: dict[int, Plan] = {}
    # All complete texts of one statement are tried in turn, and the first that is understood stays.
    for attempt in range(2):
        open_ = tuple(
            (number, work.texts[attempt])
            for number, work in enumerate(works)
            if len(work.texts) > attempt and number not in plans
        )
        answers = planner.ask([Job(TODAY, open_)])
        for number, text in open_:
            answer = answers.get((TODAY, number))
            if isinstance(answer, Plan):
                plans[number] = answer
                works[number].texts, works[number].problem = (text,), None
            elif attempt == 0 or works[number].problem is None:
                works[number].problem = _problem(answer)
    return plans


def _problem(answer: Refusal | None) -> str:
    if answer is None:
        return "no time was left (DBAUDIT['PLANNING_TIMEOUT'])"
    if answer.sqlstate == failure.INSUFFICIENT_PRIVILEGE:
        return "needs SELECT on its tables, or pg_read_all_data"
    if answer.sqlstate in (failure.LOCK_NOT_AVAILABLE, failure.QUERY_CANCELED):
        return "a table was locked, or planning took longer than DBAUDIT['STATEMENT_TIMEOUT'] allows"
    if answer.sqlstate in failure.GONE:
        return "a table or a column of it is there no more, or not on our search path"
    return "the server does not understand it without its constants"


class Trials:
    """The second round: each candidate, alone, with the statements that it may serve."""

    def __init__(
        self, works: list[Work], today: Mapping[int, Plan], known: Catalog, planner: Planner
    ) -> None:
        self._works = works
        self._known = known
        self._planner = planner
        self._planned = [number for number in range(len(works)) if number in today]
        wanted = [each for number in self._planned for each in works[number].own]
        self.candidates = tuple(dict.fromkeys(wanted))

    def run(self) -> tuple[Trial, ...]:
        pairs = list(self._pairs())
        answers = self._asked(pairs)
        trials = []
        for candidate, statement in pairs:
            answer = answers.get((candidate, statement))
            cost = answer.cost if isinstance(answer, Plan) else None
            is_own = self.candidates[candidate] in self._works[statement].own
            trials.append(Trial(candidate, statement, cost, is_own))
        return tuple(trials)

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Each candidate and each statement that it is worth trying for, by their places."""
        for number in self._planned:
            work = self._works[number]
            others = 0
            for place, candidate in enumerate(self.candidates):
                if candidate in work.own:
                    yield place, number
                elif others < MOST_OTHERS and self._concerns(candidate, work):
                    others += 1
                    yield place, number

    def _concerns(self, candidate: Candidate, work: Work) -> bool:
        accesses = work.reading.accesses if work.reading else ()
        return any(candidates.concerns(candidate, each, self._known[each.table]) for each in accesses)

    def _asked(self, pairs: Iterable[tuple[int, int]]) -> Answers:
        if self._planner.hypopg is None:
            return {}
        of_candidate: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for place, number in pairs:
            # HypoPG knows no other methods that we propose.
            if self.candidates[place].access_method == "btree":
                of_candidate[place].append((number, self._works[number].texts[0]))
        return self._planner.ask(
            Job(place, tuple(texts), create=f"CREATE INDEX ON {self.candidates[place].target}")
            for place, texts in of_candidate.items()
        )


def removals(
    planner: Planner, works: list[Work], today: Mapping[int, Plan], indexes: Indexes
) -> Iterator[Removal]:
    """The third round: each index that a statement is planned with, and that could go, is hidden."""
    if not planner.can_hide:
        return
    by_name = {(each.schema, each.name): each for each in indexes.items}
    users: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, plan in today.items():
        used = {by_name.get((scan.schema, name)) for scan in plan.scans for name in scan.indexes}
        for index in filter(None, used):
            if not index.is_unique and protection(index) is None:
                users[index.oid].append((number, works[number].texts[0]))
    jobs = [Job(oid, tuple(texts), hide=oid) for oid, texts in users.items()]
    for (oid, number), answer in planner.ask(jobs).items():
        if isinstance(answer, Plan):
            yield Removal(oid, number, answer.cost)
