"""Institutions as set-up knows them, and names that try to break out of a script."""

from typing import Any

from classbell.setup import Facts, PublicCertificate

CLIENT = "0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"
TENANT = "7d5c1f2e-3b4a-4c6d-8e9f-0a1b2c3d4e5f"
OBJECT = "c7d20f48-1e65-4b39-8a04-93d1f6b7e25c"
PRINCIPAL = "9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a"

NEW = PublicCertificate(
    file="classbell-example-0123abcd.pem",
    pem=b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    sha1="0123ABCD" * 5,
    sha256="4567CDEF" * 8,
    until="2027-11-20",
    until_instant="2027-11-20T08:15:00Z",
)
OLD = PublicCertificate(
    file="classbell-example-89abcdef.pem",
    pem=NEW.pem,
    sha1="89ABCDEF" * 5,
    sha256="01234567" * 8,
    until="2026-01-31",
    until_instant="2026-01-31T23:59:59Z",
    expired=True,
)
NONE_YET = PublicCertificate(file="classbell-example.pem")

NASTY = (
    'St. John\'s "College" of $Arts & `Crafts`',
    "$(touch broken); ${HOME} $env:PATH @(1) #{x}",
    "x'; az ad app delete --id 1; echo '",
    "x\u2019; Remove-Item broken; \u2018y\u201by",
    "a\nrm -rf broken\n# b\r\nRemove-Item broken\u2028c\u0085d",
    '${file("/etc/passwd")} %{ for x in y }$${z} \\',
    "{{ 7 * 7 }} {% raw %}",
    "Universität Zürich \u5927\u5b66 \U0001f393",
    "#> <# @' '@ \"@ \t\u0000\u001b[31m",
)


def facts(**changes: Any) -> Facts:
    """An institution of which nothing but its certificate is known, and what is changed about it."""
    known = {"institution_id": "example", "name": "Example University", "certificates": (NEW,)}
    return Facts(**(known | changes))


def registered(**changes: Any) -> Facts:
    """The same once its application is registered."""
    known = {"tenant": TENANT, "client": CLIENT, "object_id": OBJECT, "service_principal": PRINCIPAL}
    return facts(**(known | changes))
