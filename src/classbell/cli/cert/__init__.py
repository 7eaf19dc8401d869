"""
``classbell cert``: keys and certificates, from the first one to the last one's end.

    new, importing      a key with its certificate, or with a request to an authority, and its answer
    showing, convert    files of any form, without any configuration
    check, status       how the configured ones stand, also with Microsoft
    renew               bringing one in and taking one out
    passwords, saving, words, home   what these have in common
"""

import typer

from classbell.cli.cert import check, convert, importing, new, renew, showing, status
from classbell.cli.invocation import group


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    cert = group(help="Make, show, convert, check and renew keys and certificates.")
    for each in (new, importing, showing, convert, check, status, renew):
        each.add_to(cert)
    app.add_typer(cert, name="cert")
