from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base


class Cursor:
    rowcount = 1
    description = None

    def execute(self, sql: str, params: Any = None) -> None:
        self.row: Any = (1, "name")

    executemany = execute

    def fetchone(self) -> Any:
        return self.row

    def fetchmany(self, size: int = 0) -> list[Any]:
        row, self.row = self.row, None
        return [row] if row else []

    def close(self) -> None:
        pass


class Connection:
    def commit(self) -> None:
        pass

    def close(self) -> None:
        pass


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        return Connection()

    def create_cursor(self, name: Any = None) -> Any:
        return Cursor()

    def init_connection_state(self) -> None:
        pass

    def _set_autocommit(self, autocommit: bool) -> None:
        pass

    def _start_transaction_under_autocommit(self) -> None:
        pass
