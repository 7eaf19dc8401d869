"""The HTTP surface: a thin application over the two halves."""

from starlette.applications import Starlette
from starlette.routing import Route

from classbell.sandbox.exchange import VERSION
from classbell.sandbox.graph_face import GraphFace
from classbell.sandbox.login import Login
from classbell.sandbox.server import Doors


def make_app(doors: Doors) -> Starlette:
    """The application that serves both halves."""
    graph = GraphFace(doors)
    return Starlette(
        routes=[
            Route(f"/{VERSION}/$batch", graph.batch, methods=["POST"]),
            Route(
                f"/{VERSION}/{{path:path}}", graph.single, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]
            ),
            *Login(doors).routes(),
        ]
    )
