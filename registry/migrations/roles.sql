-- Roles and schemas, made before the numbered files by whoever may make roles. Safe to repeat, and to
-- run at the same time for several databases of one server: roles belong to the whole server.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'registry_owner', 'registry_writer', 'registry_projector', 'registry_reader', 'registry_keeper'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's migration made it in this moment
            END;
        END IF;
    END LOOP;

    -- The owner may become these two to make their tables; NOINHERIT: it has none of their rights before.
    FOREACH wanted IN ARRAY ARRAY['registry_keeper', 'registry_projector'] LOOP
        IF NOT pg_has_role('registry_owner', wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO registry_owner', wanted);
        END IF;
    END LOOP;
    -- Who is no superuser has to be a member to give away a schema.
    FOREACH wanted IN ARRAY ARRAY['registry_owner', 'registry_keeper', 'registry_projector'] LOOP
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;

    EXECUTE format('GRANT TEMPORARY, CREATE ON DATABASE %I TO registry_projector', current_database());
END $$;

CREATE SCHEMA IF NOT EXISTS registry AUTHORIZATION registry_owner;
CREATE SCHEMA IF NOT EXISTS service AUTHORIZATION registry_owner;
CREATE SCHEMA IF NOT EXISTS vault AUTHORIZATION registry_keeper;
CREATE SCHEMA IF NOT EXISTS views AUTHORIZATION registry_projector;

-- Whatever the projector makes, here or in the scratch schema of a rebuild, may be read.
ALTER DEFAULT PRIVILEGES FOR ROLE registry_projector GRANT SELECT ON TABLES TO registry_reader, registry_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE registry_projector GRANT USAGE ON SCHEMAS TO registry_reader, registry_writer;
GRANT USAGE ON SCHEMA views TO registry_reader, registry_writer;

CREATE TABLE IF NOT EXISTS registry.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE registry.migrations OWNER TO registry_owner;
