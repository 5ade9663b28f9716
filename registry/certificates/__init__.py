"""Certificates: keys, QR text, paper, status lists and the static plane."""
