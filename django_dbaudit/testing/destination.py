"""Where the traffic of a test suite is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from django_dbaudit import facts, words
from django_dbaudit.conf import get_config
from django_dbaudit.errors import AuditError
from django_dbaudit.facts import Facts
from django_dbaudit.management.writing import check_writable, write_file
from django_dbaudit.store.connection import Store
from django_dbaudit.store.traffic import writing
from django_dbaudit.store.traffic.room import Room
from django_dbaudit.traffic.facts import Traffic

#: In place of a file's name.
STORE = "store"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the traffic goes: a facts file, or the store if there is no path."""

    path: Path | None

    @classmethod
    def of(cls, given: str) -> Destination:
        """An `AuditError` refuses a file that cannot be written, before the tests run and not after."""
        if given == STORE:
            return cls(None)
        path = Path(given)
        check_writable(path)
        # Tests may change the working directory.
        return cls(path.absolute())

    def write(self, traffic: Traffic) -> str:
        """Keep the traffic; what to tell of it. The tests' own outcome is not touched by ours."""
        try:
            return self._write(traffic)
        except AuditError as error:
            return f"The traffic of the tests was not kept: {error}"

    def _write(self, traffic: Traffic) -> str:
        if not traffic.views:
            return "No request was recorded: none went through Django's test client or a live server."
        config = get_config()
        if self.path is None:
            with Store(config) as store:
                writing.write(store, traffic, datetime.now(timezone.utc).date(), Room())
            where, then = "the store", "dbaudit --select QRY"
        else:
            write_file(self.path, facts.save(Facts(code={Traffic: traffic})), private=True)
            where = str(self.path)
            then = f"dbaudit --select QRY --load-facts {self.path.name}"
        return (
            f"Recorded {words.count(traffic.requests, 'request')} to "
            f"{words.count(len({each.view for each in traffic.views}), 'view')} in {where}. See: {then}"
        )
