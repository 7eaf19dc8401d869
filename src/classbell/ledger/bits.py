"""Fingerprints between Python (unsigned) and SQL (the signed number with the same 64 bits)."""


def signed(fingerprint: int) -> int:
    """As SQL stores it."""
    return fingerprint - (1 << 64) if fingerprint >= 1 << 63 else fingerprint


def unsigned(stored: int) -> int:
    """As Python and numpy use it."""
    return stored & 0xFFFFFFFFFFFFFFFF
