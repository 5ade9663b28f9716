-- The vault: one wrapped key per person and class, with its own owner and its own backup.

SET LOCAL ROLE registry_keeper;

CREATE TABLE vault.person_keys (
    person text NOT NULL,
    kind text NOT NULL,
    -- NULL once destroyed: the row stays and refuses a new key.
    wrapped bytea,
    created_at timestamptz NOT NULL,
    destroyed_at timestamptz,
    PRIMARY KEY (person, kind),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE FUNCTION vault.destroyed_stays_destroyed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.person, NEW.kind) = (OLD.person, OLD.kind) AND OLD.destroyed_at IS NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% of a key row is refused: a destroyed key stays destroyed', TG_OP USING ERRCODE = 'ER003';
END $$;

CREATE TRIGGER tombstone BEFORE UPDATE OR DELETE ON vault.person_keys
    FOR EACH ROW EXECUTE FUNCTION vault.destroyed_stays_destroyed();
CREATE TRIGGER tombstones BEFORE TRUNCATE ON vault.person_keys
    FOR EACH STATEMENT EXECUTE FUNCTION vault.destroyed_stays_destroyed();

SET LOCAL ROLE registry_owner;
