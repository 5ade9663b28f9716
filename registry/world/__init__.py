"""A made-up history of the whole Endorsement, the same for the same seed: `registry world`."""
