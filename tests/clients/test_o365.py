"""
python-o365 works on calendars: lists, creates, changes, deletes, pages. It knows no batches.

It is pointed at the sandbox by subclasses, as for any other cloud: a protocol with another address, and a connection
whose MSAL application has another authority.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import msal
import pytest
import requests
from O365 import Account, Connection, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend
from tests.clients.world import PASSWORD, TAG, Pair, World

pytestmark = pytest.mark.prove

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FORWARDING = "Boolean {00020329-0000-0000-c000-000000000046} Name DoNotForward"


def account(world: World, pair: Pair, **headers: str) -> Any:
    """An account of the application, not signed in yet; the headers go along with each request."""

    class Protocol(MSGraphProtocol):  # type: ignore[misc]  # its types are not read
        _protocol_url = f"{world.address.graph_url}/"
        _oauth_scope_prefix = f"{world.address.graph_url}/"

    class Secured(Connection):  # type: ignore[misc]  # its types are not read
        @cached_property
        def msal_client(self) -> Any:
            return msal.ConfidentialClientApplication(
                self.auth[0],
                client_credential=self.auth[1],
                authority=f"{world.address.login_url}/{self.tenant_id}",
                instance_discovery=False,
                token_cache=self.token_backend,
                verify=self.verify_ssl,
            )

    class Ours(Account):  # type: ignore[misc]  # its types are not read
        connection_constructor = Secured

    return Ours(
        (world.app.client_id, {"private_key_pfx_path": str(pair.pfx), "passphrase": PASSWORD}),
        protocol=Protocol(timezone="Europe/Amsterdam"),
        auth_flow_type="credentials",
        tenant_id=world.tenant.tenant_id,
        token_backend=MemoryTokenBackend(),
        verify_ssl=world.ca_file,
        requests_delay=0,
        default_headers=headers,
    )


@pytest.fixture
def signed_in(world: World) -> Iterator[Any]:
    made = account(world, world.pair)
    assert made.authenticate()
    yield made
    if made.con.session is not None:
        made.con.session.close()


@pytest.fixture
def schedule(signed_in: Any, world: World) -> Any:
    return signed_in.schedule(resource=world.ada.address)


@pytest.fixture
def calendar(schedule: Any) -> Any:
    return schedule.get_default_calendar()


def wall(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, 21, hour, minute, tzinfo=AMSTERDAM)


def save(calendar: Any, subject: str = "Logic", **changes: Any) -> Any:
    event = calendar.new_event(subject)
    event.start, event.end = wall(12), wall(13)
    for name, value in changes.items():
        setattr(event, name, value)
    assert event.save()
    return event


def refused(call: Any, *arguments: Any) -> int:
    with pytest.raises(requests.HTTPError) as caught:
        call(*arguments)
    return int(caught.value.response.status_code)


def test_calendars_are_listed_made_renamed_and_deleted(schedule: Any, world: World) -> None:
    made = schedule.new_calendar("Timetable")
    assert [each.name for each in schedule.list_calendars()] == ["Calendar", "Timetable"]
    made.name = "Classes"
    assert made.update()
    assert schedule.get_calendar(calendar_name="Classes").calendar_id == made.calendar_id
    assert made.delete()
    assert list(world.ada.calendars().values()) == ["Calendar"]


def test_an_event_is_created_with_all_that_is_said_of_it(calendar: Any, world: World) -> None:
    event = save(
        calendar,
        body="<p>Bring paper</p>",
        location="B12",
        categories="Timetable",
        is_reminder_on=False,
        transaction_id="operation 1",
    )
    seen = world.ada.event(event.object_id)
    assert (seen["subject"], seen["isReminderOn"], seen["transactionId"]) == ("Logic", False, "operation 1")
    assert seen["start"] == {"dateTime": "2026-09-21T10:00:00.0000000", "timeZone": "UTC"}
    assert seen["originalStartTimeZone"] == "W. Europe Standard Time"
    assert (seen["location"]["displayName"], seen["categories"]) == ("B12", ["Timetable"])
    assert seen["bodyPreview"] == "Bring paper"


def test_flags_that_it_sends_as_text_and_a_provider_make_no_online_meeting(
    calendar: Any, world: World
) -> None:
    # Each new event carries isOnlineMeeting as the text "false" beside a provider.
    seen = world.ada.event(save(calendar).object_id)
    assert (seen["isOnlineMeeting"], seen["onlineMeetingProvider"]) == (False, "unknown")


def test_immutable_ids_come_with_a_header(world: World) -> None:
    made = account(world, world.pair, Prefer='IdType="ImmutableId"')
    assert made.authenticate()
    event = save(made.schedule(resource=world.ada.address).get_default_calendar())
    assert event.object_id == world.ada.event(event.object_id)["id"]
    made.con.session.close()


def test_an_event_is_read_changed_and_deleted(calendar: Any, world: World) -> None:
    event = calendar.get_event(save(calendar).object_id)
    assert (event.subject, event.start) == ("Logic", wall(12))
    event.subject, event.start, event.end = "Sets", wall(14), wall(15, 30)
    assert event.save()
    seen = world.ada.event(event.object_id)
    assert (seen["subject"], seen["end"]["dateTime"]) == ("Sets", "2026-09-21T13:30:00.0000000")
    assert event.delete()
    assert refused(calendar.get_event, event.object_id) == 404
    assert refused(event.delete) == 404
    assert [event["subject"] for event in world.ada.deleted_events()] == ["Sets"]


def test_an_all_day_event_keeps_its_day(calendar: Any) -> None:
    event = save(calendar, start=datetime(2026, 9, 21, tzinfo=AMSTERDAM), is_all_day=True)
    read = calendar.get_event(event.object_id)
    assert read.is_all_day
    assert read.start.date().isoformat() == "2026-09-21"


def test_a_list_is_read_page_by_page_to_its_end(calendar: Any, world: World) -> None:
    subjects = world.fill(25)
    found = calendar.get_events(limit=100, batch=7, include_recurring=False, order_by="start/dateTime")
    assert [event.subject for event in found] == subjects
    assert world.codes("GET", "/events?") == [200] * 4


def test_a_query_is_understood(calendar: Any, world: World) -> None:
    world.fill(5)
    asked = calendar.new_query()
    afternoon = asked.chain_and(asked.greater_equal("start", wall(16)), asked.startswith("subject", "event"))
    found = calendar.get_events(query=afternoon, include_recurring=False)
    assert sorted(event.subject for event in found) == ["Event 02", "Event 03", "Event 04"]


def test_a_calendar_view_shows_what_overlaps(calendar: Any, world: World) -> None:
    world.fill(5)
    found = calendar.get_events(
        batch=1, start_recurring=wall(15, 30), end_recurring=wall(17), include_recurring=True
    )
    assert [(event.subject, event.start) for event in found] == [
        ("Event 01", wall(15)),
        ("Event 02", wall(16)),
    ]
    assert world.codes("GET", "/calendarView") == [200, 200]


def test_the_extended_property_that_it_knows_is_stored(calendar: Any, world: World) -> None:
    event = save(calendar, no_forwarding=True)
    stored = {
        hidden["id"]: hidden["value"]
        for hidden in world.ada.event(event.object_id)["singleValueExtendedProperties"]
    }
    assert stored == {FORWARDING: "true"}
    event.no_forwarding = False
    assert event.save()
    (hidden,) = world.ada.event(event.object_id)["singleValueExtendedProperties"]
    assert hidden == {"id": FORWARDING, "value": "false"}


def test_an_extended_property_finds_its_event(calendar: Any, world: World) -> None:
    for value in ("one", "two"):
        hidden = [{"id": TAG, "value": value}]
        world.ada.put_event(
            {
                "subject": value,
                "start": {"dateTime": "2026-09-21T10:00:00", "timeZone": "UTC"},
                "end": {"dateTime": "2026-09-21T11:00:00", "timeZone": "UTC"},
                "singleValueExtendedProperties": hidden,
            }
        )
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq 'two')"
    assert [event.subject for event in calendar.get_events(query=wanted, include_recurring=False)] == ["two"]


def test_a_throttled_read_is_tried_again_when_the_service_says(calendar: Any, world: World) -> None:
    world.throttle(lambda info: info.kind == "single", times=2)
    assert list(calendar.get_events(include_recurring=False)) == []
    assert world.codes("GET", "/events") == [429, 429, 200]
    assert all(wait >= 0.9 for wait in world.waits("GET", "/events"))


def test_a_throttled_create_is_an_error_and_creates_nothing(calendar: Any, world: World) -> None:
    # Its retries leave out what is not idempotent.
    world.throttle(lambda info: info.method == "POST", times=1)
    event = calendar.new_event("Logic")
    event.start, event.end = wall(12), wall(13)
    assert refused(event.save) == 429
    assert world.codes("POST", "/events") == [429]
    assert world.ada.events() == []
    assert event.save()
    assert world.subjects() == ["Logic"]


def test_a_certificate_that_is_not_registered_is_refused(
    world: World, other_pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    made = account(world, other_pair)
    with caplog.at_level(logging.ERROR):
        assert not made.authenticate()
    assert "AADSTS700027" in caplog.text
    assert not made.is_authenticated


def test_missing_consent_and_a_closed_mailbox_are_errors(signed_in: Any, world: World) -> None:
    schedule = signed_in.schedule(resource=world.ada.address)
    world.app.restrict_to(["somebody.else@example.edu"])
    assert refused(schedule.get_default_calendar) == 403
    world.app.restrict_to(None)
    world.ada.state = "unlicensed"
    assert refused(schedule.get_default_calendar) == 404
