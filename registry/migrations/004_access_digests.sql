-- Who read what is kept outside the log; its daily digest is an event (design section 5), so who makes and who
-- checks the digest may read it.
GRANT USAGE ON SCHEMA service TO registry_reader;
GRANT SELECT ON service.access TO registry_reader;
CREATE INDEX access_day ON service.access (day);
