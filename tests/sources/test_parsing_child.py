"""The parser port in life: a real child process with real limits."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.sources.reading import TERM, calendar, lecture

from classbell.ports import ParserDied
from classbell.sources.child import ChildParser
from classbell.sources.parsed import ParsedFeed

OPTIONS = {
    "begin": TERM.begin,
    "end": TERM.end,
    "zone": None,
    "fallback": "Europe/London",
    "items": 100_000,
    "occurrences": 2000,
}
GOOD = calendar(lecture("lecture-1@example.edu", "20260921T080000Z"))
# No date fits this rule, so that its expansion searches thousands of years, thirty times over.
ENDLESS = calendar(
    *(
        lecture(
            f"{number}@example.edu", "20260921T080000Z", "Never", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
        )
        for number in range(30)
    )
)
HUGE = calendar(lecture("huge@example.edu", "20260921T080000Z", "x" * 60_000_000))


def parse(payloads: Sequence[bytes], parser: ChildParser | None = None, **more: object) -> list[ParsedFeed]:
    results = asyncio.run((parser or ChildParser()).parse("ics", payloads, OPTIONS | more))
    return [msgspec.msgpack.decode(result, type=ParsedFeed) for result in results]


def children() -> list[str]:
    """Those of this process; read from the process table itself, so that nothing is started for it."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"\nPPid:\t{os.getpid()}\n" in status.read_text(encoding="utf-8"):
                command = (status.parent / "cmdline").read_bytes()
                found += [command.decode()] if b"child_main" in command else []
    return found


def test_payloads_are_parsed_in_their_order_by_one_child() -> None:
    payloads = [calendar(lecture(f"{number}@x", "20260921T080000Z")) for number in range(50)]
    assert [feed.meetings[0].key for feed in parse(payloads)] == [f"{number}@x" for number in range(50)]


def test_no_payload_needs_no_child() -> None:
    assert parse([]) == []


def test_a_payload_larger_than_any_pipe_goes_through() -> None:
    feed = calendar(*(lecture(f"{number}@example.edu", "20260921T080000Z") for number in range(3000)))
    assert len(feed) > 200_000
    assert [len(found.meetings) for found in parse([feed, feed])] == [3000, 3000]


@pytest.mark.prove
def test_a_payload_that_takes_too_long_stops_the_child_and_keeps_what_came_before() -> None:
    with pytest.raises(ParserDied, match="too long") as caught:
        parse([GOOD, ENDLESS, GOOD], seconds=1)
    assert len(caught.value.finished) == 1


def test_a_payload_that_needs_too_much_memory_stops_the_child_and_keeps_what_came_before() -> None:
    with pytest.raises(ParserDied, match="memory") as caught:
        parse([GOOD, HUGE, GOOD], ChildParser(memory=200 * 1024 * 1024))
    assert len(caught.value.finished) == 1


def test_a_fault_of_the_parser_is_a_death_too() -> None:
    with pytest.raises(ParserDied, match="failed"):
        parse([GOOD], fallback="No/Such_Zone")


def test_the_child_is_gone_afterwards_whatever_happened() -> None:
    parse([GOOD])
    with pytest.raises(ParserDied):
        parse([ENDLESS], seconds=1)
    assert children() == []


def test_a_cancelled_read_leaves_no_child() -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(ChildParser().parse("ics", [ENDLESS], OPTIONS))
        while not children():  # noqa: ASYNC110 -- the process table rings no bell
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert children() == []


def test_secrets_of_the_environment_do_not_reach_the_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Shown by a child that writes down its environment instead of parsing."""
    told = tmp_path / "environment"
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\nenv > "{told}"\n', encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("CLASSBELL_KEY_PASSWORD", "hidden")
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(ParserDied):
        parse([GOOD])
    environment = told.read_text(encoding="utf-8")
    assert "PATH=" in environment
    assert "hidden" not in environment


def test_the_child_does_not_import_what_it_does_not_need() -> None:
    script = (
        "import sys; from classbell.sources.child_main import parser_of; parser_of('ics');"
        "print(sorted({'numpy', 'pydantic', 'aiohttp', 'asyncio', 'openpyxl'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ran.stdout.decode().strip() == "[]"
