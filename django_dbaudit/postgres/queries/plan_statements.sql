-- Asks the planner about many statements in one go, and never runs one. What it is to do comes as JSON in
-- a setting of ours, and what it found goes back in another: so this text is always the same, and is one
-- entry of pg_stat_statements instead of hundreds. EXPLAIN inside it is not counted there at all, unless
-- pg_stat_statements.track is "all".
--
-- Each EXPLAIN is rolled back at once, for the locks that it takes. Hypothetical indexes are this
-- session's alone, but outlive a transaction: they are taken away before each job and at the end.
DO $dbaudit$
DECLARE
    request CONSTANT pg_catalog.jsonb
        := pg_catalog.current_setting('django_dbaudit.request')::pg_catalog.jsonb;
    hypopg CONSTANT text := request ->> 'hypopg';
    can_hide CONSTANT boolean := (request ->> 'can_hide')::boolean;
    deadline CONSTANT timestamptz
        := pg_catalog.clock_timestamp() + (request ->> 'seconds')::float8 * interval '1 second';
    answers text[] := '{}';
    job pg_catalog.jsonb;
    question pg_catalog.jsonb;
    plan pg_catalog.json;
    problem text;
BEGIN
    FOR job IN SELECT pg_catalog.jsonb_array_elements(request -> 'jobs') LOOP
        EXIT WHEN pg_catalog.clock_timestamp() > deadline;
        IF hypopg IS NOT NULL THEN
            EXECUTE pg_catalog.format('SELECT %I.hypopg_reset()', hypopg);
        END IF;
        IF can_hide THEN
            EXECUTE pg_catalog.format('SELECT %I.hypopg_unhide_all_indexes()', hypopg);
        END IF;
        problem := NULL;
        BEGIN
            IF job ->> 'create' IS NOT NULL THEN
                EXECUTE pg_catalog.format('SELECT %I.hypopg_create_index($1)', hypopg)
                USING job ->> 'create';
            END IF;
            IF job ->> 'hide' IS NOT NULL THEN
                EXECUTE pg_catalog.format('SELECT %I.hypopg_hide_index($1)', hypopg)
                USING (job ->> 'hide')::oid;
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'DBAUD';
        EXCEPTION
            WHEN SQLSTATE 'DBAUD' THEN NULL;
            WHEN OTHERS THEN problem := SQLERRM;
        END;
        IF problem IS NOT NULL THEN
            answers := answers || pg_catalog.jsonb_build_object(
                'job', job -> 'id', 'error', problem
            )::text;
            CONTINUE;
        END IF;
        FOR question IN SELECT pg_catalog.jsonb_array_elements(job -> 'statements') LOOP
            EXIT WHEN pg_catalog.clock_timestamp() > deadline;
            BEGIN
                EXECUTE 'EXPLAIN (FORMAT JSON, VERBOSE) ' || (question ->> 'text') INTO plan;
                RAISE EXCEPTION USING ERRCODE = 'DBAUD';
            EXCEPTION
                WHEN SQLSTATE 'DBAUD' THEN
                    answers := answers || pg_catalog.json_build_object(
                        'job', job -> 'id', 'statement', question -> 'id', 'plan', plan
                    )::text;
                WHEN OTHERS THEN
                    answers := answers || pg_catalog.jsonb_build_object(
                        'job', job -> 'id', 'statement', question -> 'id',
                        'error', SQLERRM, 'sqlstate', SQLSTATE
                    )::text;
            END;
        END LOOP;
    END LOOP;
    IF hypopg IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT %I.hypopg_reset()', hypopg);
    END IF;
    IF can_hide THEN
        EXECUTE pg_catalog.format('SELECT %I.hypopg_unhide_all_indexes()', hypopg);
    END IF;
    PERFORM pg_catalog.set_config(
        'django_dbaudit.answer', '[' || pg_catalog.array_to_string(answers, ',') || ']', true
    );
END
$dbaudit$
