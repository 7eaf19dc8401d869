"""Draws that are the same whenever their seed is."""

from random import Random


def draws(seed: str) -> Random:
    """Draws of their own for each purpose, so that one more of a kind changes no other."""
    return Random(seed)  # noqa: S311 - reproducible on purpose
