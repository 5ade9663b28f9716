"""The log: history that proves itself (design section 6)."""
