"""Django's own test suites on PostgreSQL, bare and recorded: the same outcome, test by test.

    python tests/compat/django_suites.py [--django 6.1] [--sdist FILE] [LABEL ...]

The suites come from the source distribution of Django, which pip downloads into ``.compat``; Django
itself is taken from there too, whatever is installed. Without labels: `LABELS`. The exit status is 1
if any test came out differently, and 2 if nothing was recorded, for then nothing has been proven.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".compat"
sys.path.insert(0, str(ROOT / "testproject"))

import postgres_server  # noqa: E402  # lies in the shop

#: What asks the database in every way there is, and what sends requests through middleware and handlers.
LABELS = (
    "queries", "transactions", "prefetch_related", "async", "select_related", "defer", "model_forms",
    "admin_changelist", "handlers", "middleware", "middleware_exceptions", "responses", "asgi", "wsgi",
    "transaction_hooks", "select_for_update", "raw_query", "queryset_pickle", "known_related_objects",
)  # fmt: skip


def sdist(version: str) -> Path:
    """The newest source distribution of this series: the one at hand, or downloaded."""
    CACHE.mkdir(exist_ok=True)
    found = sorted(CACHE.glob(f"django-{version}*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "django"]
        subprocess.run([*command, "--dest", str(CACHE), f"Django~={version}.0"], check=True)
        found = list(CACHE.glob(f"django-{version}*.tar.gz"))
    return found[-1]


def unpacked(archive: Path) -> Path:
    directory = CACHE / archive.name.removesuffix(".tar.gz")
    if not directory.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(CACHE, filter="data")
    return directory


def run(
    django: Path, labels: list[str], server: postgres_server.Server, *, is_armed: bool
) -> dict[str, Any]:
    """Outcomes by test, and how many queries were recorded."""
    result = CACHE / f"result-{django.name}-{'armed' if is_armed else 'bare'}.json"
    result.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (django, ROOT, HERE, ROOT / "testproject"))),
        "COMPAT_URL": server.url(),
        "COMPAT_ARMED": "1" if is_armed else "",
        "COMPAT_RESULT": str(result),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "runtests.py", "--settings", "compat_settings", "--parallel", "1", "-v", "0"]
    subprocess.run(
        [*command, "--noinput", *labels],
        cwd=django / "tests",
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=(CACHE / f"{result.stem}.log").open("w"),
    )
    if not result.exists():
        sys.exit(f"The suites did not run; see {result.with_suffix('.log')}.")
    answer: dict[str, Any] = json.loads(result.read_text())
    return answer


def compare(django: Path, labels: list[str], server: postgres_server.Server) -> int:
    known = [label for label in labels if (django / "tests" / label).is_dir()]
    bare = run(django, known, server, is_armed=False)
    armed = run(django, known, server, is_armed=True)
    print(f"{django.name}: {' '.join(known)}")
    for name, result in (("bare", bare), ("recorded", armed)):
        counted = Counter(result["outcomes"].values())
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items()))
        print(
            f"  {name}: {told}; {result['recorded']} queries recorded, {result['troubles']} errors of ours"
        )
    different = sorted(
        test
        for test in bare["outcomes"].keys() | armed["outcomes"].keys()
        if bare["outcomes"].get(test) != armed["outcomes"].get(test)
    )
    for test in different:
        print(f"  {bare['outcomes'].get(test)} -> {armed['outcomes'].get(test)}: {test}")
    if different or armed["troubles"]:
        return 1
    return 0 if armed["recorded"] else 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--django", default="6.1", help="series, default: 6.1")
    parser.add_argument("--sdist", type=Path, help="a source distribution that was downloaded before")
    parser.add_argument("labels", nargs="*", default=list(LABELS))
    options = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    django = unpacked(options.sdist or sdist(options.django))
    with postgres_server.temporary() as server:
        return compare(django, options.labels, server)


if __name__ == "__main__":
    sys.exit(main())
