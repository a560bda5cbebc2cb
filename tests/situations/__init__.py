"""Situations: small views that ask the database rightly or wrongly, and what must be said of each.

A line that a rule must name says so behind it: ``# finds: n-plus-one`` (in a template
``{# finds: n-plus-one #}``). Where no line says anything, nothing may be found.
"""
