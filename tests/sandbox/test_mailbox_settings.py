"""Settings of a mailbox, and the time zones it may name."""

from typing import Any

import pytest
from tests.sandbox.client import Client, World


@pytest.fixture
def settings(world: World) -> Client:
    world.app.grant("MailboxSettings.ReadWrite")
    return world.sign_in()


def path(world: World) -> str:
    return f"{world.home}/mailboxSettings"


def test_settings_are_shown_whole_and_one_by_one(world: World, settings: Client) -> None:
    whole = settings.get(path(world)).body
    assert whole["@odata.context"].endswith("/mailboxSettings")
    assert (whole["timeZone"], whole["language"]["locale"]) == ("UTC", "en-US")
    zone = settings.get(f"{path(world)}/timeZone").body
    assert (zone["value"], zone["@odata.context"].rpartition("/")[2]) == ("UTC", "timeZone")
    assert settings.get(f"{path(world)}/workingHours").body["startTime"] == "08:00:00.0000000"


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Europe/Berlin"])
def test_a_time_zone_comes_back_in_the_form_in_which_it_was_set(
    world: World, settings: Client, zone: str
) -> None:
    answer = settings.patch(path(world), {"timeZone": zone})
    assert (answer.status, answer.body["timeZone"]) == (200, zone)
    assert settings.get(f"{path(world)}/timeZone").body["value"] == zone


def test_the_time_zone_can_be_changed_under_its_own_path(world: World, settings: Client) -> None:
    answer = settings.patch(f"{path(world)}/timeZone", {"value": "Tokyo Standard Time"})
    assert (answer.status, answer.body["value"]) == (200, "Tokyo Standard Time")
    assert settings.get(path(world)).body["timeZone"] == "Tokyo Standard Time"


def test_a_patch_answers_with_what_it_changed(world: World, settings: Client) -> None:
    answer = settings.patch(path(world), {"dateFormat": "dd.MM.yyyy", "language": {"locale": "de-DE"}})
    assert set(answer.body) == {"@odata.context", "dateFormat", "language"}
    assert settings.get(path(world)).body["language"]["locale"] == "de-DE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"timeZone": "Nowhere"}, "TimeZoneNotSupportedException"),
        ({"timeZone": None}, "RequestBodyRead"),
        ({"workingHours": {"startTime": "08"}}, "RequestBodyRead"),
        ({"workingHours": {"startTime": "18:00:00", "endTime": "08:00:00"}}, "ErrorInvalidTimeSettings"),
        ({"workingHours": {"daysOfWeek": ["RandomDay"]}}, "InvalidArguments"),
        ({"workingHours": {"daysOfWeek": "monday"}}, "RequestBodyRead"),
        ({"workingHours": {"timeZone": {"name": "Nowhere"}}}, "InvalidTimeZone"),
        ({"workingHours": {"timeZone": "UTC"}}, "RequestBodyRead"),
        ({"workingHours": {"lunch": True}}, "RequestBodyRead"),
        ({"automaticRepliesSetting": {"status": "sometimes"}}, "InvalidArguments"),
        ({"automaticRepliesSetting": {"scheduledStartDateTime": "noon"}}, "RequestBodyRead"),
        ({"automaticRepliesSetting": {"internalReplyMessage": 1}}, "RequestBodyRead"),
        ({"delegateMeetingMessageDeliveryOptions": "x"}, "InvalidArguments"),
        ({"language": {"locale": 1}}, "RequestBodyRead"),
        ({"userPurpose": "room"}, "RequestBodyRead"),
        ({"colour": "red"}, "RequestBodyRead"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(
    world: World, settings: Client, body: dict[str, Any], code: str
) -> None:
    before = settings.get(path(world)).body
    answer = settings.patch(path(world), {"dateFormat": "x"} | body)
    assert (answer.status, answer.code) == (400, code)
    assert settings.get(path(world)).body == before


def test_automatic_replies_and_working_hours_are_changed_in_part(world: World, settings: Client) -> None:
    settings.patch(path(world), {"automaticRepliesSetting": {"status": "Scheduled"}})
    settings.patch(path(world), {"workingHours": {"daysOfWeek": ["Monday", "Tuesday"]}})
    whole = settings.get(path(world)).body
    assert whole["automaticRepliesSetting"]["status"] == "scheduled"
    assert whole["automaticRepliesSetting"]["externalAudience"] == "all"
    assert whole["workingHours"]["daysOfWeek"] == ["monday", "tuesday"]


def test_settings_of_one_mailbox_are_not_those_of_another(world: World, settings: Client) -> None:
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    settings.patch(path(world), {"timeZone": "Tokyo Standard Time"})
    assert settings.get(f"/users/{bob.address}/mailboxSettings/timeZone").body["value"] == "UTC"


def test_an_unknown_setting_is_no_segment(world: World, settings: Client) -> None:
    assert settings.get(f"{path(world)}/colour").code == "RequestBroker--ParseUri"


def test_settings_need_a_permission_of_their_own(world: World) -> None:
    assert world.graph.get(path(world)).code == "ErrorAccessDenied"
    world.app.grant("MailboxSettings.Read")
    reader = world.sign_in()
    assert reader.get(path(world)).status == 200
    assert reader.patch(path(world), {"dateFormat": "x"}).code == "ErrorAccessDenied"


def test_a_change_of_settings_is_in_the_history(world: World, settings: Client) -> None:
    settings.patch(path(world), {"timeZone": "Tokyo Standard Time", "dateFormat": "x"})
    (told,) = [
        record.detail
        for record in world.sandbox.history
        if record.kind == "change" and record.mailbox == world.ada.address
    ]
    assert (told["action"], told["name"]) == ("update-settings", "timeZone, dateFormat")


def test_the_owner_may_have_a_time_zone_that_nothing_else_takes(world: World, settings: Client) -> None:
    world.ada.set_time_zone("tzone://Microsoft/Custom")
    zone = settings.get(f"{path(world)}/timeZone").body["value"]
    assert zone == "tzone://Microsoft/Custom"
    answer = world.graph.get(world.events, Prefer=f'outlook.timezone="{zone}"')
    assert answer.code == "TimeZoneNotSupportedException"


@pytest.mark.parametrize(
    ("form", "alias", "title"),
    [
        ("", "W. Europe Standard Time", "(UTC+01:00) W. Europe Standard Time"),
        ("()", "Pacific Standard Time", "(UTC-08:00) Pacific Standard Time"),
        (
            "(TimeZoneStandard=microsoft.graph.timeZoneStandard'Windows')",
            "Tokyo Standard Time",
            "(UTC+09:00) Tokyo Standard Time",
        ),
        (
            "(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')",
            "Europe/London",
            "Europe/London",
        ),
    ],
)
def test_supported_time_zones_are_listed_in_either_standard(
    world: World, form: str, alias: str, title: str
) -> None:
    world.app.grant("User.Read.All")
    answer = world.sign_in().get(f"{world.home}/outlook/supportedTimeZones{form}")
    assert answer.status == 200
    names = {told["alias"]: told["displayName"] for told in answer.body["value"]}
    assert names[alias] == title
    assert ("Europe/London" in names) is ("Iana" in form)


def test_every_supported_time_zone_is_taken(world: World) -> None:
    world.app.grant("User.Read.All")
    client = world.sign_in()
    told = client.get(f"{world.home}/outlook/supportedTimeZones").body["value"]
    for row in told[::10]:
        assert client.get(world.events, Prefer=f'outlook.timezone="{row["alias"]}"').status in {200, 403}
        answer = world.graph.get(world.events, Prefer=f'outlook.timezone="{row["alias"]}"')
        assert answer.status == 200


def test_another_standard_of_time_zones_is_refused(world: World) -> None:
    world.app.grant("User.Read.All")
    form = "(TimeZoneStandard=microsoft.graph.timeZoneStandard'Mayan')"
    assert world.sign_in().get(f"{world.home}/outlook/supportedTimeZones{form}").code == "BadRequest"
    assert world.graph.get(f"{world.home}/outlook/supportedTimeZones").code == "ErrorAccessDenied"
