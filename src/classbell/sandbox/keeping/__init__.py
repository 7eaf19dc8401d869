"""Keeps a sandbox in a folder between runs: what, how, and what is read back."""
