"""
Who we are to Microsoft: certificates and keys, and the access tokens they are exchanged for.

Nothing here writes a key, a password, an assertion or a token into a message, a log or a file.
"""
