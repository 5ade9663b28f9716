"""What each category of the Endorsement is, for whoever meets it on a badge: `/achievements/CODE`, JSON and a page.

In our own words, in English and Spanish; each criterion with the key of its source (domain.md 1.2, 2.1 to 2.5, 13).
"""

from html import escape
from typing import Any, Final

import msgspec

from domain.category import CATEGORIES, Category
from registry.certificates import bilingual
from registry.certificates.badge import CONTEXTS
from registry.certificates.bilingual import LANGUAGES


class Criterion(msgspec.Struct, frozen=True):
    en: str
    es: str
    source: str


class Achievement(msgspec.Struct, frozen=True):
    """`description` by language; the English one is signed into badges, so it is never edited."""

    category: Category
    description: dict[str, str]
    criteria: tuple[Criterion, ...]


_AGES: Final = {
    "IMH-E": {
        "en": "pregnancy and the first 36 months of life",
        "es": "el embarazo y los primeros 36 meses de vida",
    },
    "ECMH-E": {"en": "children from 3 up to 6 years", "es": "niñas y niños de 3 hasta 6 años"},
}
_SCOPES: Final = {
    "FA": {"en": "promotion of social and emotional well-being", "es": "promoción del bienestar social y emocional"},
    "FS": {"en": "prevention and early intervention", "es": "prevención e intervención temprana"},
    "FRS": {
        "en": "prevention, and reflective supervision or consultation of others",
        "es": "prevención, y supervisión o consulta reflexiva de otras personas",
    },
    "MHS": {"en": "clinical intervention and treatment", "es": "intervención y tratamiento clínicos"},
    "MHM-C": {"en": "clinical leadership and supervision", "es": "liderazgo y supervisión clínicos"},
    "MHM-P": {
        "en": "leadership in policy and program administration",
        "es": "liderazgo en políticas y administración de programas",
    },
    "MHM-RF": {
        "en": "leadership in research and university teaching",
        "es": "liderazgo en investigación y docencia universitaria",
    },
}
_ALL: Final = (
    Criterion(
        "Member of an association for infant mental health; bound by its code of ethics and endorsement agreement",
        "Pertenece a una asociación de salud mental infantil; se obliga a su código de ética y al acuerdo de aval",
        "CT-ECFA, CT-IFS, MI-ECFA, IN-CAT",
    ),
    Criterion(
        "Showed the competencies of the category in an application that reviewers judged",
        "Demostró las competencias de la categoría en una solicitud que evaluaron revisores",
        "CT-ECFA, CT-IFS, MI-ECFA, IN-CAT",
    ),
    Criterion(
        "Three people who know the work rated it",
        "Tres personas que conocen su trabajo lo calificaron",
        "CT-ECFA, CT-IFS, MI-ECFA, IN-CAT",
    ),
)
_NO_EXAM: Final = "No exam", "Sin examen"
_EXAM: Final = Criterion(
    "An exam of two parts: multiple choice, and written answers that are scored without the name",
    "Un examen de dos partes: opción múltiple y respuestas escritas que se califican sin ver el nombre",
    "CT-IMHM, ALL-EXAM, MA-REG",
)
_DEGREE: Final = Criterion(
    "A master's degree or higher, or a medical degree", "Maestría o título superior, o título de medicina", "CT-IMHM"
)
_LEADER: Final = Criterion(
    "At least 3 years as a leader in the field", "Al menos 3 años de liderazgo en el campo", "CT-IMHM"
)
_HOURS_33: Final = Criterion(
    "At least 33 hours of training, 3 of them on diversity, equity and inclusion",
    "Al menos 33 horas de formación, 3 de ellas sobre diversidad, equidad e inclusión",
    "CT-CHG, CT-IMHM",
)
_OWN: Final[dict[str, tuple[Criterion, ...]]] = {
    "FA": (
        Criterion(
            "A degree or a certificate in child development, or 2 years of related paid work",
            "Un título o certificado en desarrollo infantil, o 2 años de trabajo remunerado afín",
            "IN-CAT, CT-ECFA, MN",
        ),
        Criterion("At least 30 hours of training", "Al menos 30 horas de formación", "CT-ECFA, AL-ECMH"),
        Criterion(*_NO_EXAM, "CT-ECFA"),
    ),
    "FS": (
        Criterion(
            "At least 2 years of paid work in prevention or early intervention",
            "Al menos 2 años de trabajo remunerado en prevención o intervención temprana",
            "CT-IFS",
        ),
        Criterion("At least 30 hours of training", "Al menos 30 horas de formación", "CT-IFS"),
        Criterion(
            "At least 24 hours of reflective supervision or consultation from a qualified provider",
            "Al menos 24 horas de supervisión o consulta reflexiva con una persona cualificada",
            "CT-IFS, MI-RSC, AL-ECMH",
        ),
        Criterion(*_NO_EXAM, "CT-IFS"),
    ),
    "FRS": (
        Criterion(
            "Retired in 2024: the Family Specialist with the add-on Endorsed Reflective Supervisor takes its place",
            "Retirada en 2024: la reemplaza Family Specialist con el complemento Endorsed Reflective Supervisor",
            "AZ-REQ, IN-ERS",
        ),
    ),
    "MHS": (
        Criterion(
            "2 years of supervised, paid psychotherapy with parent and child together",
            "2 años de psicoterapia supervisada y remunerada con progenitor y niño juntos",
            "CT-UPD25",
        ),
        Criterion(
            "A master's degree or higher, or a state licence in mental health",
            "Maestría o título superior, o licencia estatal en salud mental",
            "CT-UPD25",
        ),
        Criterion("At least 33 hours of training", "Al menos 33 horas de formación", "CT-UPD25"),
        Criterion(
            "At least 50 hours of reflective supervision or consultation",
            "Al menos 50 horas de supervisión o consulta reflexiva",
            "AL, IN-CAT, MI-RSC",
        ),
        Criterion("No exam since 2025", "Sin examen desde 2025", "CT-UPD25"),
    ),
    "MHM-C": (
        _DEGREE,
        Criterion(
            "The work asked of a Mental Health Specialist, and 3 years of providing reflective supervision",
            "El trabajo que se pide a un Mental Health Specialist, y 3 años de ofrecer supervisión reflexiva",
            "CT-IMHM",
        ),
        _LEADER,
        Criterion(
            "At least 48 hours of training, 15 of them on providing reflective supervision",
            "Al menos 48 horas de formación, 15 de ellas sobre ofrecer supervisión reflexiva",
            "CT-CHG, CT-IMHM",
        ),
        Criterion(
            "At least 50 hours of reflective supervision received, 25 of them about what one gives to others",
            "Al menos 50 horas de supervisión reflexiva recibida, 25 de ellas sobre la que se ofrece a otros",
            "CT-IMHM, MI-RSC",
        ),
        _EXAM,
    ),
    "MHM-P": (_DEGREE, _LEADER, _HOURS_33, _EXAM),
    "MHM-RF": (_DEGREE, _LEADER, _HOURS_33, _EXAM),
}
_ERS: Final = Criterion(
    "With the add-on Endorsed Reflective Supervisor (ERS): a year of providing reflective supervision, 12 hours"
    " received about it, 15 hours of training in it, 2 more references; Emerging (EERS): on the way, 2 years at most",
    "Con el complemento Endorsed Reflective Supervisor (ERS): un año de ofrecer supervisión reflexiva, 12 horas"
    " recibidas sobre ella, 15 horas de formación en ella y 2 referencias más; Emerging (EERS): en camino, 2 años"
    " como máximo",
    "IN-ERS, AZ-REQ",
)
_WITH_ERS: Final = {"FS", "MHS"}

_WORDS: Final = {
    "en": {
        "lead": "What this endorsement says of a person, and what was asked for it.",
        "scope": "Scope of practice",
        "criteria": "What was asked",
        "varies": "Associations and years differ in details; the rules in force for an application decide it.",
        "licence": "An endorsement is not a licence to practise.",
        "source": "Source",
    },
    "es": {
        "lead": "Qué dice este aval de una persona y qué se le pidió.",
        "scope": "Ámbito de práctica",
        "criteria": "Qué se pidió",
        "varies": "Los detalles cambian según la asociación y el año. Deciden las reglas vigentes para cada solicitud.",
        "licence": "Un aval no es una licencia para ejercer.",
        "source": "Fuente",
    },
}


def _achievement(category: Category) -> Achievement:
    scope, ages = _SCOPES[category.slot], _AGES[category.credential]
    return Achievement(
        category,
        {
            "en": f"Endorsed by an association for infant mental health for {scope['en']}: {ages['en']}.",
            "es": f"Cuenta con el aval de una asociación de salud mental infantil para {scope['es']}: {ages['es']}.",
        },
        (*_ALL, *_OWN[category.slot], *((_ERS,) if category.slot in _WITH_ERS else ())),
    )


ACHIEVEMENTS: Final = {code: _achievement(category) for code, category in CATEGORIES.items()}


def files(host: str) -> dict[str, bytes]:
    """Every file under `achievements/`, by its path."""
    made: dict[str, bytes] = {}
    for code, achievement in ACHIEVEMENTS.items():
        made[f"achievements/{code}"] = as_json(achievement, host)
        made[f"achievements/{code}.html"] = as_page(achievement)
    return made


def as_json(achievement: Achievement, host: str) -> bytes:
    """An Achievement of Open Badges 3.0; the page is its criteria."""
    code = achievement.category.code
    address = f"https://{host}/achievements/{code}"
    value: dict[str, Any] = {
        "@context": list(CONTEXTS[:2]),
        "id": address,
        "type": ["Achievement"],
        "achievementType": "Certification",
        "name": achievement.category.title,
        "humanCode": code,
        "inLanguage": "en",
        "description": achievement.description["en"],
        "criteria": {
            "id": f"{address}.html",
            "narrative": "\n".join(f"* {one.en}." for one in achievement.criteria),
        },
        "creator": {"id": f"did:web:{host}", "type": ["Profile"]},
        "related": [{"id": f"{address}.html#es", "type": ["Related"], "inLanguage": "es"}],
    }
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def as_page(achievement: Achievement) -> bytes:
    """What it is, and what is asked for it, each with its source."""
    return bilingual.page(
        achievement.category.title,
        achievement.category.code,
        {language: _tell(achievement, language) for language in LANGUAGES},
    )


def _tell(achievement: Achievement, language: str) -> str:
    words = _WORDS[language]
    criteria = "".join(
        f"<li>{escape(one.en if language == 'en' else one.es)}."
        f" <small>{words['source']}: {escape(one.source)}</small></li>\n"
        for one in achievement.criteria
    )
    return (
        f"<p>{words['lead']}</p>\n<p>{escape(achievement.description[language])}</p>\n"
        f"<p>{words['scope']}: {_SCOPES[achievement.category.slot][language]}.</p>\n"
        f"<h3>{words['criteria']}</h3>\n<ul>\n{criteria}</ul>\n<p>{words['varies']} {words['licence']}</p>\n"
    )
