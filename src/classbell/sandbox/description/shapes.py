"""
Texts with a form of their own, as they stand in answers: ids, versions, dates and times.

Source: Graph pages "Get immutable identifiers for Outlook resources", "dateTimeTimeZone resource type" and "event
resource type"; the shapes of ids as in public samples.
"""

from classbell.sandbox.description.terms import TEXT, Schema, closed, matching

_BASE64 = r"[A-Za-z0-9+/_-]"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"

GUID: Schema = matching(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MUTABLE = rf"{_BASE64}{{151}}="
_OCCURRENCE = rf"{_BASE64}{{166}}=="
_IMMUTABLE = rf"{_BASE64}{{68}}"
_IMMUTABLE_OCCURRENCE = rf"{_BASE64}{{80}}"
_VERSION = rf"{_BASE64}{{30}}=="

# Of calendars and their groups, and the default ids of events.
MUTABLE_ID: Schema = matching(_MUTABLE)
# The default ids of events and of occurrences.
MUTABLE_EVENT_ID: Schema = matching(f"{_MUTABLE}|{_OCCURRENCE}")
# Of events and occurrences, of either kind.
EVENT_ID: Schema = matching(f"{_MUTABLE}|{_OCCURRENCE}|{_IMMUTABLE}|{_IMMUTABLE_OCCURRENCE}")
CHANGE_KEY: Schema = matching(_VERSION)
ETAG: Schema = matching(f'W/"{_VERSION}"')
# Seven digits or fewer, trailing zeros left out, always UTC.
STAMP: Schema = matching(rf"{_DATE}T{_TIME}(?:\.[0-9]{{1,7}})?Z") | {"format": "date-time"}
WALL: Schema = matching(rf"{_DATE}T{_TIME}\.[0-9]{{7}}")
DAY: Schema = matching(_DATE) | {"format": "date"}
CLOCK: Schema = matching(rf"{_TIME}(?:\.[0-9]{{1,12}})?")
DATE_WITHOUT_ZONE: Schema = matching(rf"{_DATE}T{_TIME}")
URL: Schema = {"type": "string", "format": "uri"}
HTTPS_URL: Schema = matching(r"https://[^\s]+")
NUMBER_AS_TEXT: Schema = matching(r"[0-9]+")
ICAL_UID: Schema = matching(r"[0-9A-F]{112}")

DATE_TIME_ZONE: Schema = closed({"dateTime": WALL, "timeZone": TEXT})
