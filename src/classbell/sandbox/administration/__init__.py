"""
The administrative API: what an administrator of Microsoft 365, a person at a mailbox and fate would do, as JSON.

It is described at ``/_sandbox/openapi.json``; beside it stands the description of what the sandbox reproduces of
Microsoft's, at ``/_sandbox/microsoft.openapi.json``. Everything done through it is written into the history.
"""

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from classbell.sandbox.administration import controls, directory, person, watching
from classbell.sandbox.description import description
from classbell.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

_ABOUT = """\
Administers a sandbox that stands in for Microsoft 365. It is **not** Microsoft 365, which has no such API.
A tenant is named by its id or domain, a mailbox by its id or address, an event by an id of either kind.
"""


def make_api(box: "Sandbox") -> FastAPI:
    """The application, to be mounted where it is to be reached."""
    api = FastAPI(
        title="Sandbox administration",
        version="1.0",
        description=_ABOUT,
        # The usual pages about an API load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        root_path_in_servers=True,
        responses={
            404: {"description": "There is no such tenant, application, mailbox, calendar, event or fault."}
        },
    )
    api.state.box = box
    api.add_api_route("/microsoft.openapi.json", _microsoft, include_in_schema=False)
    for part in (directory, person, controls, watching):
        api.include_router(part.router)
    api.add_exception_handler(HTTPException, _http_refused)
    api.add_exception_handler(RequestValidationError, _not_understood)
    api.add_exception_handler(Refusal, _service_refused)
    api.add_exception_handler(ValueError, _impossible)
    return api


async def _microsoft() -> JSONResponse:
    return JSONResponse(description())


async def _http_refused(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, HTTPException):
        raise error
    return _told(error.status_code, "NotFound" if error.status_code == 404 else "Refused", error.detail)  # noqa: PLR2004 - a status


async def _not_understood(request: Request, error: Exception) -> JSONResponse:
    del request
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = error.errors()[0]
    place = ".".join(str(part) for part in wrong["loc"])
    return _told(422, "NotUnderstood", f"{place}: {wrong['msg']}")


async def _service_refused(request: Request, error: Exception) -> JSONResponse:
    """What Outlook would refuse to the person as well."""
    del request
    if not isinstance(error, Refusal):
        raise error
    return _told(error.status, error.code, error.message)


async def _impossible(request: Request, error: Exception) -> JSONResponse:
    del request
    return _told(400, "Impossible", str(error))


def _told(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
