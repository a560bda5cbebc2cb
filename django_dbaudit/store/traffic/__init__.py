"""Traffic in tables of ours: added to by any number of processes and hosts, kept by the day.

``rows`` makes rows of facts and ``writing`` adds them to those that are there; ``reading`` makes facts
of them again; ``flusher`` is the thread that does the writing, away from any request.
"""
