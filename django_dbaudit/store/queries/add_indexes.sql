INSERT INTO django_dbaudit_recordedindex (
    server_id, oid, schema, "table", name, definition, is_partition, size_bytes,
    first_seen_at, last_seen_at, last_scan,
    counted_scans, counted_tuples_read, counted_tuples_fetched, scans, tuples_read, tuples_fetched
)
SELECT %(server)s, n.*
FROM json_to_recordset(%(indexes)s::json) AS n (
    oid bigint, schema text, "table" text, name text, definition text, is_partition bool,
    size_bytes bigint, first_seen_at timestamptz, last_seen_at timestamptz, last_scan timestamptz,
    counted_scans bigint, counted_tuples_read bigint, counted_tuples_fetched bigint,
    scans bigint, tuples_read bigint, tuples_fetched bigint
)
