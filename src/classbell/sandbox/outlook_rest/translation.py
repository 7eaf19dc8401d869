"""
A request of this API put to the Graph half, and its answer told in this API's words.

Source: "Outlook Calendar REST API reference (version 2.0)"; the rate headers as met in public logs.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from classbell.sandbox.access import Access
from classbell.sandbox.exchange import ABSENT, Reply, Request
from classbell.sandbox.gateway import Gateway
from classbell.sandbox.history import Particulars
from classbell.sandbox.limits import REQUESTS
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.outlook_rest import names, paths
from classbell.sandbox.outlook_rest.admission import reasons
from classbell.sandbox.queries import next_link
from classbell.sandbox.refusals import Refusal, not_reproduced
from classbell.sandbox.surroundings import Commons

# Kinds of ids came with Graph.
_ID_TYPE = re.compile(r"\s*IdType\s*=\s*(?:\"[^\"]*\"|[^,;\s]*)\s*[,;]?", re.IGNORECASE)
_UNAUTHORIZED = 401
_ENTITY = re.compile(r"/(?P<collection>\w+)/\$entity\Z")


def refused(reply: Reply) -> Reply:
    """A refusal of Graph in this API's words; any other answer as it is. The reason of a 401 stands in headers alone."""
    if not isinstance(reply.body, dict) or "error" not in reply.body:
        return reply
    error = reply.body["error"]
    if reply.status == _UNAUTHORIZED:
        why = reasons(2000002, error["message"], "invalid_token")
        return replace(reply, body=None, headers=why | dict(reply.headers))
    told = error | {"message": names.message(error["message"])}
    inner = error.get("innerError", {})
    if "request-id" in inner:
        told["innerError"] = {"requestId": inner["request-id"], "date": inner["date"]}
    return replace(reply, body={"error": told})


class Translation:
    """Between this API and the Graph half of one sandbox."""

    def __init__(self, commons: Commons, gateway: Gateway) -> None:
        self._commons = commons
        self._gateway = gateway

    async def answer(self, asked: Request, access: Access) -> Reply:
        """
        Answer one request, alone or a member of a batch.

        Args:
            asked: with its path relative to the version of this API.
            access: what the bearer of the token may do, in Graph's words.

        Raises:
            ConnectionDropped: a fault wants no answer.
        """
        shown = f"/{paths.ROOT}/{asked.path}" + (f"?{asked.query}" if asked.query else "")
        mailbox = None
        try:
            segments = paths.segments(asked.path, access.tenant.tenant_id)
            if segments[:1] == ["users"] and len(segments) > 1:
                mailbox = access.tenant.find(segments[1])
            reply = await self._gateway.answer(self._translated(asked, segments, shown), access)
        except Refusal as refusal:
            reply = self._gateway.refused(refusal, asked.headers)
            self._record(asked, access, shown, reply)
        if not reply.status:
            return reply  # nobody will see it
        told = self._told(asked, access, mailbox, reply)
        if mailbox is not None:
            told.headers |= self._rates(access, mailbox)
        return told

    def _translated(self, asked: Request, segments: list[str], shown: str) -> Request:
        prefer = asked.headers.get("prefer", "")
        if "odata.track-changes" in prefer.casefold():
            raise not_reproduced("synchronisation by odata.track-changes")
        return replace(
            asked,
            path=paths.joined(segments),
            query=names.query(asked.query),
            headers={**asked.headers, "prefer": _ID_TYPE.sub("", prefer)},
            body=asked.body if asked.body is ABSENT else names.read(asked.body, _kind(segments)),
            shown=shown,
            capped=self._commons.switches.outlook_concurrency == "four",
        )

    def _told(self, asked: Request, access: Access, mailbox: Mailbox | None, reply: Reply) -> Reply:
        body = reply.body
        if isinstance(body, dict) and "error" in body:
            return refused(reply)
        if not isinstance(body, dict):
            return replace(reply, headers=dict(reply.headers))
        owner = f"{mailbox.id}@{access.tenant.tenant_id}" if mailbox else ""
        return self._told_body(asked, owner, reply, body)

    def _told_body(self, asked: Request, owner: str, reply: Reply, body: dict[str, Any]) -> Reply:
        headers = dict(reply.headers)
        context = str(body.get("@odata.context", ""))
        entity = _ENTITY.search(context)
        name = entity["collection"] if entity else context.rpartition("/")[2].partition("(")[0]
        collection = "Calendars" if name == "calendars" else "Events"
        told: dict[str, Any] = {"@odata.context": paths.context(context)}
        if "value" not in body:
            told |= _with_address(body, asked.base, owner, collection)
            if "Location" in headers:
                headers["Location"] = told["@odata.id"]
            return replace(reply, body=told, headers=headers)
        if "@odata.count" in body:
            told["@odata.count"] = body["@odata.count"]
        told["value"] = [_with_address(member, asked.base, owner, collection) for member in body["value"]]
        if "@odata.nextLink" in body:
            skip = dict(parse_qsl(body["@odata.nextLink"].partition("?")[2]))["$skip"]
            url = f"{asked.base}/{paths.ROOT}/{asked.path}"
            told["@odata.nextLink"] = next_link(url, asked.query, int(skip))
        return replace(reply, body=told, headers=headers)

    def _rates(self, access: Access, mailbox: Mailbox) -> dict[str, str]:
        now = self._commons.clock.now()
        left, wait = self._gateway.limits.left((access.app.client_id, mailbox.id), now)
        reset = datetime.fromtimestamp(now + wait, UTC).isoformat(timespec="milliseconds")
        return {
            "Rate-Limit-Limit": str(REQUESTS),
            "Rate-Limit-Remaining": str(left),
            "Rate-Limit-Reset": reset.replace("+00:00", "Z"),
        }

    def _record(self, asked: Request, access: Access, shown: str, reply: Reply) -> None:
        self._commons.history.add(
            "refusal",
            tenant=access.tenant.tenant_id,
            app=access.app.client_id,
            method=asked.method,
            path=shown,
            status=reply.status,
            batch=asked.batch,
            more=Particulars(reply.body["error"]["code"]),
        )


def _kind(segments: list[str]) -> str:
    """What the body of a request describes."""
    tail = segments[2:]
    return "Calendar" if tail in (["calendar"], ["calendars"]) or tail[:-1] == ["calendars"] else "Event"


def _with_address(body: dict[str, Any], base: str, owner: str, collection: str) -> dict[str, Any]:
    told: dict[str, Any] = names.told({name: part for name, part in body.items() if name != "@odata.context"})
    if "Id" not in told:
        return told
    return {"@odata.id": paths.location(base, owner, collection, told["Id"]), **told}
