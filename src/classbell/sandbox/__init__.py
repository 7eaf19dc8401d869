"""
An embedded stand-in for Microsoft 365: Entra ID, Graph and mailboxes on loopback.

Strict where the service is strict and nasty where it is nasty, so that a client which is right here is right
there. What is reproduced and what is not: ``docs/reference/sandbox.md``. It imports nothing of the product
around it and knows nothing of it.

    sandbox = Sandbox(seed=0)
    tenant = sandbox.add_tenant(domain="example.edu")
    app = tenant.register_app("Timetables")
    app.add_certificate(pem)
    app.grant("Calendars.ReadWrite")
    tenant.add_mailbox("ada@example.edu")
    with sandbox.serve() as address:
        ...  # address.login_url, address.graph_url, address.ca_file
"""

from classbell.sandbox.app import App
from classbell.sandbox.box import Sandbox
from classbell.sandbox.clock import SandboxClock
from classbell.sandbox.faults import Fault, Faults, RequestInfo
from classbell.sandbox.file import SandboxFileError
from classbell.sandbox.history import Change, History, Record
from classbell.sandbox.keeping.errors import DataError, DataInUse
from classbell.sandbox.latency import Latency
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.refusals import Refusal
from classbell.sandbox.server import NOTICE, Address, notice
from classbell.sandbox.store import Mail
from classbell.sandbox.switches import Switches
from classbell.sandbox.tenant import Tenant

__all__ = [
    "NOTICE",
    "Address",
    "App",
    "Change",
    "DataError",
    "DataInUse",
    "Fault",
    "Faults",
    "History",
    "Latency",
    "Mail",
    "Mailbox",
    "Record",
    "Refusal",
    "RequestInfo",
    "Sandbox",
    "SandboxClock",
    "SandboxFileError",
    "Switches",
    "Tenant",
    "notice",
]
