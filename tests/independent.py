"""Who had fewer hours of RSC than a number when they were endorsed: plain SQL and JSON, nothing of ours."""

import json
from typing import Any

# The slots that ask for RSC, by how the numbers of their categories begin.
ASK = ("IFS-", "ECFS-", "IFRS-", "ECFRS-", "IMHS-", "ECMHS-", "IMHM-C-", "ECMHM-C-")


def below(connection: Any, hours: float) -> tuple[dict[str, float], set[tuple[str, int]]]:
    """Number and hours of each award that rests on fewer; stream and version of each submission without an award."""
    rows = connection.execute(
        "SELECT originator_id, originator_version, topic, convert_from(state, 'UTF8') FROM registry.events"
        " WHERE originator_id LIKE 'application/%' ORDER BY originator_id, originator_version"
    ).fetchall()
    awards: dict[str, float] = {}
    submissions: set[tuple[str, int]] = set()
    category: dict[str, str] = {}
    last: dict[str, tuple[int, float]] = {}

    def stays(stream: str) -> None:
        version, had = last.pop(stream, (0, hours))
        if had < hours and f"{category[stream]}-" in ASK:
            submissions.add((stream, version))

    for stream, version, topic, state in rows:
        event = json.loads(state)
        if topic == "application.started":
            # An add-on asks for other things.
            category[stream] = event.get("add_on") or event["category"]
        elif topic == "application.category_changed":
            category[stream] = event["to"]
        elif topic in ("application.submitted", "application.amended"):
            stays(stream)
            last[stream] = version, (event.get("snapshot") or event)["tally"]["rsc"]
        elif topic == "application.approved":
            _, had = last.pop(stream)
            if had < hours and f"{category[stream]}-" in ASK:
                awards[event["number"]] = had
    for stream in list(last):
        stays(stream)
    return awards, submissions
