"""The one error that a reader of our output may see."""

from __future__ import annotations


class AuditError(Exception):
    """Something the user can put right. Its text says the value, the rule and the way out.

    Commands turn it into a message on stderr and exit status 2, never a traceback.
    """
