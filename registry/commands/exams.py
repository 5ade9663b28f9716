"""Deeds on exams: book, score blind, decide."""

from registry.commands.shared import Shared


class Exams(Shared):
    """Deeds on exams: book, score blind, decide."""
