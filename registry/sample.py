"""Made-up association exports for the demo: deterministic from a seed, with the slips that real files have."""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from domain.association import ROWS
from domain.category import CURRENT
from domain.editions import cycle_due, next_due

COLUMNS = (
    "Record ID", "Association", "First Name", "Last Name", "Credentials", "Email", "Category", "Date Earned",
    "Valid Through", "Status", "Residence",
)  # fmt: skip

# Made up for this file; any likeness is chance.
_FIRST = (
    "Abena", "Adaeze", "Aiyana", "Beatriz", "Caoimhe", "Dolores", "Elif", "Fionnuala", "Gwendolyn", "Hanako", "Imani",
    "Jelena", "Kanoa", "Léa", "Marisol", "Ngọc", "Oona", "Priya", "Quetzalli", "Rashida", "Siobhán", "Tāne", "Ursula",
    "Veronika", "Wilhelmina", "Ximena", "Yusra", "Zainab",
)  # fmt: skip
_LAST = (
    "Achterberg", "Begay", "Castañeda", "Delacroix-Moore", "Eriksdóttir", "Featherstone", "Gutiérrez", "Hallorann",
    "Iwasaki", "Jankowska", "Kealoha", "Lindqvist", "McAllister", "Nakai", "O’Dowd", "Papadakis", "Quispe", "Robichaud",
    "Sørensen", "Tran", "Uchenna", "Valdivia", "Whitehorse", "Yamamoto", "Zielińska",
)  # fmt: skip
# Who rates the applicants of the demo: what they are to them, and a name.
RATERS = (
    ("supervisor", "Temperance Okonkwo-Reyes"), ("rsc_provider", "Ingeborg Whitehorse"), ("teacher", "Solomon Nakai"),
)  # fmt: skip
_CREDENTIALS = ("", "", "LMSW", "MSW, LCSW", "MA, LPC", "RN", "PhD", "EdD")
_WEIGHTS = {"IFA": 2, "ECFA": 1, "IFS": 9, "ECFS": 3, "IMHS": 6, "ECMHS": 2, "IMHM-C": 3}


class Row:
    """One person's record, as it stands on the day of a file."""

    def __init__(self, number: int, random: Random, association: str, before: date, category: str = "") -> None:
        self.association = association
        self.record = f"{association}-{number:04d}"
        self.first, self.last = random.choice(_FIRST), random.choice(_LAST)
        self.credentials = random.choice(_CREDENTIALS)
        offered = [code for code in _WEIGHTS if code in ROWS[association].offers]
        weights = [_WEIGHTS[code] for code in offered]
        self.category = category or random.choices(offered, weights)[0]
        self.awarded = before - timedelta(days=random.randrange(400, 5000))
        self.through = cycle_due(before, association)
        self.status = "Active"

    def renew(self) -> None:
        self.through = next_due(self.through, self.association)

    def cells(self, slip: str = "") -> list[str]:
        awarded = {"day": "31/31/2019", "future": f"{self.awarded.year + 60}-01-01"}.get(slip, self.awarded.isoformat())
        email = "" if slip == "address" else f"{self.record.lower()}@example.org"
        return [
            self.record, self.association, self.first, self.last, self.credentials, email, self.category, awarded,
            self.through.isoformat(), self.status, self.association,
        ]  # fmt: skip


def people(seed: int, count: int, before: date) -> list[Row]:
    """`count` records across the associations; the first four are Virginia's reviewers and mentor."""
    random = Random(seed)  # noqa: S311 - made-up people, not secrets
    codes = [code for code in ROWS if code != "ALLIANCE"]
    first = [Row(n, random, "VA", before, category) for n, category in enumerate(("IMHM-C", "IFS", "IMHS", "IFS"), 1)]
    rest = [
        Row(n, random, random.choices(codes, [8 if code in ("VA", "CT", "MI") else 1 for code in codes])[0], before)
        for n in range(len(first) + 1, count + 1)
    ]
    return first + rest


def later(seed: int, rows: Sequence[Row], through: date) -> None:
    """What the next file says: most renewed, some lapsed or inactive, one with a new name."""
    random = Random(seed)  # noqa: S311
    for number, row in enumerate(rows):
        kept = random.random() < 0.85 or number < 4  # noqa: PLR2004
        while kept and row.through < through:
            row.renew()
        row.status = "Active" if kept else random.choice(("Lapsed", "Lapsed", "Inactive"))
    rows[-1].last = f"{rows[-1].last}-Moreau"


def export(rows: Sequence[Row], slips: bool = False) -> bytes:
    """The file, in UTF-8 with BOM and CRLF; `slips`: with a bad day, a future day, a lost address and a row twice."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    wrong = {len(rows) - 2: "day", len(rows) - 3: "future", len(rows) - 4: "address"} if slips else {}
    for number, row in enumerate(rows):
        writer.writerow(row.cells(wrong.get(number, "")))
    if slips:
        writer.writerow(rows[0].cells())
    return out.getvalue().encode("utf-8-sig")


assert set(_WEIGHTS) <= set(CURRENT)  # noqa: S101 - a typing slip above shows at once
