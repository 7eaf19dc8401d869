"""What keeps a folder from being used."""


class DataError(Exception):
    """The folder cannot be used: another sandbox keeps its state in it, or it is damaged; the text says which."""


class DataInUse(DataError):
    """Another sandbox keeps its state in the folder at this moment."""
