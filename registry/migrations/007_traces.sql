-- What a deleted event leaves behind: `fsck` reads which stream a claim was made by, and where. No names, no bodies.
GRANT SELECT (stream, position) ON registry.claims TO registry_reader;
