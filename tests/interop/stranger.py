"""Runs where python-cwt is installed and nothing of ours: what does a stranger make of our tokens?

Reads {"keys": [hex], "tokens": [hex]} and writes one list: the claims of each token, or null where it refuses.
"""

import json
import sys

from cwt import COSEKey, VerifyError, decode


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def read(token, keys):
    try:
        return plain(decode(token, keys))
    except (VerifyError, ValueError):
        return None


asked = json.load(sys.stdin)
trusted = [
    COSEKey.new({1: 1, -1: 6, 3: -8, 2: bytes.fromhex(row["kid"]), -2: bytes.fromhex(row["x"])})
    for row in asked["keys"]
]
json.dump([read(bytes.fromhex(token), trusted) for token in asked["tokens"]], sys.stdout)
