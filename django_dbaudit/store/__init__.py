"""What we keep from one run to the next, in tables of ours: see ``models.py``.

``history`` holds the types and ``accumulation`` the arithmetic, both without any I/O, for rules to
use; ``connection``, ``reading`` and ``writing`` talk to the alias ``DBAUDIT["STORE"]``.
"""
