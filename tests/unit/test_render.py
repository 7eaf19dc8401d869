"""A meeting in a profile: bytes that are safe to show, equal for equal meetings, and within Exchange's limits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.timetables import profile

from classbell.errors import ConfigurationError
from classbell.model import Meeting, Rendering
from classbell.render import BODY_LIMIT, DEFAULT_BODY, SUBJECT_LIMIT, Renderer, fingerprint, meeting_digest

START = datetime(2026, 10, 6, 9, 0)  # noqa: DTZ001 - meetings have wall times
HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(1)>'"><b onclick=x>&{{ 7*7 }}{% raw %}"""


def lecture(fields: Mapping[str, str] | None = None, **changed: Any) -> Meeting:
    parts: dict[str, Any] = {
        "key": "m1",
        "start": START,
        "end": START + timedelta(minutes=50),
        "zone": "Europe/London",
        "fields": fields or {"title": "Logic", "location": "B12", "description": "Bring paper."},
    }
    return Meeting(**parts | changed)


def event(meeting: Meeting, body_template: str = DEFAULT_BODY, **settings: object) -> dict[str, Any]:
    """What Graph will get."""
    rendering = Renderer(profile("standard", **settings), body_template).render(meeting)
    found: dict[str, Any] = msgspec.json.decode(rendering.body)
    return found


def body(text: str, template: str = DEFAULT_BODY) -> str:
    content: str = event(lecture({"description": text}), template)["body"]["content"]
    return content


def refused(template: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        event(lecture(), subject=[template])
    assert error.value.code == "E-TEMPLATE"
    assert "subject" in error.value.what
    assert "'standard'" in error.value.what
    return error.value


def test_a_meeting_becomes_an_event_with_exactly_these_parts() -> None:
    assert event(
        lecture(), reminder="15m", show_as="free", sensitivity="private", categories=["Class", "X"]
    ) == {
        "subject": "Logic",
        "body": {"contentType": "html", "content": "Bring paper."},
        "start": {"dateTime": "2026-10-06T08:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-10-06T08:50:00", "timeZone": "UTC"},
        "isAllDay": False,
        "location": {"displayName": "B12"},
        "showAs": "free",
        "sensitivity": "private",
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "categories": ["Class", "X"],
    }


def test_nobody_is_reminded_unless_the_profile_says_so() -> None:
    silent = event(lecture())
    assert (silent["isReminderOn"], silent["reminderMinutesBeforeStart"]) == (False, 0)
    assert {"attendees", "isOnlineMeeting", "responseRequested"}.isdisjoint(silent)


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_an_all_day_meeting_keeps_its_dates_wherever_it_is(zone: str) -> None:
    day = datetime(2026, 3, 29)  # noqa: DTZ001 - meetings have wall times
    shown = event(lecture(start=day, end=day + timedelta(days=2), zone=zone, all_day=True))
    assert shown["isAllDay"] is True
    assert shown["start"] == {"dateTime": "2026-03-29T00:00:00", "timeZone": "UTC"}
    assert shown["end"] == {"dateTime": "2026-03-31T00:00:00", "timeZone": "UTC"}


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        (datetime(2026, 7, 1, 9), "2026-07-01T08:00:00"),  # noqa: DTZ001 - meetings have wall times
        (datetime(2026, 12, 1, 9), "2026-12-01T09:00:00"),  # noqa: DTZ001
        (datetime(2026, 3, 29, 1, 30), "2026-03-29T01:30:00"),  # noqa: DTZ001 - skipped by the clock
        (datetime(2026, 10, 25, 1, 30), "2026-10-25T00:30:00"),  # noqa: DTZ001 - occurs twice
    ],
)
def test_times_are_utc_instants_of_the_meetings_zone(wall: datetime, instant: str) -> None:
    assert event(lecture(start=wall, end=wall + timedelta(hours=1)))["start"]["dateTime"] == instant


def test_of_several_templates_the_first_whose_fields_are_all_there_is_taken() -> None:
    subjects = ["{{ module }}: {{ title }}", "{{ title }} ({{ type }})", "{{ title }}"]
    assert (
        event(lecture({"title": "Logic", "module": "CS1", "type": "Lab"}), subject=subjects)["subject"]
        == "CS1: Logic"
    )
    assert (
        event(lecture({"title": "Logic", "module": "", "type": "Lab"}), subject=subjects)["subject"]
        == "Logic (Lab)"
    )
    assert event(lecture({"title": "Logic"}), subject=subjects)["subject"] == "Logic"
    assert event(lecture({"type": "Lab"}), subject=subjects)["subject"] == ""


def test_what_is_hostile_in_a_title_stays_text() -> None:
    """A subject is no HTML: it is shown as it is, and never run as a template."""
    assert event(lecture({"title": HOSTILE}))["subject"] == HOSTILE


@pytest.mark.parametrize(
    "template", [DEFAULT_BODY, "<p>{{ description }}</p>", "<td>{{ description|upper }}</td>"]
)
def test_what_is_hostile_in_a_text_is_shown_and_not_obeyed(template: str) -> None:
    shown = body(HOSTILE, template)
    assert "<script" not in shown.lower()
    assert "<img" not in shown.lower()
    assert "<b" not in shown.lower()
    assert "&lt;" in shown
    assert "7*7" in shown


def test_even_a_text_that_a_template_trusts_is_cleaned() -> None:
    trusted = '<p style="x">Hi <script>alert(1)</script><iframe src="x"></iframe><b onclick="x">you</b></p>'
    assert body(trusted, "{{ description|safe }}") == "<p>Hi <b>you</b></p>"


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://uni.example/1", True),
        ("mailto:desk@uni.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///c:/x", False),
    ],
)
def test_links_lead_to_pages_and_addresses_only(link: str, kept: bool) -> None:  # noqa: FBT001
    shown = event(lecture({"url": link}), '<a href="{{ url }}">more</a>')["body"]["content"]
    assert ("href" in shown) == kept
    assert ">more</a>" in shown


FRAGMENTS = st.sampled_from([
    "<script>", "</script>", "<a href=", "javascript:", "<img src=x onerror=", "'", '"', ">", "<", "&#106;",
    "&lt;", "<!--", "-->", "<svg/onload=", "style=x", "\n", "\x00", "\ud800", "</p>", "<b onclick=1>", "é", " ",
])  # fmt: skip


@given(st.lists(FRAGMENTS).map("".join), st.lists(FRAGMENTS).map("".join))
def test_no_text_of_a_source_becomes_more_than_text_and_plain_tags(text: str, link: str) -> None:
    template = '<p>{{ description }}</p><a href="{{ url }}">{{ description|safe }}</a>'
    found = Tags()
    found.feed(event(lecture({"description": text, "url": link}), template)["body"]["content"])
    assert found.names <= {"p", "br", "b", "a"}
    assert {name for name, _ in found.attributes} <= {"href", "rel"}
    for name, value in found.attributes:
        scheme = urlsplit("".join((value or "").split())).scheme if name == "href" else ""
        assert scheme in {"", "http", "https", "mailto"}


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(attrs)


def test_line_breaks_of_a_text_are_seen() -> None:
    assert body("one\ntwo\r\nthree\n\nfour") == "one<br>two<br>three<br><br>four"


def test_control_characters_are_left_out_everywhere() -> None:
    shown = event(
        lecture({"title": "Lo\x00gic\x1b[31m\x7f\n\t2", "location": "B\x0812", "description": "a\x00b\x1fc"})
    )
    assert shown["subject"] == "Logic[31m 2"
    assert shown["location"]["displayName"] == "B12"
    assert shown["body"]["content"] == "abc"


def test_blanks_of_a_title_are_evened_out() -> None:
    assert event(lecture({"title": "  Logic \n\n  and\tproof  "}))["subject"] == "Logic and proof"


@given(st.text(st.sampled_from("ab \U0001f600é\ud800"), max_size=600))
def test_a_title_and_a_place_are_at_most_255_units_of_utf_16_and_break_no_character(text: str) -> None:
    shown = event(lecture({"title": text, "location": text}))
    for cut in (shown["subject"], shown["location"]["displayName"]):
        units = len(cut.encode("utf-16-le")) // 2
        assert units <= SUBJECT_LIMIT
        whole = " ".join(text.replace("\ud800", "").split())
        assert whole.startswith(cut)
        assert cut == whole or units >= SUBJECT_LIMIT - 2


def test_a_text_that_is_far_too_long_is_cut() -> None:
    assert len(body("x" * (BODY_LIMIT * 2))) == BODY_LIMIT
    cut = body("<&>" * BODY_LIMIT)
    assert len(cut) < BODY_LIMIT + 10
    assert "<" not in cut


@pytest.mark.parametrize(
    "template",
    [
        "{{ title.__class__.__mro__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ title.format.__func__.__globals__ }}",
        "{{ '{0.__class__.__mro__}'.format(title) }}",
        "{% set x = [] %}{{ x.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os }}",
        "{{ range(1000000000)|list }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(template: str) -> None:
    refused(template)


@pytest.mark.parametrize(
    "template",
    ["{{ title.__class__ }}", "{{ title|attr('__class__') }}", "{{ '{0.__class__}'.format(title) }}"],
)
def test_what_a_template_may_not_see_is_nothing(template: str) -> None:
    assert event(lecture(), subject=[template])["subject"] == ""


@pytest.mark.parametrize(
    "template",
    [
        "{{ title",
        "{% if title %}",
        "{{ title|nosuchfilter }}",
        "{{ title|dictsort }}",
        "{{ title|int / 0 }}",
        "{{ '%d'|format(title) }}",
        "{{ nothing.more }}",
        "{{ title|truncate('a') }}",
        "{{ title.upper }}",
        "{{ lipsum() }}",
        "{{ title|random }}",
    ],
)
def test_a_template_that_cannot_work_or_draws_lots_is_said_in_words(template: str) -> None:
    error = refused(template)
    assert error.why
    assert error.do
    with pytest.raises(ConfigurationError, match="body template"):
        event(lecture(), template)


def test_a_template_may_use_what_strings_can_do() -> None:
    fields = {"title": "logic", "type": "Lab"}
    template = "{{ title|upper }}{% if type == 'Lab' %} ({{ type.lower() }}){% endif %}"
    assert event(lecture(fields), subject=[template])["subject"] == "LOGIC (lab)"


def test_equal_meetings_give_equal_bytes_whatever_the_order_of_their_fields() -> None:
    fields = {"title": "Logic", "location": "B12", "description": "x"}
    turned = dict(reversed(fields.items()))
    renderer = Renderer(profile())
    assert renderer.render(lecture(fields)) == Renderer(profile()).render(lecture(turned))
    assert meeting_digest(lecture(fields)) == meeting_digest(lecture(turned))


def test_looking_at_a_meeting_does_not_change_its_digest() -> None:
    fresh, seen = lecture(), lecture()
    assert seen.starts_at < seen.ends_at
    assert meeting_digest(fresh) == meeting_digest(seen)


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "m2"},
        {"start": START + timedelta(minutes=5)},
        {"end": START + timedelta(minutes=55)},
        {"zone": "Europe/Dublin"},
        {"all_day": True},
        {"cancelled": True},
        {"fields": {"title": "Logic", "location": "B12", "description": "Bring paper!"}},
        {"fields": {"title": "Logic", "location": "B12"}},
    ],
)
def test_any_difference_of_content_is_another_digest(changed: dict[str, Any]) -> None:
    assert meeting_digest(lecture(**changed)) != meeting_digest(lecture())


def test_the_fingerprint_is_of_exactly_the_bytes() -> None:
    rendering = Renderer(profile()).render(lecture())
    assert rendering == Rendering(fingerprint=fingerprint(rendering.body), body=rendering.body)
    assert fingerprint(rendering.body + b" ") != rendering.fingerprint
    assert 0 < rendering.fingerprint < 2**64


def test_the_bytes_and_their_fingerprint_are_what_they_always_were() -> None:
    """Else every event in every calendar would be updated: raise NORMALISER with the bytes."""
    rendering = Renderer(profile()).render(lecture())
    assert rendering.body == (
        b'{"subject":"Logic","body":{"contentType":"html","content":"Bring paper."},'
        b'"start":{"dateTime":"2026-10-06T08:00:00","timeZone":"UTC"},'
        b'"end":{"dateTime":"2026-10-06T08:50:00","timeZone":"UTC"},"isAllDay":false,'
        b'"location":{"displayName":"B12"},"showAs":"busy","sensitivity":"normal","isReminderOn":false,'
        b'"reminderMinutesBeforeStart":0,"categories":["Timetable"]}'
    )
    assert rendering.fingerprint == 3_457_586_476_833_660_316
    assert meeting_digest(lecture()).hex() == "08a5375d704beb158ed5e928eff93dd0"
    assert Renderer(profile()).digest.hex() == "6703da4a15307c510acc53e3b27e69ca"


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": ["{{ title }}!"]},
        {"subject": ["{{ title }}", "{{ type }}"]},
        {"location": ["{{ title }}"]},
        {"show_as": "free"},
        {"sensitivity": "private"},
        {"reminder": "15m"},
        {"reminder": "0m"},
        {"categories": ["Timetable", "Class"]},
        {"categories": []},
    ],
)
def test_a_profile_that_looks_different_has_another_digest(changed: dict[str, object]) -> None:
    assert Renderer(profile("standard", **changed)).digest != Renderer(profile()).digest


def test_a_body_template_is_part_of_the_digest_and_a_name_or_a_calendar_is_not() -> None:
    plain = Renderer(profile())
    assert Renderer(profile(), "{{ notes }}").digest != plain.digest
    assert Renderer(profile("other", calendar="Classes")).digest == plain.digest
