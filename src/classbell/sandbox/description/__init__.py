"""
The description of what the sandbox reproduces of Microsoft's: Entra ID, Graph v1.0 and Outlook REST v2.0.

OpenAPI 3.1, served at ``/_sandbox/microsoft.openapi.json``. It is written by hand, not derived from the code that
answers, so that each can be held against the other: objects are closed, and every status that an operation has by
itself is named.
"""

import re
from functools import cache
from typing import Any

from classbell.sandbox.description import entra, errors, events, graph, outlook, possessions

_ABOUT = """\
What a sandbox that stands in for Microsoft 365 reproduces of it. It is **not** Microsoft 365, and this is not \
Microsoft's description of its service. Paths are taken in any case, and `name('id')` for `name/id`. Scripted faults may \
also cut, empty, drop or replace an answer.
"""
_PART = re.compile(r"\{(\w+)\}")


@cache
def description() -> dict[str, Any]:
    """The document as JSON values, to be left as they are."""
    parameters = graph.PATH_PARAMETERS | entra.PATH_PARAMETERS
    told: dict[str, Any] = {}
    for path, operations in {**graph.paths(), **outlook.paths(), **entra.paths()}.items():
        named = [{"$ref": f"#/components/parameters/{name}"} for name in _PART.findall(path)]
        told[path] = {"parameters": named} if named else {}
        told[path] |= {method: one.told(f"{method} {path}") for method, one in operations.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Microsoft 365 as the sandbox reproduces it",
            "version": "1.0",
            "description": _ABOUT,
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": told,
        "components": {
            "schemas": {
                **events.ANSWERS,
                **possessions.ANSWERS,
                **errors.SCHEMAS,
                **entra.SCHEMAS,
                **outlook.SCHEMAS,
                **events.REQUESTS,
                **possessions.REQUESTS,
            },
            "parameters": parameters,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the tenant's token endpoint for the resource that is asked.",
                }
            },
        },
    }
