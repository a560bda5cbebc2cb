-- What ANALYZE found in the columns of some tables, values included: constants to plan statements with,
-- which are never stored or shown. pg_stats leaves out what our role may not read.
SELECT
    s.schemaname AS schema,
    s.tablename AS "table",
    s.attname AS "column",
    s.null_frac AS null_fraction,
    s.n_distinct AS distinct,
    pg_catalog.to_json((s.most_common_vals::text::text[])[1:50]) AS common_values,
    pg_catalog.to_json(s.most_common_freqs[1:50]) AS common_fractions,
    pg_catalog.to_json(s.histogram_bounds::text::text[]) AS bounds,
    pg_catalog.to_json((s.most_common_elems::text::text[])[1:50]) AS common_elements
FROM pg_catalog.pg_stats AS s
JOIN pg_catalog.json_array_elements(%(tables)s::pg_catalog.json) AS each
    ON s.schemaname = each ->> 0 AND s.tablename = each ->> 1
WHERE s.inherited = (each ->> 2)::bool
