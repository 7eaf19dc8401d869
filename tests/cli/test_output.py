import io
import json
import re

import pytest

from classbell.cli.errors import lines, report
from classbell.cli.following import delivering
from classbell.cli.output import Output
from classbell.deliver import Progress
from classbell.errors import HeldError, RefusedError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(**options: bool) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out=out, err=err, **options), out, err


def test_an_error_says_what_why_effect_and_do_in_four_lines() -> None:
    error = RefusedError(
        "E-CERT-UNREG",
        "Microsoft refused our certificate.",
        why="it is not registered.",
        effect="no calendar was changed.",
        do="upload it.",
        origin="AADSTS700027",
    )
    assert list(lines(error)) == [
        "E-CERT-UNREG  Microsoft refused our certificate.  [AADSTS700027]",
        "  Why:    it is not registered.",
        "  Effect: no calendar was changed.",
        "  Do:     upload it.",
    ]


def test_an_error_leaves_out_what_is_not_known() -> None:
    assert list(lines(HeldError("E-X", "It waits."))) == ["E-X  It waits."]


def test_an_error_leads_to_the_exit_code_of_its_kind() -> None:
    for as_json in (True, False):
        output, _, _ = printed(as_json=as_json)
        assert report(HeldError("E-X", "It waits."), output) == 4


def test_long_work_is_json_lines_from_version_to_one_result() -> None:
    output, out, err = printed(as_json=True)
    output.start()
    output.event("operation", action="create", person="a@x.org")
    output.note("for people only")
    output.line("for people only")
    output.finish(3, done=2)
    output.finish(0)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"type": "version", "format": "1.0"},
        {"type": "operation", "action": "create", "person": "a@x.org"},
        {"type": "result", "exit": 3, "done": 2},
    ]
    assert err.getvalue() == ""


def test_a_query_has_no_result_line() -> None:
    output, out, _ = printed(as_json=True)
    output.answer({"a": "ä"})
    output.finish(0)
    assert out.getvalue() == '{"a":"ä"}\n'


def test_for_people_json_prints_nothing_and_data_and_asides_go_their_own_ways() -> None:
    output, out, err = printed()
    output.start()
    output.answer({"a": 1})
    output.event("operation")
    output.line("data")
    output.note("aside")
    output.finish(0)
    assert (out.getvalue(), err.getvalue()) == ("data\n", "aside\n")


def test_quiet_leaves_warnings_and_errors() -> None:
    output, out, err = printed(quiet=True)
    output.note("aside")
    with output.progress("Applying", 10) as bar:
        bar.advance(10)
    output.warning("W-X", "careful")
    report(HeldError("E-X", "It waits."), output)
    output.line("data")
    assert (out.getvalue(), err.getvalue()) == ("data\n", "W-X  careful\nE-X  It waits.\n")


def test_progress_without_a_terminal_is_a_line_for_each_tenth() -> None:
    output, _, err = printed()
    with output.progress("Applying", 40) as bar:
        for _ in range(40):
            bar.advance()
    assert err.getvalue().splitlines() == [f"Applying  {done}/40" for done in range(4, 41, 4)]


def test_progress_in_json_is_at_most_a_hundred_lines() -> None:
    output, out, _ = printed(as_json=True)
    with output.progress("Applying", 5000) as bar:
        for _ in range(5000):
            bar.advance(note="busy")
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(found) == 100
    assert found[-1] == {"type": "progress", "label": "Applying", "done": 5000, "total": 5000, "note": "busy"}


def test_progress_on_a_terminal_is_a_bar_that_ends_full() -> None:
    err = Terminal()
    output = Output(out=io.StringIO(), err=err)
    with output.progress("Applying", 3) as bar:
        bar.advance(3, "12/s [not markup]")
    assert "3/3" in err.getvalue()
    assert "[not markup]" in err.getvalue()


def test_progress_over_nothing_says_nothing() -> None:
    output, _, err = printed()
    with output.progress("Applying", 0) as bar:
        bar.advance(0)
    assert err.getvalue() == ""


def test_a_table_is_plain_columns_without_markup_or_trailing_spaces() -> None:
    output, out, _ = printed()
    output.table(["name", "value"], [["a", "[bold]x[/bold]"], ["long name", ""]])
    assert out.getvalue() == "name       value\na          [bold]x[/bold]\nlong name\n"


def test_a_table_in_a_narrow_window_breaks_words_and_loses_none_of_a_time_or_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    cells = ["2026-11-23T05:44:16Z", "somebody.with.a.long.name@example.edu", "partly done"]
    Output(out=out, err=io.StringIO(), color=False).table(["began", "mailbox", "end"], [cells])
    told = "".join(re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).split())
    assert "…" not in told
    assert sorted(told) == sorted("".join(["began", "mailbox", "end", *cells]).replace(" ", ""))


def test_at_a_terminal_the_lines_of_an_error_are_broken_below_their_text_and_elsewhere_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    error = HeldError("E-X", "One two three four five six seven eight.", do="nine ten " * 6)
    err = Terminal()
    report(error, Output(out=io.StringIO(), err=err, color=False))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", err.getvalue()).splitlines()
    assert shown[:2] == ["E-X  One two three four five six seven", "     eight."]
    assert shown[2].startswith("  Do:     nine")
    assert shown[3].startswith("          ")
    assert max(map(len, shown)) <= 40
    output, _, plain = printed()
    report(error, output)
    assert len(plain.getvalue().splitlines()) == 2


def test_a_long_wait_is_told_at_once_and_once_also_where_there_is_no_terminal() -> None:
    output, _, err = printed()
    with output.progress("Applying", 40) as bar:
        tell = delivering(bar, StandingClock())
        for until in (5.0, 60.0, 61.0, 90.0, 0.0):
            tell(Progress(done=1, total=40, waiting_until=until))
        tell(Progress(done=40, total=40))
    assert err.getvalue().splitlines() == [
        "Applying  1/40  waiting until 1970-01-01T00:01:00Z",
        "Applying  1/40  waiting until 1970-01-01T00:01:30Z",
        "Applying  40/40",
    ]


class StandingClock:
    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError
