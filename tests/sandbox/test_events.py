"""Creating, changing and deleting events, and what the service refuses."""

from typing import Any

import pytest
from tests.sandbox.client import World, at, lecture


def test_a_create_answers_201_with_the_event_and_where_it_is(world: World) -> None:
    answer = world.graph.post(world.events, lecture())
    assert answer.status == 201
    event = answer.body["id"]
    assert answer.headers["location"].endswith(f"/v1.0/users('{world.ada.address}')/events('{event}')")
    assert answer.headers["etag"] == answer.body["@odata.etag"]
    assert [seen["subject"] for seen in world.ada.events()] == ["Logic"]


@pytest.mark.parametrize("path", ["/events", "/calendar/events"])
def test_unscoped_and_default_paths_create_in_the_default_calendar(world: World, path: str) -> None:
    created = world.graph.post(world.home + path, lecture()).body
    found = world.graph.get(f"{world.home}/events/{created['id']}/calendar")
    assert found.body["isDefaultCalendar"] is True


def test_an_event_is_read_by_each_path_that_leads_to_it(world: World) -> None:
    event = world.create()["id"]
    calendar = world.graph.get(f"{world.home}/calendar").body["id"]
    for path in ("/events", "/calendar/events", f"/calendars/{calendar}/events"):
        answer = world.graph.get(f"{world.home}{path}/{event}")
        assert (answer.status, answer.body["subject"]) == (200, "Logic")


def test_an_event_of_another_calendar_is_refused_on_a_scoped_path_by_switch(world: World) -> None:
    event = world.create()["id"]
    other = world.ada.create_calendar("Timetable")
    path = f"{world.home}/calendars/{other}/events/{event}"
    assert world.graph.get(path).status == 200
    world.sandbox.switches.scoped_path_checks_calendar = True
    assert world.graph.get(path).code == "ErrorItemNotFound"


def test_a_patch_changes_what_it_names_and_nothing_else(world: World) -> None:
    event = world.create(location={"displayName": "B12"}, categories=["Timetable"])
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"subject": "Sets"})
    assert answer.status == 200
    assert answer.body["subject"] == "Sets"
    kept = ("start", "end", "location", "categories", "createdDateTime", "iCalUId", "showAs")
    assert all(answer.body[name] == event[name] for name in kept)


def test_a_patch_of_start_and_end_moves_the_event(world: World) -> None:
    event = world.create()
    moved = {"start": at("2026-09-22T12:00:00"), "end": at("2026-09-22T13:30:00")}
    answer = world.graph.patch(f"{world.events}/{event['id']}", moved)
    assert answer.body["start"] == {"dateTime": "2026-09-22T12:00:00.0000000", "timeZone": "UTC"}
    assert answer.body["end"] == {"dateTime": "2026-09-22T13:30:00.0000000", "timeZone": "UTC"}


def test_a_delete_is_soft_and_the_second_one_finds_nothing(world: World) -> None:
    event = world.create()
    answer = world.graph.delete(f"{world.events}/{event['id']}")
    assert (answer.status, answer.body) == (204, "")
    assert world.ada.events() == []
    assert [gone["subject"] for gone in world.ada.deleted_events()] == ["Logic"]
    again = world.graph.delete(f"{world.events}/{event['id']}")
    assert (again.status, again.code) == (404, "ErrorItemNotFound")
    assert again.message == "The specified object was not found in the store."


def test_a_permanent_delete_leaves_nothing_in_deleted_items(world: World) -> None:
    event = world.create()
    assert world.graph.post(f"{world.events}/{event['id']}/permanentDelete").status == 204
    assert world.ada.events() == world.ada.deleted_events() == []
    assert world.graph.get(f"{world.events}/{event['id']}").code == "ErrorItemNotFound"


@pytest.mark.parametrize("missing", ["start", "end"])
def test_an_event_needs_a_start_and_an_end(world: World, missing: str) -> None:
    body = {name: value for name, value in lecture().items() if name != missing}
    refused(world, body, "ErrorPropertyValidationFailure", "At least one property failed validation.")


def test_an_end_before_the_start_is_refused(world: World) -> None:
    refused(world, lecture(end=at("2026-09-21T09:59:59")), "ErrorPropertyValidationFailure")


def test_an_end_before_the_start_is_refused_in_a_patch_of_one_of_them(world: World) -> None:
    event = world.create()
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"start": at("2026-09-21T11:30:00")})
    assert (answer.status, answer.code) == (400, "ErrorPropertyValidationFailure")
    assert world.ada.events()[0]["start"]["dateTime"] == "2026-09-21T10:00:00.0000000"


def test_an_event_of_no_length_is_accepted(world: World) -> None:
    assert world.create(end=at("2026-09-21T10:00:00"))["end"]["dateTime"] == "2026-09-21T10:00:00.0000000"


@pytest.mark.parametrize("text", ["tomorrow", "2026-09-31T10:00:00", "2026-W39-1", "20260921T100000", ""])
def test_what_is_no_date_and_time_is_refused(world: World, text: str) -> None:
    refused(world, lecture(start=at(text)), "ErrorPropertyValidationFailure")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("showAs", "bsy"),
        ("importance", "urgent"),
        ("sensitivity", "secret"),
        ("body", {"contentType": "markdown", "content": "x"}),
    ],
)
def test_an_unknown_choice_is_refused(world: World, name: str, value: Any) -> None:
    wrong = value if isinstance(value, str) else value["contentType"]
    refused(world, lecture(**{name: value}), "RequestBodyRead", f"Requested value '{wrong}' was not found.")


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [("showAs", "WORKINGELSEWHERE", "workingElsewhere"), ("sensitivity", "Private", "private")],
)
def test_choices_are_taken_in_any_case_and_shown_in_their_own(
    world: World, name: str, given: str, shown: str
) -> None:
    assert world.create(**{name: given})[name] == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject", 7),
        ("isAllDay", "yes"),
        ("isReminderOn", 1),
        ("reminderMinutesBeforeStart", "15 minutes"),
        ("reminderMinutesBeforeStart", "1e1"),
        ("reminderMinutesBeforeStart", str(2**31)),
        ("reminderMinutesBeforeStart", True),
        ("reminderMinutesBeforeStart", 2**31),
        ("categories", "Timetable"),
        ("categories", [1]),
        ("location", "B12"),
        ("location", {"displayName": 12}),
        ("locations", {"displayName": "B12"}),
        ("attendees", {}),
        ("body", "text"),
        ("start", "2026-09-21T10:00:00"),
        ("showAs", None),
        ("transactionId", 5),
        ("isOnlineMeeting", "no"),
        ("isOnlineMeeting", 0),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(world: World, name: str, value: Any) -> None:
    refused(world, lecture(**{name: value}), "RequestBodyRead")


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("isReminderOn", "false", False),
        ("isAllDay", " False ", False),
        ("hideAttendees", "TRUE", True),
        ("isOnlineMeeting", "true", True),
        ("reminderMinutesBeforeStart", " 30", 30),
    ],
)
def test_flags_and_numbers_may_be_sent_as_text(world: World, name: str, given: str, shown: Any) -> None:
    assert world.create(**{name: given})[name] == shown


@pytest.mark.parametrize(
    "attendee", [{}, {"emailAddress": {}}, {"emailAddress": {"address": "nobody"}}, "bob@example.edu"]
)
def test_an_attendee_needs_an_address(world: World, attendee: Any) -> None:
    refused(world, lecture(attendees=[attendee]), "ErrorPropertyValidationFailure")


def test_more_than_five_hundred_attendees_are_refused(world: World) -> None:
    many = [{"emailAddress": {"address": f"s{number}@example.edu"}} for number in range(501)]
    refused(world, lecture(attendees=many), "ErrorPropertyValidationFailure")
    assert world.ada.events() == []


def test_a_category_above_its_length_is_refused(world: World) -> None:
    refused(world, lecture(categories=["x" * 256]), "ErrorPropertyValidationFailure")


def test_a_property_that_events_do_not_have_is_refused(world: World) -> None:
    refused(
        world,
        lecture(colour="red"),
        "RequestBodyRead",
        "The property 'colour' does not exist on type 'microsoft.graph.event'. Make sure to only use property "
        "names that are defined by the type.",
    )


@pytest.mark.parametrize(
    "name", ["id", "changeKey", "webLink", "createdDateTime", "isOrganizer", "iCalUId", "type"]
)
def test_a_read_only_property_is_refused_or_ignored_by_switch(world: World, name: str) -> None:
    refused(world, lecture(**{name: "x"}), "ErrorInvalidProperty")
    world.sandbox.switches.read_only_properties = "ignore"
    assert world.create(**{name: "x"})[name] != "x"


def test_annotations_and_the_organizer_are_ignored(world: World) -> None:
    organizer = {"emailAddress": {"name": "Eve", "address": "eve@example.edu"}}
    created = world.create(organizer=organizer, **{"@odata.type": "microsoft.graph.event"})
    assert created["organizer"]["emailAddress"]["address"] == world.ada.address


def test_a_subject_of_255_characters_fits(world: World) -> None:
    assert len(world.create(subject="x" * 255)["subject"]) == 255


def test_a_longer_subject_is_refused_or_cut_by_switch(world: World) -> None:
    refused(world, lecture(subject="x" * 256), "ErrorPropertyValidationFailure")
    world.sandbox.switches.long_subject = "cut"
    assert world.create(subject="x" * 256)["subject"] == "x" * 255


@pytest.mark.parametrize("body", [b"", b"null"])
def test_a_create_without_a_body_is_refused(world: World, body: bytes) -> None:
    answer = world.graph.post(world.events, body, Content_Type="application/json")
    assert (answer.status, answer.message) == (400, "Empty Payload. JSON content expected.")


@pytest.mark.parametrize("body", [b"{", b'{"subject":', b"\xff", b"[]"])
def test_a_body_that_is_no_json_object_cannot_be_read(world: World, body: bytes) -> None:
    answer = world.graph.post(world.events, body)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message.startswith("Unable to read JSON request payload.")


def test_a_body_of_another_content_type_cannot_be_read(world: World) -> None:
    answer = world.graph.post(world.events, lecture(), Content_Type="text/plain")
    assert (answer.status, answer.code) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extensions", [{}]),
        ("attachments", [{}]),
    ],
)
def test_what_is_not_reproduced_is_not_taken_silently(world: World, name: str, value: Any) -> None:
    answer = world.graph.post(world.events, lecture(**{name: value}))
    assert (answer.status, answer.code) == (501, "SandboxNotReproduced")
    assert world.ada.events() == []


def test_an_online_meeting_stays_one(world: World) -> None:
    event = world.create(isOnlineMeeting=True)
    assert event["onlineMeetingProvider"] == "teamsForBusiness"
    assert event["onlineMeeting"]["joinUrl"].startswith("https://")
    answer = world.graph.patch(f"{world.events}/{event['id']}", {"isOnlineMeeting": False})
    assert answer.body["isOnlineMeeting"] is True


@pytest.mark.parametrize("said", [False, "false"])
def test_a_provider_makes_no_online_meeting_where_one_is_denied(world: World, said: Any) -> None:
    provider = {"onlineMeetingProvider": "teamsForBusiness"}
    denied = {"isOnlineMeeting": said}
    for event in (world.create(**denied, **provider), world.create(**provider, **denied)):
        assert (event["isOnlineMeeting"], event["onlineMeetingProvider"]) == (False, "unknown")
    assert world.create(**provider)["isOnlineMeeting"] is True


def test_events_without_attendees_send_no_mail(world: World) -> None:
    before = len(world.sandbox.outbox)
    event = world.create()
    world.graph.patch(f"{world.events}/{event['id']}", {"subject": "Sets"})
    world.graph.delete(f"{world.events}/{event['id']}")
    assert world.sandbox.outbox[before:] == []


def test_every_attendee_gets_mail_of_every_step(world: World) -> None:
    before = len(world.sandbox.outbox)
    people = [{"emailAddress": {"address": f"{name}@example.edu"}} for name in ("bob", "eve")]
    event = world.create(attendees=people)
    path = f"{world.events}/{event['id']}"
    world.graph.patch(path, {"subject": "Sets"})
    world.graph.patch(path, {"attendees": people[:1]})
    world.graph.delete(path)
    mails = [(mail.kind, mail.recipient.partition("@")[0]) for mail in world.sandbox.outbox[before:]]
    assert mails == [
        ("invitation", "bob"), ("invitation", "eve"), ("update", "bob"), ("update", "eve"),
        ("cancellation", "eve"), ("cancellation", "bob"),
    ]  # fmt: skip
    sent = world.sandbox.outbox[before]
    assert (sent.sender, sent.cause) == (world.ada.address, f"api:{world.app.client_id}")


def refused(world: World, body: dict[str, Any], code: str, message: str | None = None) -> None:
    """A create is refused with 400 and leaves nothing."""
    before = len(world.ada.events())
    answer = world.graph.post(world.events, body)
    assert (answer.status, answer.code) == (400, code)
    if message is not None:
        assert answer.message == message
    assert len(world.ada.events()) == before
