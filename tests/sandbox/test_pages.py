"""The pages to look at, as any client gets them; ``test_pages_in_a_browser.py`` looks at them in a browser."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.sandbox.administrator import Administrator, Told
from tests.sandbox.client import World, at, lecture, tag

from classbell.sandbox import Sandbox

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)> \"&amp;"
_VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """A page read strictly: its tags, links, and the text of each element by class."""

    def __init__(self, told: Told) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, set[str]]] = []
        self.tags: list[str] = []
        self.links: dict[str, str] = {}
        self.texts: list[tuple[set[str], str]] = []
        self.attributes: list[dict[str, str | None]] = []
        self.feed(told.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        told = dict(attrs)
        self.attributes.append(told)
        if tag not in _VOID:
            self.open.append((tag, set((told.get("class") or "").split()) | {tag}))
        if tag == "a":
            self.links[str(told["href"])] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text:
            self.texts.append((set().union(*(names for _, names in self.open)), text))

    def text(self, name: str = "html") -> str:
        """The text inside elements of a tag or class."""
        return " ".join(text for names, text in self.texts if name in names)

    def cards(self) -> list[str]:
        """The text of each card of the week."""
        found: list[str] = []
        for names, text in self.texts:
            if {"card", "week"} <= names:
                if "times" in names:
                    found.append(text)
                else:
                    found[-1] += f" | {text}"
        return found


@pytest.fixture
def week(world: World) -> str:
    """The path of Ada's page."""
    return f"/pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}"


def test_all_mailboxes_are_listed_with_counts_and_last_change(world: World, admin: Administrator) -> None:
    event = world.create()["id"]
    world.create()
    world.ada.delete_event(event)
    page = Page(admin.get(f"/?search={world.ada.address.upper()}"))
    assert re.fullmatch(
        rf"{world.ada.address} ({world.tenant.domain} )?active 1 1 21 Sep 2026, 06:00:\d\d "
        ": deleted, into Deleted Items, by a person",
        page.text("tbody"),
    )
    assert f"/_sandbox/pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}" in page.links
    assert "1 mailbox with" in page.text("main")


def test_mailboxes_come_in_pages_in_the_order_asked(admin: Administrator, world: World) -> None:
    domain = world.tenant.domain
    world.tenant.add_mailboxes(f"p{number:03}@{domain}" for number in range(120))
    world.tenant.mailbox(f"p077@{domain}").put_event(lecture())

    def addresses(query: str) -> list[str]:
        return re.findall(r"p\d{3}(?=@)", Page(admin.get(f"/?search=@{domain}&{query}")).text("tbody"))

    assert addresses("")[0] == "p077"
    assert addresses("order=address&page=2")[:2] == ["p049", "p050"]
    last = addresses("order=address&page=3")
    assert last[-1] == "p119"
    assert addresses("order=address&page=99") == last
    assert addresses("order=sideways&page=-5")[0] == "p077"


def test_a_week_shows_who_made_what_and_what_changed_last(
    world: World, admin: Administrator, week: str
) -> None:
    lecture_id = world.create(singleValueExtendedProperties=tag("x"))["id"]
    world.ada.put_event(
        lecture(subject="Lunch", start=at("2026-09-22T12:00:00"), end=at("2026-09-22T12:30:00"))
    )
    world.ada.edit_event(lecture_id, {"subject": "Mine"})
    page = Page(admin.get(week))
    assert page.cards() == [
        "10:00 to 11:00 | Mine | By Timetables; hidden mark | Changed last: | changed, by a person",
        "12:00 to 12:30 | Lunch | By a person",
    ]
    assert "Week of Monday 21 September 2026" in page.text("h2")
    assert [name for name in page.text("h3").split() if name.endswith("day")] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]  # fmt: skip
    assert "Mine 21 Sep 2026, 10:00:00 changed (changed last) a person" in page.text("tbody")


def test_what_is_gone_is_told_among_the_last_changes(world: World, admin: Administrator, week: str) -> None:
    event = world.create()["id"]
    world.ada.delete_event(event)
    page = Page(admin.get(week))
    assert page.cards() == []
    assert "deleted, into Deleted Items (changed last) a person" in page.text("tbody")
    assert "1 in Deleted Items" in page.text("main")
    assert "?week=2026-09-21&zone=UTC" in page.links


def test_a_copy_is_told_from_its_original(world: World, admin: Administrator, week: str) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"))["id"]
    world.ada.copy_event(event)
    assert sorted(Page(admin.get(week)).cards()) == [
        "10:00 to 11:00 | Logic | By Timetables; hidden mark",
        "10:00 to 11:00 | Logic | By a person; hidden mark | Changed last: | made as a copy, by a person",
    ]


@pytest.mark.parametrize(
    ("changes", "query", "cards"),
    [
        ({}, "zone=Europe/Vienna", ["12:00 to 13:00"]),
        ({}, "zone=W.%20Europe%20Standard%20Time", ["12:00 to 13:00"]),
        (
            {"start": at("2026-09-21T22:30:00"), "end": at("2026-09-22T01:15:00")},
            "zone=UTC",
            ["22:30 to 00:00", "00:00 to 01:15"],
        ),
        (
            {"start": at("2026-09-20T00:00:00"), "end": at("2026-09-23T00:00:00"), "isAllDay": True},
            "zone=UTC",
            ["All day", "All day"],
        ),
        ({"end": at("2026-09-21T10:00:00")}, "zone=UTC", ["10:00 to 10:00"]),
        (
            {"start": at("2026-09-27T23:00:00"), "end": at("2026-09-28T01:00:00")},
            "zone=UTC",
            ["23:00 to 00:00"],
        ),
        ({"start": at("2026-09-28T00:00:00"), "end": at("2026-09-28T01:00:00")}, "zone=UTC", []),
    ],
)
def test_a_week_is_cut_into_days_of_the_zone_asked(
    world: World, admin: Administrator, week: str, changes: dict[str, Any], query: str, cards: list[str]
) -> None:
    world.create(**changes)
    page = Page(admin.get(f"{week}?week=2026-09-24&{query}"))
    assert [card.partition(" |")[0] for card in page.cards()] == cards


def test_an_occurrence_stands_on_each_of_its_days(world: World, admin: Administrator, week: str) -> None:
    pattern = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 3},
    }
    world.create(recurrence=pattern)
    cards = Page(admin.get(week)).cards()
    assert len(cards) == 3
    assert cards[2].startswith("10:00 to 11:00 | Logic | By Timetables; of a series")


def test_weeks_are_left_by_links_also_to_the_nearest_with_events(
    world: World, admin: Administrator, week: str
) -> None:
    world.create()
    page = Page(admin.get(f"{week}?week=2026-08-05&zone=UTC"))
    assert {"?week=2026-07-27&zone=UTC", "?week=2026-08-10&zone=UTC", "?week=2026-09-21&zone=UTC"} <= set(
        page.links
    )
    assert page.cards() == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("week=soon", "“soon” is no date"),
        ("week=0001-01-01", "is no date"),
        ("zone=Middle/Earth", "“Middle/Earth” is no time zone"),
    ],
)
def test_a_week_or_zone_that_is_none_is_told_and_the_page_shown(
    admin: Administrator, week: str, query: str, says: str
) -> None:
    assert says in Page(admin.get(f"{week}?{query}")).text("wrong")


def test_the_history_is_shown_newest_first_and_filtered(world: World, admin: Administrator) -> None:
    world.create()
    world.ada.put_event(lecture(subject="Lunch"))
    world.graph.get(f"/users/none@{world.tenant.domain}/events")

    def rows(query: str) -> str:
        return Page(admin.get(f"/pages/history?{query}")).text("tbody")

    everything = rows("")
    numbers = [int(text.replace(",", "")) for text in re.findall(r"([\d,]+) \d+ Sep 2026", everything)]
    assert numbers == sorted(numbers, reverse=True)
    assert "404 ErrorInvalidUser" in everything
    mine = rows(f"mailbox={world.ada.address}&kind=change")
    assert "Lunch: made, by a person" in mine
    assert "Logic: made, by application Timetables" in mine
    assert "request" not in mine
    assert "Lunch" not in rows(f"mailbox={world.ada.address}&app={world.app.client_id}")


def test_the_history_has_pages(world: World, admin: Administrator) -> None:
    for number in range(130):
        world.ada.put_event(lecture(subject=f"E{number}"))
    path = f"/pages/history?mailbox={world.ada.address}"
    first = Page(admin.get(path))
    assert re.findall(r"E(\d+):", first.text("tbody")) == [str(number) for number in range(129, 29, -1)]
    (older,) = [link for link in first.links if "before=" in link]
    second = Page(admin.get(f"/pages/history{older}"))
    assert re.findall(r"E(\d+):", second.text("tbody"))[:30] == [str(number) for number in range(29, -1, -1)]
    assert any("before" not in link and link.startswith("?") for link in second.links)


def test_the_limits_in_use_are_shown(world: World, admin: Administrator) -> None:
    # Beyond the windows of what other tests did.
    world.sandbox.clock.advance(1200)
    world.create()
    world.sandbox.throttle(world.tenant, 60)
    page = Page(admin.get("/pages/limits"))
    assert f"{world.ada.address} Timetables 0 1 1 0 kB none" in page.text("tbody")
    assert f"{world.tenant.domain}, for another 60 seconds" in page.text("main")


def test_nothing_that_anybody_wrote_becomes_markup(world: World, admin: Administrator, week: str) -> None:
    world.create(subject=HOSTILE, location={"displayName": HOSTILE})
    world.ada.create_calendar(HOSTILE)
    world.tenant.register_app(HOSTILE)
    world.graph.get(f"{world.home}/events/{'%3Cscript%3E'}")
    paths = (
        f"/?search={'%3Cscript%3E'}",
        week,
        f"{week}?zone=%3Cscript%3E&week=%22%3E%3Cscript%3E",
        "/pages/history",
        "/pages/history?mailbox=%22%3E%3Cscript%3E",
        "/pages/limits",
        "/pages/mailboxes/%3Cscript%3E/x",
    )
    for path in paths:
        told = admin.ask("GET", path)
        page = Page(told)
        assert "<script" not in told.text
        assert not {"script", "img", "style"} & set(page.tags)
        assert not any(name.startswith("on") or name == "style" for each in page.attributes for name in each)
    assert HOSTILE in Page(admin.get(week)).text("card")


def test_pages_load_nothing_and_run_nothing_from_elsewhere(admin: Administrator, week: str) -> None:
    for path in ("/", week, "/pages/history", "/pages/limits"):
        told = admin.get(path)
        assert "default-src 'none'" in told.headers["content-security-policy"]
        assert not re.search(r"(?:src|href|action)=\"(?!/_sandbox/|\?|#|data:,)", told.text)
        assert "This is not Microsoft 365." in told.text
    style = admin.get("/pages/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


def test_an_unknown_mailbox_is_a_page_too(admin: Administrator, world: World) -> None:
    told = admin.ask("GET", f"/pages/mailboxes/{world.tenant.domain}/nobody")
    assert (told.status, Page(told).text("h1")) == (404, "Not found")
    assert admin.ask("GET", "/pages/none").status == 404


def test_the_bare_address_of_the_surfaces_is_the_page_of_mailboxes(admin: Administrator) -> None:
    told = admin.ask("GET", "")
    assert told.status == 307
    assert told.headers["location"].endswith("/_sandbox/")


@pytest.mark.prove
def test_pages_of_a_hundred_thousand_mailboxes_stay_small() -> None:
    sandbox = Sandbox()
    sandbox.add_tenant("example.edu").add_mailboxes(f"s{n}@example.edu" for n in range(100_000))
    with sandbox.serve() as address:
        admin = Administrator(address)
        for path in ("/", "/?page=2000", "/?search=99&order=address"):
            assert len(admin.get(path).text) < 60_000
        admin.close()
