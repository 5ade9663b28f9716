"""Checks certificates, status and log proofs with nothing of the registry installed."""
