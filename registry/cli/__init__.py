"""The registry command, one module per group of commands."""
