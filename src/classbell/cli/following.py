"""How far long work is, and what it waits for, on the screen and where there is none."""

from collections.abc import Callable

from classbell.cli.output import Output
from classbell.cli.output import Progress as Bar
from classbell.deliver import Progress
from classbell.ports import Clock
from classbell.verify import RebuildProgress
from classbell.zones import utc_text

# Nobody wonders about a shorter silence.
LONG = 10.0


def delivering(bar: Bar, clock: Clock) -> Callable[[Progress], None]:
    """What shows on a bar how far a delivery is; a long wait is told at once, also where there is no terminal."""
    told = 0.0

    def tell(progress: Progress) -> None:
        nonlocal told
        bar.total = max(bar.total, progress.total)
        until = progress.waiting_until
        long = until > max(told, clock.now()) + LONG
        told = until if long else told
        note = f"waiting until {utc_text(until)}" if until else ""
        bar.advance(max(progress.done - bar.done, 0), note, now=long)

    return tell


def rebuilding(bar: Bar, output: Output) -> Callable[[RebuildProgress], None]:
    """What shows on a bar how far a rebuild is, and until when it must wait before it looks."""

    def tell(progress: RebuildProgress) -> None:
        note = f"waiting until {utc_text(progress.waiting_until)}" if progress.waiting_until else ""
        if note and not output.as_json:
            output.note(f"Requests may still be under way; {note}. Ctrl-C is safe.")
        bar.advance(max(progress.rebuilt - bar.done, 0), note, now=bool(note) and output.as_json)

    return tell
