"""Calendar feeds fetched from a real web server: what each answer means for the source."""

import socket
from pathlib import Path

import pytest
from pydantic import ByteSize
from tests.sources.reading import (
    ParserHere,
    ParserThatDiesOn,
    StillClock,
    attendance,
    calendar,
    lecture,
    read,
)
from tests.sources.web_site import Answer, Site

from classbell.errors import SourceError, SourceUnreachable, SourceUnusable
from classbell.settings import Feed, IcsSource, SourceLimits
from classbell.sources.fetch import redirect_refusal

TOKEN = "s3cr3t-t0ken"
GOOD = calendar(lecture("lecture-1@example.edu", "20260921T080000Z"))
OTHER = calendar(lecture("lecture-2@example.edu", "20260922T080000Z", "Geometry"))


def source(*feeds: tuple[str, str], private: bool = True, **more: object) -> IcsSource:
    listed = tuple(Feed(person=person, url=url) for person, url in feeds)
    return IcsSource(name="feeds", feeds=listed, allow_private_addresses=private, **more)  # type: ignore[arg-type]


def answer(site: Site, **how: object) -> str:
    return site.put("/feed.ics", Answer(**how)) + f"?token={TOKEN}"  # type: ignore[arg-type]


def refusal(settings: IcsSource) -> SourceError:
    with pytest.raises((SourceUnreachable, SourceUnusable)) as caught:
        read(settings)
    assert isinstance(caught.value, SourceUnreachable | SourceUnusable)
    return caught.value


def test_a_feed_is_fetched_once_for_all_whose_it_is(site: Site) -> None:
    url = site.put("/feed.ics", GOOD)
    snapshot = read(
        source(("Ada@Example.edu ", url), ("mailto:bob@example.edu", url), ("ada@example.edu", url))
    )
    assert snapshot.people == ("ada@example.edu", "bob@example.edu")
    assert attendance(snapshot) == {(person, "lecture-1@example.edu") for person in snapshot.people}
    assert site.asked == ["/feed.ics"]


@pytest.mark.parametrize(
    ("how", "kind", "code"),
    [
        ({"status": 404}, SourceUnusable, "E-SRC-HTTP"),
        ({"status": 401}, SourceUnusable, "E-SRC-HTTP"),
        ({"status": 403}, SourceUnusable, "E-SRC-HTTP"),
        ({"status": 500}, SourceUnreachable, "E-SRC-HTTP"),
        ({"status": 503}, SourceUnreachable, "E-SRC-HTTP"),
        ({"status": 429}, SourceUnreachable, "E-SRC-HTTP"),
        ({"body": GOOD, "length": len(GOOD) + 1}, SourceUnreachable, "E-SRC-FETCH"),
        ({"body": b"<!DOCTYPE html><title>Sign in</title>"}, SourceUnusable, "E-SRC-HTML"),
        ({"body": b""}, SourceUnusable, "E-SRC-EMPTY"),
        ({"status": 204}, SourceUnusable, "E-SRC-EMPTY"),
        ({"body": calendar()}, SourceUnusable, "E-SRC-EMPTY"),
        ({"body": GOOD[: len(GOOD) // 2]}, SourceUnusable, "E-SRC-CUT"),
        ({"body": b"no calendar"}, SourceUnusable, "E-SRC-GARBAGE"),
        ({"status": 302, "headers": {"location": "/feed.ics"}}, SourceUnusable, "E-SRC-HTTP"),
        ({"status": 301}, SourceUnusable, "E-SRC-HTTP"),
    ],
    ids=str,
)
def test_an_answer_that_is_no_timetable_is_an_error_that_says_so_without_secrets(
    site: Site, how: dict[str, object], kind: type[Exception], code: str
) -> None:
    url = answer(site, **how).replace("http://", f"http://user:{TOKEN}@")
    error = refusal(source(("ada@example.edu", url)))
    assert (type(error), error.code) == (kind, code)
    told = f"{error.what} {error.why} {error.do} {error.effect}"
    assert TOKEN not in told
    assert TOKEN not in str(error)
    assert "/feed.ics" in told or code == "E-SRC-EMPTY"
    assert all([error.what, error.why, error.do, error.effect])


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = refusal(
            source(("ada@example.edu", f"http://127.0.0.1:{unused.getsockname()[1]}/x?token={TOKEN}"))
        )
    assert (type(error), error.code) == (SourceUnreachable, "E-SRC-FETCH")
    assert TOKEN not in error.what + error.why


def test_a_passing_failure_is_tried_once_more(site: Site) -> None:
    clock = StillClock()
    snapshot = read(
        source(("ada@example.edu", site.put("/feed.ics", Answer(status=503), Answer(GOOD)))), clock=clock
    )
    assert len(snapshot.meetings) == 1
    assert clock.waited == [1.5]


def test_a_lasting_failure_is_not_tried_again(site: Site) -> None:
    refusal(source(("ada@example.edu", answer(site, status=404))))
    assert len(site.asked) == 1


def test_redirects_are_followed_within_limits(site: Site) -> None:
    site.put("/real.ics", GOOD)
    url = site.put("/feed.ics", Answer(status=302, headers={"location": "/real.ics"}))
    assert len(read(source(("ada@example.edu", url))).meetings) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:8080/x",
        "http://feeds.localhost/x",
        "http://10.1.2.3/x",
        "http://192.168.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "http://[::ffff:10.0.0.1]/x",
        "http://[fe80::1%25eth0]/x",
        "http://2130706433/x",
        "http://0x7f.1/x",
        "http://printer.local/x",
        "https://intranet/x",
    ],
)
def test_addresses_of_private_networks_are_not_asked_unless_allowed(url: str) -> None:
    error = refusal(source(("ada@example.edu", url), private=False))
    assert (type(error), error.code) == (SourceUnusable, "E-SRC-ADDRESS")
    assert "allow_private_addresses" in error.do


def test_a_redirect_from_encryption_to_none_is_not_followed() -> None:
    assert redirect_refusal("https://a.example.edu/x", "http://a.example.edu/x")
    assert redirect_refusal("http://a.example.edu/x", "https://a.example.edu/x") is None


@pytest.mark.parametrize("url", ["https://", "http://host:99999/x", "http://host:port/x", "http:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert refusal(source(("ada@example.edu", url))).code == "E-SRC-ADDRESS"


def test_one_failing_feed_leaves_its_persons_unread_and_the_others_read(site: Site) -> None:
    good, bad = site.put("/good.ics", GOOD), site.put("/bad.ics", b"<html>Sign in</html>")
    snapshot = read(source(("ada@example.edu", good), ("bob@example.edu", f"{bad}?token={TOKEN}")))
    assert attendance(snapshot) == {("ada@example.edu", "lecture-1@example.edu")}
    assert snapshot.coverage.unread == {"bob@example.edu"}
    (remark,) = snapshot.remarks
    assert remark.code == "E-SRC-HTML"
    assert "/bad.ics?…" in remark.text
    assert TOKEN not in remark.text


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
def test_a_feed_that_is_refused_is_not_an_empty_one_and_deletes_nothing(site: Site, status: int) -> None:
    good, refused = site.put("/good.ics", GOOD), site.put("/refused.ics", Answer(status=status))
    snapshot = read(source(("ada@example.edu", good), ("bob@example.edu", refused)))
    assert snapshot.coverage.unread == {"bob@example.edu"}
    assert [remark.code for remark in snapshot.remarks] == ["E-SRC-HTTP"]


def test_many_feeds_that_fail_for_one_cause_are_one_remark(site: Site) -> None:
    feeds = [("ada@example.edu", site.put("/good.ics", GOOD))]
    feeds += [(f"p{number}@example.edu", f"{site.url}/gone-{number}.ics") for number in range(40)]
    snapshot = read(source(*feeds))
    (remark,) = snapshot.remarks
    assert remark.code == "E-SRC-HTTP"
    assert "40 feeds" in remark.text
    assert "40 persons" in remark.text
    assert len(snapshot.coverage.unread) == 40


def test_a_person_of_two_feeds_is_unread_if_one_of_them_fails(site: Site) -> None:
    snapshot = read(
        source(("ada@example.edu", site.put("/good.ics", GOOD)), ("ada@example.edu", f"{site.url}/gone.ics"))
    )
    assert snapshot.coverage.unread == {"ada@example.edu"}


def test_an_empty_calendar_among_others_is_read_as_empty(site: Site) -> None:
    snapshot = read(
        source(
            ("ada@example.edu", site.put("/good.ics", GOOD)),
            ("bob@example.edu", site.put("/none.ics", calendar())),
        )
    )
    assert (snapshot.coverage.unread, snapshot.remarks) == (frozenset(), ())
    assert "bob@example.edu" in snapshot.people


def test_if_all_feeds_are_empty_the_source_is_refused(site: Site) -> None:
    feeds = [(f"{number}@example.edu", site.put(f"/{number}.ics", calendar())) for number in range(3)]
    assert refusal(source(*feeds)).code == "E-SRC-EMPTY"


def test_if_all_feeds_fail_for_lasting_and_passing_causes_the_lasting_one_counts(site: Site) -> None:
    error = refusal(
        source(
            ("ada@example.edu", site.put("/a.ics", Answer(status=503))),
            ("bob@example.edu", site.put("/b.ics", Answer(status=503))),
            ("eve@example.edu", f"{site.url}/gone.ics"),
        )
    )
    assert (type(error), error.code) == (SourceUnusable, "E-SRC-HTTP")
    assert "404" in error.why
    assert "503" in error.why


def test_an_entry_that_cannot_be_read_leaves_its_feeds_persons_unread(site: Site) -> None:
    bad = calendar(lecture("lecture-1@example.edu", "20260921T080000Z"), lecture("x@example.edu", "someday"))
    snapshot = read(
        source(
            ("ada@example.edu", site.put("/bad.ics", bad)), ("bob@example.edu", site.put("/good.ics", OTHER))
        )
    )
    assert snapshot.coverage.unread == {"ada@example.edu"}
    assert [remark.code for remark in snapshot.remarks] == ["E-SRC-ROW"]
    assert len(snapshot.meetings) == 2


def test_a_feed_larger_than_allowed_is_refused(site: Site) -> None:
    error = refusal(
        source(("ada@example.edu", site.put("/feed.ics", GOOD)), limits=SourceLimits(bytes=ByteSize(100)))
    )
    assert error.code == "E-SRC-BIG"


def test_more_meetings_than_allowed_in_all_feeds_together_are_refused(site: Site) -> None:
    feeds = [("ada@example.edu", site.put("/a.ics", GOOD)), ("bob@example.edu", site.put("/b.ics", OTHER))]
    error = refusal(source(*feeds, limits=SourceLimits(items=1)))
    assert error.code == "E-SRC-BIG"


def test_a_feed_that_stops_the_parser_is_left_out_and_named(site: Site) -> None:
    bomb = calendar(lecture("bomb@example.edu", "20260921T080000Z", "Bomb"))
    snapshot = read(
        source(
            ("ada@example.edu", site.put("/1.ics", GOOD)),
            ("bob@example.edu", site.put("/2.ics", bomb)),
            ("eve@example.edu", site.put("/3.ics", OTHER)),
        ),
        parser=ParserThatDiesOn(b"Bomb"),
    )
    assert [meeting.key for meeting in snapshot.meetings] == [
        "lecture-1@example.edu",
        "lecture-2@example.edu",
    ]
    assert snapshot.coverage.unread == {"bob@example.edu"}
    (remark,) = snapshot.remarks
    assert remark.code == "E-SRC-PARSER"
    assert "/2.ics" in remark.text


def test_many_feeds_that_stop_the_parser_refuse_the_source(site: Site) -> None:
    bomb = calendar(lecture("bomb@example.edu", "20260921T080000Z", "Bomb"))
    feeds = [(f"{number}@example.edu", site.put(f"/{number}.ics", bomb)) for number in range(9)]
    with pytest.raises(SourceUnusable, match="E-SRC-PARSER"):
        read(
            source(("ada@example.edu", site.put("/good.ics", GOOD)), *feeds), parser=ParserThatDiesOn(b"Bomb")
        )


def test_the_list_of_feeds_may_be_a_file_with_paths_beside_it_and_addresses(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "a.ics").write_bytes(GOOD)
    listed = tmp_path / "feeds.csv"
    listed.write_text(
        f"\ufeffPerson;URL;Remark\nada@example.edu;feeds/a.ics;\n\nbob@example.edu;{site.put('/b.ics', OTHER)};x\n",
        encoding="utf-8",
    )
    snapshot = read(IcsSource(name="feeds", feeds=listed, allow_private_addresses=True))
    assert attendance(snapshot) == {
        ("ada@example.edu", "lecture-1@example.edu"),
        ("bob@example.edu", "lecture-2@example.edu"),
    }


def test_hundreds_of_feeds_are_parsed_by_one_child(tmp_path: Path) -> None:
    listed = tmp_path / "feeds.csv"
    for number in range(150):
        feed = calendar(lecture(f"{number}@example.edu", "20260921T080000Z"))
        (tmp_path / f"{number}.ics").write_bytes(feed)
    rows = "".join(f"p{number}@example.edu,{number}.ics\n" for number in range(150))
    listed.write_text("person,url\n" + rows, encoding="utf-8")
    parser = ParserHere()
    snapshot = read(IcsSource(name="feeds", feeds=listed), parser=parser)
    assert attendance(snapshot) == {(f"p{n}@example.edu", f"{n}@example.edu") for n in range(150)}
    assert parser.calls == [150]


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("person,link\nada@example.edu,a.ics\n", "E-SRC-COLUMN", '"url"'),
        ("person,url\nada@example.edu,\n,a.ics\n", "E-SRC-ROW", "line 2"),
        ("person,url\nada@example.edu,ftp://host/a.ics\n", "E-SRC-ROW", "ftp://"),
        ("person,url\n", "E-SRC-EMPTY", "no rows"),
        ("", "E-SRC-EMPTY", "feeds.csv"),
        ("person,url\nada@example.edu,missing.ics\n", "E-SRC-FILE", "missing.ics"),
    ],
)
def test_a_list_of_feeds_that_makes_no_sense_is_refused(
    tmp_path: Path, text: str, code: str, told: str
) -> None:
    listed = tmp_path / "feeds.csv"
    listed.write_text(text, encoding="utf-8")
    error = refusal(IcsSource(name="feeds", feeds=listed))
    assert (type(error), error.code) == (SourceUnusable, code)
    assert told in error.what + error.why


def test_a_list_of_feeds_that_is_absent_is_refused(tmp_path: Path) -> None:
    error = refusal(IcsSource(name="feeds", feeds=tmp_path / "none.csv"))
    assert (type(error), error.code) == (SourceUnusable, "E-SRC-FILE")
