"""Whom to follow: the project, what knows Django's models, and nobody else."""

from __future__ import annotations

import functools
import re
import sys
import types

from django_dbaudit.project.effects import sources

#: Of Django and Django REST framework, what may save a row of the project's; all else is harmless
#: or known by heart.
FOLLOWED = (
    "django.views.generic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.comments",
    "django.contrib.flatpages",
    "django.contrib.redirects",
    "django.contrib.syndication.views",
    "django.contrib.formtools",
    "django.contrib.messages.views",
    "rest_framework.mixins",
    "rest_framework.generics",
    "rest_framework.authtoken",
    "rest_framework.decorators",
    "rest_framework.authentication",
)
#: Parts of them that only look.
HARMLESS = (
    "django.contrib.admin.utils",
    "django.contrib.admin.templatetags",
    "django.contrib.admin.widgets",
    "django.contrib.admin.helpers",
    "django.contrib.admin.views.main",
    "django.contrib.auth.hashers",
    "django.contrib.auth.password_validation",
    "django.contrib.auth.tokens",
    "django.contrib.auth.decorators",
    "django.contrib.auth.context_processors",
)
STDLIB = frozenset(sys.stdlib_module_names)

#: What no rollback takes back, by the full name of the function.
SIDE_EFFECTS = tuple(
    (effect, re.compile(pattern))
    for effect, pattern in (
        ("mail", r"django\.core\.mail\.(\w+\.)*(send_mail|send_mass_mail|mail_admins|mail_managers)$"),
        ("mail", r"django\.core\.mail\.(\w+\.)*\w*(EmailMessage|EmailMultiAlternatives)\.send$"),
        ("mail", r"(anymail|templated_email|post_office|mailer)\..*\bsend\w*$"),
        ("mail", r"smtplib\.SMTP\w*\.(send_message|sendmail)$"),
        (
            "http",
            r"(requests|httpx|niquests|curl_cffi)\.(\w+\.)*(get|post|put|patch|delete|head|options|request|send|stream)$",
        ),
        ("http", r"(urllib3|aiohttp|treq)\.(\w+\.)*(request|urlopen|get|post|put|patch|delete)$"),
        ("http", r"urllib\.request\.(urlopen|urlretrieve)$"),
        ("http", r"http\.client\.HTTP\w*Connection\.request$"),
        (
            "http",
            r"(stripe|twilio|boto3|botocore|slack_sdk|mailchimp\w*|sendgrid|openai|anthropic|pusher)\.",
        ),
        ("http", r"pycurl\."),
        (
            "task",
            r"celery\.(\w+\.)*\w+\.(delay|apply_async|send_task|delay_on_commit|apply_async_on_commit)$",
        ),
        (
            "task",
            r"(django_rq|rq|huey|dramatiq|django_q|procrastinate|django_tasks|django\.tasks|apscheduler|background_task)\.(\w+\.)*(enqueue\w*|aenqueue|delay|send\w*|schedule\w*|defer\w*|async_task|add_job|__call__)$",
        ),
        ("channel", r"channels\w*\.(\w+\.)*(group_send|send)$"),
        (
            "cache",
            r"django\.core\.cache\.(\w+\.)*\w+\.a?(set|set_many|add|delete|delete_many|clear|incr|decr|touch)$",
        ),
        (
            "cache",
            r"redis\.(\w+\.)*\w+\.(set\w*|delete|incr\w*|decr\w*|expire|publish|lpush|rpush|hset|sadd|srem|zadd)$",
        ),
        ("file", r"django\.core\.files\.storage\.(\w+\.)*\w*Storage\.(save|delete|_save)$"),
        ("file", r"(os|posix|nt)\.(remove|unlink|rename|replace|rmdir|removedirs|makedirs|mkdir)$"),
        ("file", r"shutil\.(copy\w*|move|rmtree)$"),
        ("file", r"pathlib\.(\w+\.)*Path\.(unlink|write_text|write_bytes|rename|replace|mkdir|rmdir)$"),
        ("process", r"(subprocess\.(run|call|check_call|check_output|Popen)|(os|posix)\.system)$"),
        ("sleep", r"(time|asyncio(\.tasks)?)\.sleep$"),
    )
)

#: Methods that put a task into a queue, whatever the library.
TASK_METHODS = frozenset(
    {"delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "enqueue", "send_task"}
)

#: Whose objects, when called, put a task into a queue.
TASK_PACKAGES = frozenset({"celery", "huey", "dramatiq", "procrastinate", "django_rq", "background_task"})

#: Methods of text, numbers, dates, lists and dicts: harmless on whatever has them.
BUILTIN_METHODS = frozenset(
    name for cls in (str, bytes, int, float, list, tuple, dict, set, complex) for name in dir(cls)
) | frozenset(
    {
        "isoformat",
        "strftime",
        "timestamp",
        "total_seconds",
        "astimezone",
        "date",
        "time",
        "weekday",
        "isoweekday",
        "timetuple",
        "utcoffset",
        "group",
        "groups",
        "groupdict",
        "match",
        "search",
        "fullmatch",
        "findall",
        "finditer",
        "sub",
        "read",
        "readline",
        "readlines",
        "getvalue",
        "getlist",
        "dict",
        "lists",
        "urlencode",
        "is_valid",
        "exists",
        "count",
        "first",
        "last",
        "filter",
        "exclude",
        "order_by",
        "get_context_data",
        "json",
        "raise_for_status",
        "is_authenticated",
        "has_perm",
        "has_perms",
        "values_list",
        "distinct",
        "select_related",
        "prefetch_related",
        "annotate",
        "aggregate",
        "latest",
        "earliest",
        "quantize",
        "as_tuple",
        "total",
        "seconds",
        "close",
        "hexdigest",
        "digest",
        "as_p",
        "as_table",
        "as_text",
        "render",
        "get_absolute_url",
        "get_full_name",
        "get_username",
        "build_absolute_uri",
        "get_host",
        "is_secure",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "critical",
        "log",
        "get_or_none",
        "to_python",
        "resolve",
        "parse",
        "loads",
        "dumps",
        "tobytes",
        "getbuffer",
        "seek",
        "tell",
        "isatty",
        "fileno",
        "cursor",
        "fetchone",
        "fetchall",
        "fetchmany",
    }
)
#: But for these, which a manager or a related manager has too.
DOUBTFUL = frozenset({"update", "add", "remove", "clear", "set", "create"})


@functools.cache
def side_effect(name: str) -> str | None:
    """The kind of side effect of a function, by its full name."""
    for effect, pattern in SIDE_EFFECTS:
        if pattern.match(name):
            return effect
    return None


def is_harmless_name(name: str) -> bool:
    """Whether a method of this name is harmless on an object of which nothing is known."""
    return name in BUILTIN_METHODS and name not in DOUBTFUL


def is_followed(function: types.FunctionType) -> bool:
    """Whether to look into the function; else it is harmless as far as rows go."""
    # Not __module__, which a decorator has copied from what it decorates.
    module = function.__globals__.get("__name__") or ""
    return _is_followed(str(module), function.__code__.co_filename)


@functools.cache
def _is_followed(module: str, path: str) -> bool:
    if is_known_module(module):
        return module.startswith(FOLLOWED) and not module.startswith(HARMLESS)
    return sources.mentions_django(path)


def is_known_module(module: str) -> bool:
    """Whether it is Python's, Django's or Django REST framework's."""
    top = module.partition(".")[0]
    return top in STDLIB or top in ("django", "rest_framework", "asgiref")


def is_task_package(module: str) -> bool:
    return module.partition(".")[0] in TASK_PACKAGES
