"""The rows of faults: what is done, what has to come of it, what is left out and why; docs/faults.md is made of it."""

from typing import NamedTuple


class Row(NamedTuple):
    """`why` is given for a row that is left out."""

    fault: str
    passes: str
    why: str = ""


_NO_SQLITE = "The store is PostgreSQL only. "
_LEDGER = "The witness keeps one row a log in SQLite, with `synchronous=EXTRA`; `tests/witness/` has its tests."

ROWS: dict[int, Row] = {
    1: Row("kill -9 at every system call of an append to SQLite", "", _NO_SQLITE + _LEDGER),
    2: Row("EIO and ENOSPC at every system call of an append to SQLite", "", _NO_SQLITE + _LEDGER),
    3: Row("power loss with torn and dropped writes under SQLite", "", _NO_SQLITE + "What PostgreSQL's own write-ahead "
           "log survives is not ours to show; that nothing turns it off is: R6 runs with `fsync` and checksums on."),
    4: Row("the disk is full while commands come, then there is space again",
           "each command done or refused whole; appends go on once there is space (after a restart where the "
           "write-ahead log had none)"),
    5: Row("reads, writes and flushes of the server fail at random (EIO)",
           "each command done or refused whole; after a restart everything acknowledged is there"),
    6: Row("the server and all its processes killed (-9) under load, again and again",
           "nothing acknowledged is lost, nothing called failed is there; answers within 10 s of its return"),
    7: Row("the database stopped, and paused (SIGSTOP)",
           "503 with Retry-After within 6 s, always; /ready red in 2 s (5 s when it is silent), green 5 s after"),
    8: Row("connections ended by the server at random under load", "each command done or not done, whole"),
    9: Row("the connection cut just before and just after the commit", "the answer is what is stored"),
    10: Row("the same request again: one after the other, eight at once, with another body, after a restart",
            "done once; the same answer; 422 to another body"),
    11: Row("writers in several processes, and a reader who follows", "the reader sees every event, in order"),
    12: Row("the primary killed, its synchronous standby promoted",
            "nothing acknowledged is lost; writes go on by themselves within 15 s"),
    13: Row("the process that makes the views killed (-9) in the middle; two at once; an event that can't be read",
            "every event counted once, views equal to a rebuild; the event is named and stops the worker (*ours*: "
            "parking it would show views that skip something)"),
    14: Row("the publisher killed at every step", "readers see an old or a new set, whole; the checkpoint comes last"),
    15: Row("a backup taken under load and restored; a restore to a chosen time",
            "fsck passes; every command acknowledged before is there, none after"),
    16: Row("history changed by hand as superuser: eight ways", "fsck names stream and version; no false alarm"),
    17: Row("the database rolled back to an older copy", "found at the next publication"),
    18: Row("two copies of the log both sign", "one of them is refused; never two checkpoints of one size"),
    19: Row("clocks that are wrong, jump, and step back; leap days, daylight saving",
            "order is by position; days end in their own zone, to the second; an expired certificate stays expired"),
    20: Row("everything is gone but the backup, the keys and the master key",
            "a new machine serves within 5 minutes, and old QR codes verify"),
    21: Row("whatever a check needs is missing, cut short, damaged, out of date", "never *valid*: it can't be checked"),
    22: Row("SIGTERM under load, one server after the other", "no answer is an error; who was hung up on "
            "before being taken is served by the other; it ends within 10 s"),
    23: Row("10 MB of QR text, deeply nested JSON, 100,000 rows, long streams",
            "small ones refused within 100 ms, megabytes within 2 s; memory grows by 50 MB at most"),
    24: Row("eight processes start and migrate at once", "all of them work; every migration runs once"),
}  # fmt: skip
