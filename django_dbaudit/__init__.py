"""Audits of a Django project's PostgreSQL databases; see the commands in ``management``."""
