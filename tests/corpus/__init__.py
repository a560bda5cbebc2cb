"""A bicycle rental of small views as real projects write them, each with what must be made of it.

Above a view stands what it commits, ``# POST: split 2 bike rental``: verdict, most units of any way
through it (``loop`` where a loop makes them) and the tables in different units; behind a line
``# finds: rule`` what must be found there, and nothing else may be.
"""
