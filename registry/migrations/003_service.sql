-- What the service itself needs: who may come in, and who looked at what. No facts of the Endorsement.

CREATE TABLE service.api_keys (
    id text PRIMARY KEY,
    secret_sha256 bytea NOT NULL UNIQUE,
    role text NOT NULL,
    association text NOT NULL DEFAULT '',
    person text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    withdrawn_at timestamptz,
    last_used_on date
);

-- Links that let somebody in once.
CREATE TABLE service.entries (
    token_sha256 bytea PRIMARY KEY,
    role text NOT NULL,
    association text NOT NULL DEFAULT '',
    person text NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE service.sessions (
    token_sha256 bytea PRIMARY KEY,
    role text NOT NULL,
    association text NOT NULL DEFAULT '',
    person text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Who read confidential data of which record, once a day, and why.
CREATE TABLE service.access (
    actor text NOT NULL,
    record text NOT NULL,
    day date NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (actor, record, day)
);
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON service.access
    FOR EACH STATEMENT EXECUTE FUNCTION registry.immutable();
ALTER TABLE service.access ENABLE ALWAYS TRIGGER immutable;

GRANT USAGE ON SCHEMA service TO registry_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON service.api_keys, service.entries, service.sessions TO registry_writer;
GRANT SELECT, INSERT ON service.access TO registry_writer;
