-- Who moved from which association to which is asked of all streams at once; these events are few.
CREATE INDEX events_custody_idx ON registry.events (notification_id) WHERE topic = 'endorsement.custody_transferred';
