"""Outlook REST API v2.0 over the mailboxes that Graph shows."""

from urllib.parse import quote

import pytest
from tests.sandbox.client import TAG, World, lecture, tag
from tests.sandbox.outlook_client import OutlookClient, home, mark, seminar, sign_in


@pytest.fixture
def outlook(world: World) -> OutlookClient:
    return sign_in(world)


def test_an_event_speaks_pascal_case_in_names_and_values(world: World, outlook: OutlookClient) -> None:
    answer = outlook.post(
        f"{home(world)}/events",
        seminar(
            ShowAs="WorkingElsewhere",
            Sensitivity="Private",
            Importance="High",
            Body={"ContentType": "HTML", "Content": "<p>Bring a pen.</p>"},
            Location={"DisplayName": "B12"},
            Categories=["Timetable"],
            IsReminderOn=False,
        ),
    )
    assert answer.status == 201, answer
    event = answer.body
    assert (event["ShowAs"], event["Sensitivity"], event["Importance"]) == (
        "WorkingElsewhere",
        "Private",
        "High",
    )
    assert (event["Type"], event["Body"]["ContentType"]) == ("SingleInstance", "HTML")
    assert event["BodyPreview"] == "Bring a pen."
    assert event["Start"] == {"DateTime": "2026-09-21T10:00:00.0000000", "TimeZone": "UTC"}
    assert event["Location"] == {
        "DisplayName": "B12",
        "LocationType": "Default",
        "UniqueId": "B12",
        "UniqueIdType": "Private",
    }
    assert event["ResponseStatus"] == {"Response": "Organizer", "Time": "0001-01-01T00:00:00Z"}
    assert event["Organizer"]["EmailAddress"]["Address"] == world.ada.address
    assert event["iCalUId"].startswith("040000008200E00074C5B7101A82E008")
    assert event["@odata.etag"] == answer.headers["etag"]
    assert (event["Categories"], event["IsReminderOn"]) == (["Timetable"], False)


def test_what_graph_got_later_is_not_told(world: World, outlook: OutlookClient) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    assert event.keys().isdisjoint({"TransactionId", "IsDraft", "HideAttendees", "IsOnlineMeeting"})
    (calendar,) = outlook.get(f"{home(world)}/calendars").body["value"]
    assert calendar.keys() == {
        "@odata.id",
        "Id",
        "Name",
        "Color",
        "ChangeKey",
        "CanShare",
        "CanViewPrivateItems",
        "CanEdit",
        "Owner",
    }
    assert calendar["Color"] == "Auto"
    assert calendar["Owner"] == {"Name": "Ada", "Address": world.ada.address}


def test_both_faces_show_the_same_event_under_the_same_id(world: World, outlook: OutlookClient) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    assert len(event["Id"]) == 152
    seen = world.graph.get(f"{world.events}/{event['Id']}").body
    assert (seen["subject"], seen["changeKey"]) == ("Logic", event["ChangeKey"])
    made = world.graph.post(world.events, lecture(subject="Sets")).body
    assert outlook.get(f"{home(world)}/events('{made['id']}')").body["Subject"] == "Sets"


@pytest.mark.parametrize(
    "form",
    ["/users('{user}')/events('{id}')", "/Users('{user}')/Events('{id}')", "/users/{user}/events/{id}"],
)
def test_keys_stand_in_parentheses_or_behind_a_slash(world: World, outlook: OutlookClient, form: str) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    path = form.format(user=quote(world.ada.address), id=quote(event["Id"]))
    assert outlook.get(path).body["Id"] == event["Id"]


def test_an_event_can_be_followed_by_its_address(world: World, outlook: OutlookClient) -> None:
    answer = outlook.post(f"{home(world)}/events", seminar())
    event = answer.body
    user = f"{world.ada.id}@{world.tenant.tenant_id}"
    assert event["@odata.id"] == (
        f"{world.address.outlook_url}/api/v2.0/Users('{user}')/Events('{event['Id']}')"
    )
    assert answer.headers["location"] == event["@odata.id"]
    assert outlook.get(event["@odata.id"]).body["Id"] == event["Id"]


def test_an_apostrophe_in_an_address_is_doubled(world: World, outlook: OutlookClient) -> None:
    address = f"o'brien@{world.tenant.domain}"
    world.tenant.add_mailbox(address)
    escaped = address.replace("'", "''")
    assert outlook.post(f"/users('{escaped}')/events", seminar()).status == 201


def test_an_event_is_changed_under_its_etag_and_deleted(world: World, outlook: OutlookClient) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    path = f"{home(world)}/events('{event['Id']}')"
    changed = outlook.ask("PATCH", path, {"Subject": "Sets"}, If_Match=event["@odata.etag"])
    assert (changed.status, changed.body["Subject"]) == (200, "Sets")
    stale = outlook.ask("PATCH", path, {"Subject": "Maps"}, If_Match=event["@odata.etag"])
    assert (stale.status, stale.code) == (412, "ErrorIrresolvableConflict")
    assert outlook.ask("DELETE", path).status == 204
    gone = outlook.ask("DELETE", path)
    assert (gone.status, gone.code) == (404, "ErrorItemNotFound")


def test_a_calendar_is_made_used_and_deleted(world: World, outlook: OutlookClient) -> None:
    made = outlook.post(f"{home(world)}/calendars", {"Name": "Classes"})
    assert (made.status, made.body["Name"]) == (201, "Classes")
    path = f"{home(world)}/calendars('{made.body['Id']}')"
    assert made.body["@odata.id"].endswith(f"/Calendars('{made.body['Id']}')")
    assert outlook.post(f"{path}/events", seminar()).status == 201
    assert len(outlook.get(f"{path}/events").body["value"]) == 1
    renamed = outlook.ask("PATCH", path, {"Name": "Term", "Color": "LightBlue"})
    assert (renamed.body["Name"], renamed.body["Color"]) == ("Term", "LightBlue")
    again = outlook.post(f"{home(world)}/calendars", {"Name": "Term"})
    assert (again.status, again.code) == (409, "ErrorFolderExists")
    assert outlook.ask("DELETE", path).status == 204


def test_a_view_shows_what_overlaps_its_window(world: World, outlook: OutlookClient) -> None:
    outlook.post(f"{home(world)}/events", seminar())
    window = {"startDateTime": "2026-09-21T10:30:00Z", "endDateTime": "2026-09-22T00:00:00Z"}
    for path in ("/calendarview", "/CalendarView", "/calendar/calendarview"):
        (event,) = outlook.get(f"{home(world)}{path}", window).body["value"]
        assert event["Subject"] == "Logic"
    missing = outlook.get(f"{home(world)}/calendarview")
    assert (missing.status, missing.code) == (400, "ErrorInvalidParameter")


def test_extended_properties_have_a_property_id(world: World, outlook: OutlookClient) -> None:
    created = outlook.post(
        f"{home(world)}/events", seminar(SingleValueExtendedProperties=mark("week 1/Logic"))
    )
    assert "SingleValueExtendedProperties" not in created.body
    outlook.post(f"{home(world)}/events", seminar(SingleValueExtendedProperties=mark("other")))
    answer = outlook.get(
        f"{home(world)}/events",
        {
            "$filter": f"SingleValueExtendedProperties/Any(ep: ep/PropertyId eq '{TAG}' and "
            "ep/Value eq 'WEEK 1/logic')",
            "$expand": f"SingleValueExtendedProperties($filter=PropertyId eq '{TAG}')",
            "$select": "Subject",
        },
    )
    (event,) = answer.body["value"]
    assert event["Id"] == created.body["Id"]
    ((_, name), (_, value)) = event["SingleValueExtendedProperties"][0].items()
    assert (name.casefold(), value) == (TAG.casefold(), "week 1/Logic")
    assert world.ada.event(event["Id"])["singleValueExtendedProperties"][0]["value"] == "week 1/Logic"


def test_graphs_names_are_not_understood(world: World, outlook: OutlookClient) -> None:
    for body in (
        lecture(),
        seminar(subject="Logic"),
        seminar(Start={"dateTime": "2026-09-21T10:00:00", "timeZone": "UTC"}),
        seminar(SingleValueExtendedProperties=tag("x")),
        seminar(TransactionId="1"),
        seminar(Homework="none"),
    ):
        answer = outlook.post(f"{home(world)}/events", body)
        assert (answer.status, answer.code) == (400, "RequestBodyRead"), body
        assert "Microsoft.OutlookServices." in answer.message
    assert world.ada.events() == []


@pytest.mark.parametrize(
    "option",
    [
        {"$select": "subject"},
        {"$select": "TransactionId"},
        {"$select": "Homework"},
        {"$filter": f"SingleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/Value eq 'x')"},
        {"$filter": "TransactionId eq 'x'"},
    ],
)
def test_options_name_properties_of_this_api(
    world: World, outlook: OutlookClient, option: dict[str, str]
) -> None:
    answer = outlook.get(f"{home(world)}/events", option)
    assert (answer.status, answer.code) == (400, "RequestBroker--ParseUri")
    assert "Microsoft.OutlookServices." in answer.message


def test_an_id_in_quotes_is_text_not_a_name(world: World, outlook: OutlookClient) -> None:
    outlook.post(f"{home(world)}/events", seminar(Subject="an id of Subject"))
    answer = outlook.get(f"{home(world)}/events", {"$filter": "Subject eq 'an id of Subject'"})
    assert len(answer.body["value"]) == 1


def test_lists_are_filtered_sorted_and_selected(world: World, outlook: OutlookClient) -> None:
    for day in (23, 21, 22):
        begin, end = (f"2026-09-{day}T{hour}:00:00" for hour in (10, 11))
        times = {"Start": {"DateTime": begin, "TimeZone": "UTC"}, "End": {"DateTime": end, "TimeZone": "UTC"}}
        outlook.post(f"{home(world)}/events", seminar(Subject=f"Day {day}", **times))
    answer = outlook.get(
        f"{home(world)}/events",
        {
            "$filter": "Start/DateTime ge '2026-09-22T00:00'",
            "$orderby": "Start/DateTime desc",
            "$select": "Subject,iCalUId",
        },
    )
    assert [event["Subject"] for event in answer.body["value"]] == ["Day 23", "Day 22"]
    assert set(answer.body["value"][0]) == {"@odata.id", "@odata.etag", "Id", "Subject", "iCalUId"}
    assert answer.body["@odata.context"] == (
        f"{world.address.outlook_url}/api/v2.0/$metadata#Users('{world.ada.address}')/Events(iCalUId,Subject)"
    )


def test_pages_are_linked_by_skip(world: World, outlook: OutlookClient) -> None:
    for number in range(12):
        outlook.post(f"{home(world)}/events", seminar(Subject=str(number)))
    first = outlook.get(f"{home(world)}/events", {"$orderby": "CreatedDateTime", "$count": "true"}).body
    assert (len(first["value"]), first["@odata.count"]) == (10, 12)
    link = first["@odata.nextLink"]
    assert link.startswith(f"{world.address.outlook_url}/api/v2.0/users('")
    second = outlook.get(link).body
    assert [event["Subject"] for event in second["value"]] == ["10", "11"]
    assert "@odata.nextLink" not in second
    third = outlook.get(f"{home(world)}/events", {"$top": "5", "$skip": "9", "$orderby": "CreatedDateTime"})
    assert [event["Subject"] for event in third.body["value"]] == ["9", "10", "11"]


def test_ids_are_always_mutable_ones(world: World, outlook: OutlookClient) -> None:
    prefer = 'outlook.timezone="W. Europe Standard Time", IdType="ImmutableId"'
    answer = outlook.post(f"{home(world)}/events", seminar(), Prefer=prefer)
    assert len(answer.body["Id"]) == 152
    assert answer.headers["preference-applied"] == 'outlook.timezone="W. Europe Standard Time"'
    assert answer.body["Start"]["DateTime"] == "2026-09-21T12:00:00.0000000"
    immutable = world.create()["id"]
    refused = outlook.get(f"{home(world)}/events('{immutable}')")
    assert (refused.status, refused.code) == (400, "ErrorInvalidIdMalformed")


def test_a_create_that_is_repeated_makes_a_second_event(world: World, outlook: OutlookClient) -> None:
    for _ in range(2):
        assert outlook.post(f"{home(world)}/events", seminar()).status == 201
    assert len(world.ada.events()) == 2


@pytest.mark.parametrize("tail", ["permanentDelete", "cancel", "homework"])
def test_what_graph_got_later_has_no_path(world: World, outlook: OutlookClient, tail: str) -> None:
    event = outlook.post(f"{home(world)}/events", seminar()).body
    answer = outlook.post(f"{home(world)}/events('{event['Id']}')/{tail}", {})
    assert (answer.status, answer.code) == (400, "RequestBroker--ParseUri")
    assert len(world.ada.events()) == 1


def test_synchronisation_is_not_reproduced_and_says_so(world: World, outlook: OutlookClient) -> None:
    answer = outlook.get(f"{home(world)}/calendarview", Prefer="odata.track-changes")
    assert (answer.status, answer.code) == (501, "SandboxNotReproduced")


def test_an_error_has_the_envelope_of_this_api(world: World, outlook: OutlookClient) -> None:
    answer = outlook.get(f"/users('nobody@{world.tenant.domain}')/events")
    assert (answer.status, answer.code) == (404, "ErrorInvalidUser")
    assert set(answer.body["error"]["innerError"]) == {"requestId", "date"}


def test_every_answer_of_a_mailbox_tells_what_is_left_of_the_limit(
    world: World, outlook: OutlookClient
) -> None:
    first = outlook.get(f"{home(world)}/events").headers
    second = outlook.get(f"{home(world)}/events('x')").headers
    assert first["rate-limit-limit"] == "10000"
    assert int(second["rate-limit-remaining"]) == int(first["rate-limit-remaining"]) - 1 == 9998
    assert first["rate-limit-reset"].startswith("2026-09-21T06:1")
    assert first["rate-limit-reset"].endswith("Z")


def test_the_limit_counts_both_faces_together(world: World, outlook: OutlookClient) -> None:
    for _ in range(5):
        world.graph.get(world.events)
    assert outlook.get(f"{home(world)}/events").headers["rate-limit-remaining"] == "9994"


def test_the_history_names_what_was_asked(world: World, outlook: OutlookClient) -> None:
    begin = len(world.sandbox.history)
    outlook.post(f"{home(world)}/events", seminar())
    outlook.post(f"{home(world)}/events", lecture())
    change, asked, refused = world.sandbox.history[begin:]
    assert (change.kind, change.detail["cause"]) == ("change", f"api:{world.app.client_id}")
    assert (asked.kind, asked.path, asked.status) == ("request", f"/api/v2.0{home(world)}/events", 201)
    assert asked.mailbox == world.ada.address
    assert (refused.kind, refused.path, refused.status) == ("refusal", asked.path, 400)
    assert (refused.detail, refused.app) == ({"code": "RequestBodyRead"}, world.app.client_id)


def test_a_fault_meets_this_face_too(world: World, outlook: OutlookClient) -> None:
    world.sandbox.faults.add(lambda info: info.path.startswith("/api/v2.0/"), "504-after")
    answer = outlook.post(f"{home(world)}/events", seminar())
    assert (answer.status, answer.code) == (504, "UnknownError")
    assert len(world.ada.events()) == 1


def test_after_its_end_it_is_gone(world: World, outlook: OutlookClient) -> None:
    world.sandbox.switches.outlook_rest = "retired"
    assert outlook.get(f"{home(world)}/events").status == 410
    assert outlook.post("/$batch", {"requests": []}).status == 410
    assert world.graph.get(world.events).status == 200


def test_a_series_and_its_occurrences_speak_pascal_case(world: World, outlook: OutlookClient) -> None:
    recurrence = {
        "Pattern": {"Type": "Weekly", "Interval": 1, "DaysOfWeek": ["Monday"]},
        "Range": {"Type": "EndDate", "StartDate": "2026-09-21", "EndDate": "2026-10-05"},
    }
    series = outlook.post(f"{home(world)}/events", seminar(Recurrence=recurrence))
    assert (series.status, series.body["Type"]) == (201, "SeriesMaster")
    assert series.body["Recurrence"]["Pattern"]["Type"] == "Weekly"
    assert series.body["Recurrence"]["Pattern"]["DaysOfWeek"] == ["Monday"]
    assert series.body["Recurrence"]["Range"]["Type"] == "EndDate"
    window = {"startDateTime": "2026-09-01T00:00:00Z", "endDateTime": "2026-11-01T00:00:00Z"}
    path = f"{home(world)}/events('{series.body['Id']}')/instances"
    found = outlook.get(path, window).body["value"]
    assert [event["Type"] for event in found] == ["Occurrence"] * 3
    assert {event["SeriesMasterId"] for event in found} == {series.body["Id"]}
    assert outlook.get(found[1]["@odata.id"]).body["Start"]["DateTime"].startswith("2026-09-28T10")


def test_attendees_are_written_and_read_and_mails_counted(world: World, outlook: OutlookClient) -> None:
    guest = {"EmailAddress": {"Address": "eve@example.edu", "Name": "Eve"}, "Type": "Optional"}
    event = outlook.post(f"{home(world)}/events", seminar(Attendees=[guest])).body
    (shown,) = event["Attendees"]
    assert (shown["Type"], shown["EmailAddress"]) == ("Optional", guest["EmailAddress"])
    assert shown["Status"]["Response"] == "None"
    assert [mail.recipient for mail in world.sandbox.outbox if mail.tenant == world.tenant.tenant_id] == [
        "eve@example.edu"
    ]


def test_a_body_comes_as_text_and_a_calendar_beside_its_event_where_asked(
    world: World, outlook: OutlookClient
) -> None:
    body = {"ContentType": "Text", "Content": "Bring a pen."}
    event = outlook.post(f"{home(world)}/events", seminar(Body=body)).body
    assert event["Body"]["ContentType"] == "HTML"
    shown = outlook.get(
        f"{home(world)}/events('{event['Id']}')",
        {"$expand": "Calendar"},
        Prefer='outlook.body-content-type="text"',
    )
    assert shown.body["Body"] == body
    assert shown.body["Calendar"]["Name"] == "Calendar"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"x"',
        b"{",
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"Body":' * 700 + b"1" + b"}" * 700,
        b'{"SingleValueExtendedProperties":{}}',
        b'{"SingleValueExtendedProperties":[1]}',
        b'{"SingleValueExtendedProperties":[{"PropertyId":5}]}',
        b'{"Start":5}',
        b'{"ShowAs":5}',
    ],
)
def test_no_body_breaks_it(world: World, outlook: OutlookClient, body: bytes) -> None:
    assert outlook.ask("POST", f"{home(world)}/events", body, Content_Type="application/json").status == 400


@pytest.mark.parametrize(
    "query", ["$filter='", "$filter=%FF", "$select=,", "$orderby=x", "$expand=(", "$skip=-1", "%00=%00"]
)
def test_no_query_breaks_it(world: World, outlook: OutlookClient, query: str) -> None:
    assert outlook.get(f"{home(world)}/events?{query}").status in {200, 400}


@pytest.mark.parametrize(
    "path", ["/", "/users", "/users('", "/users('x')", "/me/events", "/%FF", "/users('%00')/x"]
)
def test_no_path_breaks_it(outlook: OutlookClient, path: str) -> None:
    assert outlook.get(path).status in {400, 404, 501}
