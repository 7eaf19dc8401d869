"""How events look when they come back: never quite as they were sent."""

import re
from typing import Any

import pytest
from tests.sandbox.client import World, at, lecture, tag


def test_an_event_shows_every_property_with_the_services_defaults(world: World) -> None:
    event = world.create()
    defaults: dict[str, Any] = {
        "categories": [],
        "transactionId": None,
        "originalStartTimeZone": "UTC",
        "originalEndTimeZone": "UTC",
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": True,
        "hasAttachments": False,
        "bodyPreview": "",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "isDraft": False,
        "responseRequested": True,
        "seriesMasterId": None,
        "showAs": "busy",
        "type": "singleInstance",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": True,
        "hideAttendees": False,
        "recurrence": None,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": ""},
        "location": {
            "displayName": "",
            "locationType": "default",
            "uniqueIdType": "unknown",
            "address": {},
            "coordinates": {},
        },
        "locations": [],
        "attendees": [],
        "onlineMeeting": None,
    }
    assert {name: event[name] for name in defaults} == defaults
    own = {
        "@odata.context", "@odata.etag", "id", "createdDateTime", "lastModifiedDateTime", "changeKey",
        "iCalUId", "subject", "webLink", "start", "end", "organizer",
    }  # fmt: skip
    assert set(event) == set(defaults) | own


def test_hidden_properties_are_in_no_answer_unless_asked_for(world: World) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"))
    path = f"{world.events}/{event['id']}"
    answers = [event, world.graph.get(path).body, world.graph.patch(path, {"subject": "Sets"}).body]
    assert all("singleValueExtendedProperties" not in answer for answer in answers)


def test_times_have_seven_fractional_digits_and_no_offset(world: World) -> None:
    event = world.create(start=at("2026-09-21T10:00:00.25"))
    assert event["start"] == {"dateTime": "2026-09-21T10:00:00.2500000", "timeZone": "UTC"}


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Europe/Berlin", "europe/berlin"])
def test_times_are_told_in_utc_unless_a_zone_is_preferred(world: World, zone: str) -> None:
    event = world.create(start=at("2026-09-21T12:00:00", zone), end=at("2026-09-21T13:00:00", zone))
    assert event["start"] == {"dateTime": "2026-09-21T10:00:00.0000000", "timeZone": "UTC"}
    assert event["originalStartTimeZone"] == zone


def test_the_preferred_zone_is_applied_and_confirmed(world: World) -> None:
    event = world.create()
    prefer = 'outlook.timezone="GMT Standard Time"'
    answer = world.graph.get(f"{world.events}/{event['id']}", Prefer=prefer)
    assert answer.body["start"] == {
        "dateTime": "2026-09-21T11:00:00.0000000",
        "timeZone": "GMT Standard Time",
    }
    assert answer.headers["preference-applied"] == prefer


def test_several_preferences_in_one_header_are_all_applied(world: World) -> None:
    prefer = 'IdType="ImmutableId", outlook.timezone="Pacific Standard Time",outlook.body-content-type="text"'
    answer = world.graph.post(world.events, lecture(), Prefer=prefer)
    assert len(answer.body["id"]) == 68
    assert answer.body["start"]["dateTime"] == "2026-09-21T03:00:00.0000000"
    assert answer.body["body"]["contentType"] == "text"
    assert answer.headers["preference-applied"] == (
        'IdType=ImmutableId, outlook.timezone="Pacific Standard Time", outlook.body-content-type="text"'
    )


@pytest.mark.parametrize("where", ["prefer", "start"])
@pytest.mark.parametrize("zone", ["Greenwich Mean Time", "[]", "Mars/Olympus"])
def test_an_unknown_zone_is_refused_by_name(world: World, zone: str, where: str) -> None:
    if where == "prefer":
        answer = world.graph.get(world.events, Prefer=f'outlook.timezone="{zone}"')
    else:
        answer = world.graph.post(world.events, lecture(start=at("2026-09-21T10:00:00", zone)))
    assert (answer.status, answer.code) == (400, "TimeZoneNotSupportedException")
    assert answer.message == (
        f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{zone}'."
    )


def test_some_zones_exist_and_are_refused_all_the_same(world: World) -> None:
    answer = world.graph.post(world.events, lecture(start=at("2026-09-21T10:00:00", "Africa/Casablanca")))
    assert (answer.status, answer.code) == (400, "ErrorPropertyValidationFailure")


def test_an_offset_in_the_time_wins_over_the_zone(world: World) -> None:
    event = world.create(start=at("2026-09-21T12:30:00+02:30", "Asia/Tokyo"))
    assert event["start"]["dateTime"] == "2026-09-21T10:00:00.0000000"


@pytest.mark.parametrize(("setting", "shown"), [("utc", ("10", "UTC")), ("request", ("12", "Europe/Berlin"))])
def test_the_zone_of_an_answer_to_a_write_is_a_switch(
    world: World, setting: Any, shown: tuple[str, str]
) -> None:
    world.sandbox.switches.post_echo_zone = setting
    body = lecture(
        start=at("2026-09-21T12:00:00", "Europe/Berlin"), end=at("2026-09-21T13:00:00", "Europe/Berlin")
    )
    created = world.graph.post(world.events, body).body
    patched = world.graph.patch(f"{world.events}/{created['id']}", {"subject": "Sets"}).body
    for answer in (created, patched):
        assert answer["start"] == at(f"2026-09-21T{shown[0]}:00:00.0000000", shown[1])
    read = world.graph.get(f"{world.events}/{created['id']}").body
    assert read["start"]["timeZone"] == "UTC"
    preferred = world.graph.post(world.events, body, Prefer='outlook.timezone="UTC"').body
    assert preferred["start"]["timeZone"] == "UTC"


def test_stamps_are_utc_with_trailing_zeros_cut(world: World) -> None:
    event = world.create()
    for name in ("createdDateTime", "lastModifiedDateTime"):
        assert re.fullmatch(r"2026-09-21T06:00:\d\d(\.\d{0,5}[1-9])?Z", event[name])


def test_html_comes_back_wrapped_and_cleaned(world: World) -> None:
    content = '<p onclick="x()">Bring <b>pens</b><script>alert(1)</script></p>'
    event = world.create(body={"contentType": "HTML", "content": content})
    assert event["body"] == {
        "contentType": "html",
        "content": '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
        '<meta content="text/html; charset=us-ascii">\r\n</head>\r\n<body>\r\n<p>Bring <b>pens</b></p>\r\n'
        "</body>\r\n</html>\r\n",
    }


def test_a_whole_html_page_is_wrapped_only_once(world: World) -> None:
    page = "<html><head><title>T</title></head><body style='x'><i>Bring pens</i></body></html>"
    content = world.create(body={"contentType": "html", "content": page})["body"]["content"]
    assert content.count("<body") == 1
    assert "<body>\r\n<i>Bring pens</i>\r\n</body>" in content


def test_text_comes_back_as_html(world: World) -> None:
    event = world.create(body={"contentType": "text", "content": "Bring <pens>\nand ink"})
    assert event["body"]["contentType"] == "html"
    assert '<div class="PlainText">Bring &lt;pens&gt;<br>\r\nand ink</div>' in event["body"]["content"]
    assert event["bodyPreview"] == "Bring <pens>\nand ink"


def test_html_is_told_as_text_on_request(world: World) -> None:
    html = "<p>Bring <b>pens</b> <i>&amp;</i> ink</p>\n<p>Room&nbsp;7</p>"
    event = world.create(body={"contentType": "html", "content": html})
    answer = world.graph.get(f"{world.events}/{event['id']}", Prefer='outlook.body-content-type="text"')
    assert answer.body["body"] == {"contentType": "text", "content": "Bring pens & ink\r\nRoom\xa07"}


def test_the_preview_is_text_of_at_most_255_characters(world: World) -> None:
    event = world.create(body={"contentType": "html", "content": f"<b>{'ab ' * 200}</b>"})
    assert event["bodyPreview"] == ("ab " * 200)[:255]


def test_a_location_fills_the_list_of_locations(world: World) -> None:
    event = world.create(location={"displayName": "B12"})
    place = {
        "displayName": "B12",
        "locationType": "default",
        "uniqueId": "B12",
        "uniqueIdType": "private",
    }
    assert (event["location"], event["locations"]) == (place, [place])


def test_several_locations_are_joined_into_one_name(world: World) -> None:
    event = world.create(locations=[{"displayName": "B12"}, {"displayName": "C3"}])
    assert event["location"]["displayName"] == "B12; C3"
    assert [place["displayName"] for place in event["locations"]] == ["B12", "C3"]


def test_setting_a_location_replaces_all_locations(world: World) -> None:
    event = world.create(locations=[{"displayName": "B12"}, {"displayName": "C3"}])
    path = f"{world.events}/{event['id']}"
    answer = world.graph.patch(path, {"location": {"displayName": "D4"}})
    assert [place["displayName"] for place in answer.body["locations"]] == ["D4"]
    assert world.graph.patch(path, {"location": {"displayName": ""}}).body["locations"] == []


def test_address_and_coordinates_of_a_location_are_kept(world: World) -> None:
    place = {
        "displayName": "B12",
        "address": {"city": "York"},
        "coordinates": {"latitude": 54.0, "longitude": -1.0},
    }
    told = world.create(location=place)["location"]
    assert (told["address"], told["coordinates"]) == (place["address"], place["coordinates"])


def test_attendees_are_told_with_name_type_and_no_response(world: World) -> None:
    people = [{"emailAddress": {"address": "bob@example.edu"}, "type": "Optional"}]
    assert world.create(attendees=people)["attendees"] == [
        {
            "type": "optional",
            "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
            "emailAddress": {"name": "bob@example.edu", "address": "bob@example.edu"},
        }
    ]


def test_a_missing_subject_and_null_are_empty(world: World) -> None:
    assert world.create(subject=None)["subject"] == ""


def test_the_context_names_the_path_that_was_asked(world: World) -> None:
    assert world.create()["@odata.context"] == (
        f"{world.address.graph_url}/v1.0/$metadata#users('{world.ada.address}')/calendar/events/$entity"
    )


def test_an_all_day_event_floats(world: World) -> None:
    zone = "Pacific/Auckland"
    event = world.create(
        isAllDay=True, start=at("2026-09-21T00:00:00", zone), end=at("2026-09-23T00:00:00", zone)
    )
    for preferred in ("UTC", "Pacific Standard Time"):
        answer = world.graph.get(f"{world.events}/{event['id']}", Prefer=f'outlook.timezone="{preferred}"')
        assert answer.body["start"] == at("2026-09-21T00:00:00.0000000", preferred)
        assert answer.body["end"] == at("2026-09-23T00:00:00.0000000", preferred)


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        (at("2026-09-21T09:00:00"), at("2026-09-22T00:00:00"), "Start"),
        (at("2026-09-21T00:00:00"), at("2026-09-21T12:00:00"), "End"),
        (at("2026-09-21T00:00:00"), at("2026-09-22T00:00:00", "Europe/Berlin"), "End"),
        (at("2026-09-21T22:00:00Z", "Europe/Berlin"), at("2026-09-23T00:00:00", "Europe/Berlin"), None),
    ],
)
def test_an_all_day_event_begins_and_ends_at_midnight_of_one_zone(
    world: World, start: dict[str, str], end: dict[str, str], name: str | None
) -> None:
    answer = world.graph.post(world.events, lecture(isAllDay=True, start=start, end=end))
    if name is None:
        assert answer.status == 201
    else:
        assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")
        assert answer.message == (
            f"The Event.{name} property for an all-day event needs to be set to midnight."
        )


def test_an_all_day_event_lasts_a_day_at_least(world: World) -> None:
    midnight = at("2026-09-21T00:00:00")
    answer = world.graph.post(world.events, lecture(isAllDay=True, start=midnight, end=midnight))
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")


def test_the_midnight_rule_holds_for_a_patch_as_well(world: World) -> None:
    event = world.create()
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"isAllDay": True})
    assert (answer.status, answer.code) == (400, "ErrorInvalidRequest")


def test_a_day_on_which_the_clocks_change_may_be_an_all_day_event(world: World) -> None:
    zone = "Europe/London"
    start, end = at("2027-03-28T00:00:00", zone), at("2027-03-29T00:00:00", zone)
    event = world.create(isAllDay=True, start=start, end=end)
    assert event["end"] == at("2027-03-29T00:00:00.0000000")
