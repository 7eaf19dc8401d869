"""A real web server for the tests of feeds."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest
from tests.sources.web_site import Site, handler


@pytest.fixture
def site() -> Iterator[Site]:
    served: list[Site] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(lambda: served[0]))
    served.append(Site(url=f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
