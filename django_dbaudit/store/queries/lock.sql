-- One writer after the other; it ends with the transaction. The number spells dbaudit on a telephone.
SELECT pg_catalog.pg_advisory_xact_lock(3228348)
