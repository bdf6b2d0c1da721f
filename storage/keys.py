"""Keyed hashes: what lets a value be found, or a person be recognised, by nobody without the key."""

import hashlib
import hmac


def keyed(key: bytes, kind: str, value: str) -> str:
    """The HMAC-SHA-256 of a value, in hexadecimal; `kind` keeps hashes of different things apart."""
    return hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


def hashed(token: str) -> str:
    """The SHA-256 of something that is random enough by itself, such as a one-time link's token."""
    return hashlib.sha256(token.encode()).hexdigest()
