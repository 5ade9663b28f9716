"""Every decision of the history again, under its own edition and under another one; nothing is recorded."""
