-- Several commands in one commit: each as if alone, one after the other, each done or refused for itself.

CREATE FUNCTION registry.append_each(
    -- Of each command: how many of the events and of the claims are its own, in order.
    event_counts integer[], claim_counts integer[],
    streams text[], versions bigint[], topics text[], states bytea[],
    claim_event integer[], claim_name text[], claim_take boolean[],
    -- One of each a command, as in registry.append.
    actors text[], requests text[], request_bodies text[]
)
-- `refused`: the SQLSTATE that registry.append raised alone, and what it was about; nothing of that command is stored.
RETURNS TABLE (first_position bigint, event_count integer, repeated boolean, refused text, about text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e integer := 0;
    c integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(71630001);
    FOR n IN 1 .. cardinality(event_counts) LOOP
        BEGIN
            refused := NULL;
            about := NULL;
            SELECT a.first_position, a.event_count, a.repeated INTO first_position, event_count, repeated
            FROM registry.append(
                streams[e + 1 : e + event_counts[n]], versions[e + 1 : e + event_counts[n]],
                topics[e + 1 : e + event_counts[n]], states[e + 1 : e + event_counts[n]],
                claim_event[c + 1 : c + claim_counts[n]], claim_name[c + 1 : c + claim_counts[n]],
                claim_take[c + 1 : c + claim_counts[n]], actors[n], requests[n], request_bodies[n]
            ) AS a;
        EXCEPTION WHEN unique_violation OR SQLSTATE 'ER001' OR SQLSTATE 'ER002' OR SQLSTATE 'ER004' THEN
            refused := SQLSTATE;
            about := SQLERRM;
        END;
        RETURN NEXT;
        e := e + event_counts[n];
        c := c + claim_counts[n];
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION registry.append_each FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registry.append_each TO registry_writer;
