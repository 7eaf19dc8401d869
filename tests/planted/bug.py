"""What a planted bug is: a substitution in our code that breaks one rule, and the tests that must find it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bug:
    """
    A planted bug.

    Args:
        name: what it is called on the command line.
        rule: the rule that it breaks, as it reads where it is kept.
        file: in the package, such as ``deliver/write.py``.
        lines: what is substituted: whole lines that stand there exactly once, the first without its indentation.
        instead: what takes their place, the first line without its indentation.
        found_by: the tests that find it, each of them: paths from the repository's root.
        schedules: as many schedules of the simulation, from seed 0 on, of which at least one finds it; 0 for none.
    """

    name: str
    rule: str
    file: str
    lines: str
    instead: str
    found_by: tuple[str, ...]
    schedules: int = 0
