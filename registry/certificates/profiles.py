"""Each association, for whoever meets it on a badge as the source: `/associations/CODE`, JSON and a page.

Folded from its events; in English and Spanish.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from html import escape
from typing import Any, Final

import msgspec

from domain.association import ALLIANCE, ROWS, Association, Former
from registry.certificates import bilingual
from registry.certificates.badge import CONTEXTS
from registry.certificates.status import Row

TOPICS: Final = (Association.Admitted.topic, Association.Renamed.topic)

_WORDS: Final = {
    "en": {
        "member": "A member of the {alliance}, for {jurisdiction}.",
        "alliance": "It licenses the associations, and holds the endorsements of places without one.",
        "formerly": "Until {through} its name was {name}.",
        "awards": "An endorsement is awarded by the association; this registry keeps the record of it.",
    },
    "es": {
        "member": "Forma parte de la {alliance}, para {jurisdiction}.",
        "alliance": "Otorga licencias a las asociaciones y tiene a su cargo los avales de lugares sin asociación.",
        "formerly": "Hasta el {through} se llamaba {name}.",
        "awards": "El aval lo otorga la asociación; este registro guarda la constancia.",
    },
}


class _On(msgspec.Struct):
    on: date


class _Known(msgspec.Struct):
    """What the events of an association say of it that is told to everybody."""

    name: str
    abbreviation: str
    jurisdiction: str = ""
    formerly: tuple[Former, ...] = ()


class Profiles:
    """Every association that was admitted, as it is called now."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._stale: set[str] = set()

    def advance(self, rows: Iterable[Row]) -> None:
        for _, stream, topic, state in rows:
            code = stream.partition("/")[2]
            said = msgspec.json.decode(state, type=_Known)
            if topic == Association.Renamed.topic:
                before, on = self._known[code], msgspec.json.decode(state, type=_On).on
                last = Former(before.name, before.abbreviation, on - timedelta(days=1), "")
                said = msgspec.structs.replace(
                    said, jurisdiction=before.jurisdiction, formerly=(*before.formerly, last)
                )
            self._known[code] = said
            self._stale.add(code)

    def take_stale(self, host: str) -> dict[str, bytes]:
        """The files under `associations/` of those of which something was heard since this was asked last."""
        stale, self._stale = self._stale, set()
        made: dict[str, bytes] = {}
        for code in sorted(stale):
            made[f"associations/{code}"] = self._as_json(code, host)
            made[f"associations/{code}.html"] = self._as_page(code)
        return made

    def _as_json(self, code: str, host: str) -> bytes:
        """A Profile of Open Badges 3.0."""
        known, home = self._known[code], f"https://{host}/associations"
        value: dict[str, Any] = {
            "@context": list(CONTEXTS[:2]),
            "id": f"{home}/{code}",
            "type": ["Profile"],
            "name": known.name,
            "url": f"{home}/{code}.html",
            "description": self._describe(code, "en"),
        }
        if code != ALLIANCE:
            value["parentOrg"] = {"id": f"{home}/{ALLIANCE}", "type": ["Profile"], "name": self._alliance}
        return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"

    def _as_page(self, code: str) -> bytes:
        known = self._known[code]
        return bilingual.page(
            known.name, known.abbreviation, {language: self._tell(code, language) for language in _WORDS}
        )

    def _tell(self, code: str, language: str) -> str:
        words = _WORDS[language]
        formerly = [
            words["formerly"].format(name=one.name, through=one.through.isoformat())
            for one in self._known[code].formerly
        ]
        return "".join(
            f"<p>{escape(said)}</p>\n" for said in (self._describe(code, language), *formerly, words["awards"])
        )

    def _describe(self, code: str, language: str) -> str:
        words = _WORDS[language]
        if code == ALLIANCE:
            return words["alliance"]
        return words["member"].format(alliance=self._alliance, jurisdiction=self._known[code].jurisdiction)

    @property
    def _alliance(self) -> str:
        known = self._known.get(ALLIANCE)
        return known.name if known else ROWS[ALLIANCE].name
