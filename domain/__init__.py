"""The rules of the Endorsement: what may happen, and what is remembered."""
