"""Files written whole or not at all, and a stdout that may be gone."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from django.core.management.base import OutputWrapper

from django_dbaudit.errors import AuditError


def check_writable(path: Path) -> None:
    """Refuse what cannot be a file of ours; an `AuditError` says why."""
    if path.is_dir():
        raise AuditError(f"Cannot write {path}: it is a directory; name a file in it.")
    if not path.absolute().parent.is_dir():
        raise AuditError(f"Cannot write {path}: there is no directory {path.absolute().parent}.")


def write_file(path: Path, text: str, *, private: bool = False) -> None:
    """Replace the file at once, so that a reader never meets half of it.

    A ``private`` one can be read by its owner alone.
    """
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe cannot be replaced, only written to.
            path.write_text(text, encoding="utf-8")
            return
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if not private:
                os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise AuditError(f"Cannot write {path}: {error.strerror or error}.") from error


def _umask() -> int:
    # The one way to read it is to set it; commands run in one thread.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_stdout(stdout: OutputWrapper, text: str) -> None:
    """Print, in what the terminal's encoding can say; an `AuditError` if nobody reads any more."""
    encoding = getattr(stdout, "encoding", None) or "utf-8"
    try:
        stdout.write(text.encode(encoding, "replace").decode(encoding), ending="")
        stdout.flush()
    except BrokenPipeError as error:
        # Else the interpreter would complain once more when it flushes stdout on its way out.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        raise AuditError("The report was not read to its end: stdout was closed.") from error
