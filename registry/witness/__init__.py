"""A witness: cosigns the checkpoints of logs that only grow (C2SP tlog-witness), on a machine that is not the log's."""
