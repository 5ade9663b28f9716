"""A page of the static plane, in English and in Spanish; no style, no script: any server hands it out as it is."""

from collections.abc import Mapping
from html import escape
from typing import Final

LANGUAGES: Final = ("en", "es")
_CHECK: Final = {"en": "Check a certificate", "es": "Comprobar un certificado"}


def page(name: str, code: str, said: Mapping[str, str]) -> bytes:
    """The page of what has this English name and code; `said` is the HTML to say of it, by language."""
    name, code = escape(name), escape(code)
    sections = "".join(
        f'<section id="{language}" lang="{language}">\n<h2><bdi lang="en">{name}</bdi></h2>\n{said[language]}'
        f'<p><a href="/v1?lang={language}">{_CHECK[language]}</a></p>\n</section>\n'
        for language in LANGUAGES
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{name} ({code})</title>\n</head>\n<body>\n<main>\n<h1>{name} ({code})</h1>\n"
        f'<p><a href="#es" lang="es" hreflang="es">Español</a></p>\n{sections}</main>\n</body>\n</html>\n'
    ).encode()
