"""The running service of the Endorsement Registry."""
