"""Classbell keeps every lecturer's and student's Outlook calendar true to the institution's timetable."""


def __getattr__(name: str) -> str:
    # Looking it up takes longer than all else at the start of a command, and few ask.
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import version  # noqa: PLC0415

    return version("classbell")
