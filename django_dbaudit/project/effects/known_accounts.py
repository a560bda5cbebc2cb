"""Users and their sessions, as ``django.contrib.auth`` and ``sessions`` keep them: by heart."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.backends.base import SessionBase
from django.utils.module_loading import import_string

from django_dbaudit.project.effects import models, signals, tree
from django_dbaudit.project.effects.machine import Machine, Site
from django_dbaudit.project.effects.values import (
    NONE,
    SCALAR,
    UNKNOWN,
    Arguments,
    Instance,
    Live,
    Value,
    is_none,
    join,
)


def _user_model(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return Live(get_user_model())


def _authenticate(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """Each backend of the project's own is asked; a failure is told to whoever listens."""
    user = models.row(get_user_model())
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path) if not path.startswith("django.") else None
        if isinstance(backend, type):
            named = {"request": arguments.get(0, "request") or UNKNOWN, **arguments.named}
            machine.call_method(Instance(backend), "authenticate", Arguments(named=named), site)

    def failed() -> Value:
        named: dict[str, Value] = {"request": arguments.get(0, "request") or UNKNOWN, "credentials": SCALAR}
        signals.fire(machine, user_login_failed, "user_login_failed", None, site, **named)
        return NONE

    return join(*machine.branch(site, lambda: user, failed))


def _login(machine: Machine, arguments: Arguments, site: Site) -> Value:
    """A new session, the old one deleted, and receivers: among them the one that notes last_login."""
    session(machine, "insert", "login", site)
    session(machine, "delete", "login", site)
    user = arguments.get(1, "user")
    if user is None or is_none(user):
        user = models.row(get_user_model())
    named: dict[str, Value] = {"request": arguments.get(0, "request") or UNKNOWN, "user": user}
    signals.fire(machine, user_logged_in, "user_logged_in", get_user_model(), site, **named)
    return NONE


def _logout(machine: Machine, arguments: Arguments, site: Site) -> Value:
    named: dict[str, Value] = {
        "request": arguments.get(0, "request") or UNKNOWN,
        "user": models.row(get_user_model()),
    }
    signals.fire(machine, user_logged_out, "user_logged_out", get_user_model(), site, **named)
    session(machine, "delete", "logout", site)
    return NONE


def _cycle_key(machine: Machine, arguments: Arguments, site: Site) -> Value:
    session(machine, "insert", "session.cycle_key", site)
    session(machine, "delete", "session.cycle_key", site)
    return NONE


def _flush(machine: Machine, arguments: Arguments, site: Site) -> Value:
    session(machine, "delete", "session.flush", site)
    return NONE


def _session_save(machine: Machine, arguments: Arguments, site: Site) -> Value:
    session(machine, "save", "session.save", site)
    return NONE


def session(machine: Machine, statement: str, how: str, site: Site) -> None:
    """A session that lies in the database is a unit of its own."""
    if settings.SESSION_ENGINE.rpartition(".")[2] in ("db", "cached_db") and apps.is_installed(
        "django.contrib.sessions"
    ):
        model = apps.get_model("sessions.Session")
        alias = models.alias_for_write(model)
        machine.emit(
            tree.Write(models.label(model), models.table(model), alias, statement, how, site.location)
        )
    else:
        machine.emit(tree.SideEffect("session", how, site.location))


def _data(machine: Machine, arguments: Arguments, site: Site) -> Value:
    return SCALAR


#: Questions that only read.
PERMISSIONS = (
    "has_perm",
    "has_perms",
    "has_module_perms",
    "get_all_permissions",
    "get_group_permissions",
    "get_user_permissions",
    "ahas_perm",
    "ahas_perms",
    "ahas_module_perms",
)
SESSION = f"{SessionBase.__module__}.SessionBase"
KNOWN = {
    "django.contrib.auth.get_user_model": _user_model,
    "django.contrib.auth.authenticate": _authenticate,
    "django.contrib.auth.aauthenticate": _authenticate,
    "django.contrib.auth.login": _login,
    "django.contrib.auth.alogin": _login,
    "django.contrib.auth.logout": _logout,
    "django.contrib.auth.alogout": _logout,
    "django.contrib.auth.update_session_auth_hash": _cycle_key,
    "django.contrib.auth.aupdate_session_auth_hash": _cycle_key,
    "django.contrib.auth.load_backend": _data,
    "django.contrib.auth.get_backends": _data,
    "django.contrib.auth._get_backends": _data,
    **{f"django.contrib.auth.models.PermissionsMixin.{name}": _data for name in PERMISSIONS},
    "django.contrib.auth.get_user": lambda machine, arguments, site: models.row(get_user_model()),
    f"{SESSION}.flush": _flush,
    f"{SESSION}.cycle_key": _cycle_key,
    f"{SESSION}.save": _session_save,
    f"{SESSION}.create": _session_save,
    "django.contrib.sessions.backends.db.SessionStore.save": _session_save,
    "django.contrib.sessions.backends.db.SessionStore.create": _session_save,
}
