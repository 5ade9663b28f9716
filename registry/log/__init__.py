"""The transparency log: every event a leaf, published as tiles and a signed checkpoint."""
