-- See Note [No deadlocks] in store/traffic/writing.py.
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE day < %(before)s::date ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
