-- Appends cost less: what is rare is asked only where it can be. And several commands may share a commit.

-- As before (001), step by step.
CREATE OR REPLACE FUNCTION registry.append(
    streams text[], versions bigint[], topics text[], states bytea[],
    claim_event integer[], claim_name text[], claim_take boolean[],
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

    IF event_count = 1 THEN
        INSERT INTO registry.events (originator_id, originator_version, topic, state, notification_id)
        VALUES (streams[1], versions[1], topics[1], states[1], first_position);
    ELSE
        INSERT INTO registry.events (originator_id, originator_version, topic, state, notification_id)
        SELECT e.stream, e.version, e.topic, e.state, first_position - 1 + e.n
        FROM unnest(streams, versions, topics, states) WITH ORDINALITY AS e (stream, version, topic, state, n)
        ORDER BY e.n;
    END IF;

    -- A stream has no holes either: every version but the first stands on the one before.
    IF 1 < ANY (versions) AND EXISTS (
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

-- Several commands in one commit: each as if alone, one after the other, each done or refused for itself.
CREATE FUNCTION registry.append_each(
    -- Of each command: how many of the events and of the claims are its own, in order.
    event_counts integer[], claim_counts integer[],
    streams text[], versions bigint[], topics text[], states bytea[],
    -- `claim_event` counts from 1 through the events of all of them.
    claim_event integer[], claim_name text[], claim_take boolean[],
    -- One of each a command, as in registry.append.
    actors text[], requests text[], request_bodies text[]
)
-- `refused`: the SQLSTATE that registry.append raised alone, and what it was about; nothing of that command is stored.
RETURNS TABLE (first_position bigint, event_count integer, repeated boolean, refused text, about text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last bigint;
    done integer := 0;  -- events
    claimed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(71630001);

    -- Nearly always nobody is in anybody's way: all at once.
    IF NOT false = ANY (claim_take) THEN
        last := (SELECT coalesce(max(notification_id), 0) FROM registry.events);
        BEGIN
            INSERT INTO registry.events (originator_id, originator_version, topic, state, notification_id)
            SELECT new.stream, new.version, new.topic, new.state, last + new.n
            FROM unnest(streams, versions, topics, states) WITH ORDINALITY AS new (stream, version, topic, state, n)
            ORDER BY new.n;

            IF 1 < ANY (versions) AND EXISTS (
                SELECT FROM unnest(streams, versions) AS new (stream, version)
                WHERE new.version > 1 AND NOT EXISTS (
                    SELECT FROM registry.events AS before
                    WHERE before.originator_id = new.stream AND before.originator_version = new.version - 1
                )
            ) THEN
                RAISE EXCEPTION 'an earlier version is missing' USING ERRCODE = 'ER004';
            END IF;

            IF cardinality(claim_name) > 0 THEN
                INSERT INTO registry.claims (name, stream, position)
                SELECT new.name, streams[new.number], last + new.number
                FROM unnest(claim_event, claim_name) AS new (number, name);
            END IF;

            INSERT INTO registry.claims (name, stream, position, body, events)
            SELECT 'request/' || new.actor || '/' || new.key, streams[new.before + 1], last + new.before + 1,
                new.body, new.events
            FROM (
                SELECT command.*, (sum(command.events) OVER (ORDER BY command.n) - command.events)::integer AS before
                FROM unnest(actors, requests, request_bodies, event_counts) WITH ORDINALITY
                    AS command (actor, key, body, events, n)
            ) AS new
            WHERE new.key <> '';

            PERFORM pg_notify('events', '');
            repeated := false;
            FOR n IN 1 .. cardinality(event_counts) LOOP
                first_position := last + done + 1;
                event_count := event_counts[n];
                RETURN NEXT;
                done := done + event_counts[n];
            END LOOP;
            RETURN;
        EXCEPTION WHEN unique_violation OR SQLSTATE 'ER004' THEN
            NULL;  -- nothing of it is stored: one after the other, to see which of them it was
        END;
    END IF;

    FOR n IN 1 .. cardinality(event_counts) LOOP
        BEGIN
            refused := NULL;
            about := NULL;
            SELECT a.first_position, a.event_count, a.repeated INTO first_position, event_count, repeated
            FROM registry.append(
                streams[done + 1 : done + event_counts[n]], versions[done + 1 : done + event_counts[n]],
                topics[done + 1 : done + event_counts[n]], states[done + 1 : done + event_counts[n]],
                ARRAY(
                    SELECT number - done
                    FROM unnest(claim_event[claimed + 1 : claimed + claim_counts[n]]) WITH ORDINALITY AS c (number, nth)
                    ORDER BY nth
                ),
                claim_name[claimed + 1 : claimed + claim_counts[n]],
                claim_take[claimed + 1 : claimed + claim_counts[n]], actors[n], requests[n], request_bodies[n]
            ) AS a;
        EXCEPTION WHEN unique_violation OR SQLSTATE 'ER001' OR SQLSTATE 'ER002' OR SQLSTATE 'ER004' THEN
            refused := SQLSTATE;
            about := SQLERRM;
        END;
        RETURN NEXT;
        done := done + event_counts[n];
        claimed := claimed + claim_counts[n];
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION registry.append_each FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registry.append_each TO registry_writer;
