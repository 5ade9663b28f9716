-- The event store: events, claims, and the one way to append. Runs as registry_owner.

CREATE TABLE registry.events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL CHECK (originator_version > 0),
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL CHECK (notification_id > 0),
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    -- Rows are only ever added: vacuum for the visibility map, analyze for the planner.
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.02
);
CREATE UNIQUE INDEX events_notification_id_idx ON registry.events (notification_id);

-- Names that one stream at a time may hold. Derived from the events; `registry` can rebuild it.
CREATE TABLE registry.claims (
    name text COLLATE "C" PRIMARY KEY,
    stream text NOT NULL,
    position bigint NOT NULL,
    -- Only of a request (name `request/ACTOR/KEY`): an HMAC of its body, and how many events it recorded.
    body text,
    events integer
);

CREATE FUNCTION registry.immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: history is only added to', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'ER003';
END $$;

CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.events
    FOR EACH STATEMENT EXECUTE FUNCTION registry.immutable();
-- ALWAYS: not even session_replication_role = replica passes it.
ALTER TABLE registry.events ENABLE ALWAYS TRIGGER immutable;

-- Appends in one round trip. Everybody who appends passes this lock, so insert order is commit order,
-- positions have no gaps, and a reader that has seen position n has seen every position below it.
-- Parallel arrays and not an array of a composite: psycopg sends them in binary.
CREATE FUNCTION registry.append(
    streams text[], versions bigint[], topics text[], states bytea[],
    -- Claims in the order of their events: which event (from 1), the name, taken (or released).
    claim_event integer[], claim_name text[], claim_take boolean[],
    -- The request: who, key, HMAC of the body; an empty key when there is none.
    actor text, request text, request_body text,
    OUT first_position bigint, OUT event_count integer, OUT repeated boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    request_name text := 'request/' || actor || '/' || nullif(request, '');
    earlier registry.claims;
BEGIN
    PERFORM pg_advisory_xact_lock(71630001);

    IF request_name IS NOT NULL THEN
        SELECT * INTO earlier FROM registry.claims WHERE name = request_name;
        IF FOUND THEN
            IF earlier.body IS DISTINCT FROM request_body THEN
                RAISE EXCEPTION 'the key was used with another body' USING ERRCODE = 'ER001';
            END IF;
            first_position := earlier.position;
            event_count := earlier.events;
            repeated := true;
            RETURN;
        END IF;
    END IF;

    first_position := (SELECT coalesce(max(notification_id), 0) + 1 FROM registry.events);
    event_count := cardinality(streams);
    repeated := false;

    INSERT INTO registry.events (originator_id, originator_version, topic, state, notification_id)
    SELECT e.stream, e.version, e.topic, e.state, first_position - 1 + e.n
    FROM unnest(streams, versions, topics, states) WITH ORDINALITY AS e (stream, version, topic, state, n)
    ORDER BY e.n;

    -- A stream has no holes either: every version but the first stands on the one before.
    IF EXISTS (
        SELECT FROM unnest(streams, versions) AS e (stream, version)
        WHERE e.version > 1 AND NOT EXISTS (
            SELECT FROM registry.events AS before
            WHERE before.originator_id = e.stream AND before.originator_version = e.version - 1
        )
    ) THEN
        RAISE EXCEPTION 'an earlier version is missing' USING ERRCODE = 'ER004';
    END IF;

    FOR i IN 1 .. cardinality(claim_name) LOOP
        IF claim_take[i] THEN
            INSERT INTO registry.claims (name, stream, position)
            VALUES (claim_name[i], streams[claim_event[i]], first_position - 1 + claim_event[i])
            ON CONFLICT (name) DO NOTHING;
            IF NOT FOUND AND NOT EXISTS (
                SELECT FROM registry.claims WHERE name = claim_name[i] AND stream = streams[claim_event[i]]
            ) THEN
                -- The kind only: the rest of a name may be somebody's.
                RAISE EXCEPTION '%', split_part(claim_name[i], '/', 1) USING ERRCODE = 'ER002';
            END IF;
        ELSE
            DELETE FROM registry.claims
            WHERE name = claim_name[i] AND stream = streams[claim_event[i]];
        END IF;
    END LOOP;

    IF request_name IS NOT NULL THEN
        INSERT INTO registry.claims (name, stream, position, body, events)
        VALUES (request_name, streams[1], first_position, request_body, event_count);
    END IF;

    PERFORM pg_notify('events', '');
END $$;

REVOKE ALL ON FUNCTION registry.append FROM PUBLIC;
GRANT USAGE ON SCHEMA registry TO registry_writer, registry_projector, registry_reader;
GRANT SELECT ON registry.events TO registry_writer, registry_projector, registry_reader;
GRANT SELECT ON registry.claims TO registry_writer;
GRANT EXECUTE ON FUNCTION registry.append TO registry_writer;
GRANT SELECT ON registry.migrations TO registry_writer, registry_projector, registry_reader;
