"""A web server on loopback, whose every answer a test decides."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # What the server announces; by default the truth.
    length: int | None = None


@dataclass
class Site:
    """Answers by path; a path with several answers gives them in turn and repeats the last."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, *answers: Answer | bytes) -> str:
        """Set the answers of a path; gives its address."""
        self.answers[path] = [Answer(one) if isinstance(one, bytes) else one for one in answers]
        return self.url + path

    def next(self, path: str) -> Answer:
        with self.lock:
            self.asked.append(path)
            answers = self.answers.get(path.partition("?")[0], [Answer(b"nothing here", 404)])
            return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def web_site() -> Iterator[Site]:
    """A site that serves from a thread until the block ends."""
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


def handler(site: Callable[[], Site]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = site().next(self.path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header(
                "content-length", str(len(answer.body) if answer.length is None else answer.length)
            )
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
