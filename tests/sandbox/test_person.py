"""What a person does in the box: directly, not over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.sandbox.client import MONDAY, TAG, World, at, lecture, tag

from classbell.sandbox import Refusal, Sandbox

DAY = timedelta(days=1)


def test_a_person_sees_events_as_graph_shows_them_with_hidden_properties(world: World) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"))
    (seen,) = world.ada.calendar_view(MONDAY, MONDAY + DAY)
    assert seen["singleValueExtendedProperties"] == [{"id": TAG, "value": "x"}]
    shared = {name: value for name, value in event.items() if name != "@odata.context"}
    assert {name: seen[name] for name in shared} == shared
    assert world.ada.events() == [seen]


def test_a_view_is_by_start_over_all_calendars_or_one(world: World) -> None:
    other = world.ada.create_calendar("Other")
    world.ada.put_event(lecture(subject="late", start=at("2026-09-21T10:30:00")))
    world.ada.put_event(lecture(subject="early"), other)
    begin, end = MONDAY.replace(tzinfo=None), MONDAY + DAY
    assert [seen["subject"] for seen in world.ada.calendar_view(begin, end)] == ["early", "late"]
    assert [seen["subject"] for seen in world.ada.calendar_view(begin, end, other)] == ["early"]
    assert world.ada.calendar_view(MONDAY + DAY, MONDAY + 2 * DAY) == []


def test_the_events_of_a_person_are_marked_as_theirs_in_the_history(world: World) -> None:
    event = world.ada.put_event(lecture())
    change = world.sandbox.history[-1]
    assert (change.kind, change.mailbox, change.app) == ("change", world.ada.address, "")
    assert change.detail["cause"] == "user"
    assert change.detail["event"] == event


def test_an_edit_changes_the_version_for_everybody(world: World) -> None:
    event = world.create()
    world.ada.edit_event(event["id"], {"subject": "Mine", "isReminderOn": False})
    read = world.graph.get(f"{world.events}/{event['id']}").body
    assert (read["subject"], read["isReminderOn"]) == ("Mine", False)
    assert read["changeKey"] != event["changeKey"]


def test_a_deleted_event_can_be_restored(world: World) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"))["id"]
    world.ada.delete_event(event)
    assert world.ada.events() == []
    world.ada.restore_event(event)
    (seen,) = world.ada.events()
    assert (seen["id"], seen["singleValueExtendedProperties"]) == (event, [{"id": TAG, "value": "x"}])


def test_deleting_twice_is_for_ever(world: World) -> None:
    event = world.create()["id"]
    world.ada.delete_event(event)
    world.ada.delete_event(event)
    assert world.ada.deleted_events() == []
    with pytest.raises(KeyError):
        world.ada.event(event)


def test_a_copy_keeps_content_and_hidden_properties_under_a_new_id(world: World) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"), transactionId="t-1")
    copy = world.ada.copy_event(event["id"])
    original, twin = world.ada.events()
    assert (original["id"], twin["id"]) == (event["id"], copy)
    for name in ("subject", "start", "end", "singleValueExtendedProperties"):
        assert original[name] == twin[name]
    for name in ("iCalUId", "changeKey", "transactionId"):
        assert original[name] != twin[name]
    assert world.sandbox.history[-1].detail["copy_of"] == event["id"]


def test_an_event_can_be_copied_and_dragged_into_another_calendar(world: World) -> None:
    other = world.ada.create_calendar("Other")
    event = world.create()["id"]
    copy = world.ada.copy_event(event, other)
    assert [seen["id"] for seen in world.ada.calendar_view(MONDAY, MONDAY + DAY, other)] == [copy]
    world.ada.move_event(event, other)
    world.ada.move_event(copy)
    assert [seen["id"] for seen in world.ada.calendar_view(MONDAY, MONDAY + DAY, other)] == [event]


def test_calendars_are_made_renamed_and_deleted(world: World) -> None:
    other = world.ada.create_calendar("Other")
    world.ada.put_event(lecture(), other)
    world.ada.rename_calendar(other, "Another")
    assert list(world.ada.calendars().values()) == ["Calendar", "Another"]
    world.ada.delete_calendar(other)
    assert list(world.ada.calendars().values()) == ["Calendar"]
    assert world.ada.events() == []
    assert len(world.ada.deleted_events()) == 1


def test_the_default_calendar_stays(world: World) -> None:
    with pytest.raises(ValueError, match="default calendar"):
        world.ada.delete_calendar(next(iter(world.ada.calendars())))


def test_ids_of_either_kind_are_taken_and_foreign_ones_are_not(world: World) -> None:
    mutable = world.graph.post(world.events, lecture()).body["id"]
    assert world.ada.event(mutable)["subject"] == "Logic"
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    for wrong in ("x", bob.put_event(lecture()), next(iter(bob.calendars()))):
        with pytest.raises(KeyError):
            world.ada.event(wrong)
        with pytest.raises(KeyError):
            world.ada.rename_calendar(wrong, "x")


def test_a_person_meets_the_same_rules_as_an_application(world: World) -> None:
    with pytest.raises(Refusal, match="ErrorPropertyValidationFailure"):
        world.ada.put_event({"subject": "no time"})


def test_a_meeting_of_a_person_sends_mail_under_their_name(world: World) -> None:
    before = len(world.sandbox.outbox)
    world.ada.put_event(lecture(attendees=[{"emailAddress": {"address": "bob@example.edu"}}]))
    (mail,) = world.sandbox.outbox[before:]
    assert (mail.cause, mail.kind, mail.subject) == ("user", "invitation", "Logic")


def test_mailboxes_are_found_added_and_listed(world: World) -> None:
    tenant = world.tenant
    added = tenant.add_mailboxes(f"s{number}@{tenant.domain}" for number in range(3))
    assert [mailbox.address for mailbox in tenant.mailboxes()][1:] == [one.address for one in added]
    assert tenant.mailbox(added[1].address.upper()) is tenant.mailbox(added[1].id) is added[1]
    own = "11111111-2222-4333-8444-555555555555"
    assert tenant.add_mailbox(f"own@{tenant.domain}", id=own.upper()).id == own
    with pytest.raises(KeyError):
        tenant.mailbox("nobody@example.edu")
    with pytest.raises(ValueError, match="already"):
        tenant.add_mailbox(added[0].address.upper())
    with pytest.raises(ValueError, match="no state of a mailbox"):
        tenant.add_mailbox("x@example.edu", state="asleep")


def test_a_tenant_needs_a_guid_and_a_name_of_its_own() -> None:
    sandbox = Sandbox()
    tenant = sandbox.add_tenant("example.edu")
    assert sandbox.tenants == [tenant]
    for domain, tenant_id in (("other.edu", "x"), ("EXAMPLE.edu", None), ("other.edu", tenant.tenant_id)):
        with pytest.raises(ValueError, match=r"no GUID|exists already"):
            sandbox.add_tenant(domain, tenant_id)


def test_the_same_seed_gives_the_same_ids() -> None:
    def built(seed: int) -> list[str]:
        sandbox = Sandbox(seed)
        tenant = sandbox.add_tenant("example.edu")
        app, mailbox = tenant.register_app("Timetables"), tenant.add_mailbox("ada@example.edu")
        return [tenant.tenant_id, app.client_id, app.object_id, mailbox.id, mailbox.put_event(lecture())]

    assert built(3) == built(3)
    assert set(built(3)).isdisjoint(built(4))


def test_the_clock_can_be_set_and_advanced_and_runs_on() -> None:
    base = [1000.0]
    sandbox = Sandbox(base=lambda: base[0])
    sandbox.clock.set(datetime(2026, 9, 21, 8, tzinfo=UTC))
    start = sandbox.clock.now()
    assert datetime.fromtimestamp(start, UTC) == datetime(2026, 9, 21, 8, tzinfo=UTC)
    sandbox.clock.advance(30)
    base[0] += 12
    assert sandbox.clock.now() == start + 42
    sandbox.clock.set(datetime(2026, 9, 21, 8))  # noqa: DTZ001 - naive means UTC
    assert sandbox.clock.now() == start


def test_an_unknown_thumbprint_cannot_be_removed(world: World) -> None:
    with pytest.raises(KeyError):
        world.app.remove_certificate("AB:CD")
