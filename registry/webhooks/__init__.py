"""Alerts to employers' own addresses: what is said, how it is sent, and who is still to be told."""
