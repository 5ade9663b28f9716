-- How far each employer was told by its webhook, and what it answered last: the rest is in the log.
CREATE TABLE service.deliveries (
    employer text PRIMARY KEY,
    cursor bigint NOT NULL,
    handled bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    next_at timestamptz,
    answer text NOT NULL DEFAULT '',
    delivered_at timestamptz
);

-- How often a shared link was opened on a day: by the hash of its code, nothing of who opened it.
CREATE TABLE service.openings (
    link text NOT NULL,
    day date NOT NULL,
    times integer NOT NULL,
    PRIMARY KEY (link, day)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON service.deliveries TO registry_writer;
GRANT SELECT, INSERT, UPDATE ON service.openings TO registry_writer;
