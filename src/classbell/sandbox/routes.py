"""The HTTP surface: a thin application over the two halves."""

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import Mount, Route

from classbell.sandbox.consent import Consent
from classbell.sandbox.exchange import VERSION
from classbell.sandbox.graph_face import GraphFace
from classbell.sandbox.login import Login
from classbell.sandbox.outlook_rest import OutlookFace
from classbell.sandbox.server import Doors
from classbell.sandbox.surfaces import Surfaces


class _Rest(PathConvertor):
    """The rest of a path, whatever is in it: Starlette's own ends at a line feed."""

    regex = "(?s:.*)"


register_url_convertor("rest", _Rest())


def make_app(doors: Doors, *, open_administration: bool = False) -> Starlette:
    """The application that serves both halves, and beside them the sandbox's own surfaces."""
    graph = GraphFace(doors)
    return Starlette(
        routes=[
            Route(f"/{VERSION}/$batch", graph.batch, methods=["POST"]),
            Route(
                f"/{VERSION}/{{path:rest}}", graph.single, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]
            ),
            *OutlookFace(doors).routes(),
            *Login(doors).routes(),
            *Consent(doors).routes(),
            Mount("/_sandbox", Surfaces(doors.box, open_to_all=open_administration)),
        ]
    )
