"""
The transport port in life: one HTTP exchange at a time over one aiohttp session.

What it promises beyond HTTP is honesty about what left: ``NoAnswer.sent`` is False only if not one byte
of the request did. Whoever writes to a mailbox builds on that.
"""

import os
import ssl
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

import classbell
from classbell.errors import ConfigurationError
from classbell.ports import Clock, NoAnswer, Response

CONNECT_TIMEOUT = 20.0
LARGEST_BODY = 64 * 1024 * 1024
CONNECTIONS = 256
# Shorter than any server or gateway on the way keeps an idle connection (5 s is a common default): a
# request sent into one that is just being closed has an unknown outcome.
KEEP_ALIVE = 4.0
USER_AGENT = f"Classbell/{classbell.__version__}"


class AiohttpTransport:
    """
    ``ports.Transport`` over aiohttp; use it as ``async with``.

    Connections are kept and shared. Redirects are answers like any other and are not followed. Proxies
    are those of the environment (``https_proxy``, ``http_proxy``, ``no_proxy``) as it was at the start;
    a ``.netrc`` is not read. Bodies may come compressed.

    Args:
        clock: what ``send_until`` is compared with.
        ca_file: PEM file of certificate authorities to trust beside those of the system.
        largest_body: bytes of an answer, unpacked, from which on it is given up.
        environ: where the proxies are named; the process's environment by default.

    Raises:
        ConfigurationError: ``E-CA-FILE``, *ca_file* cannot be read or holds no certificate.
    """

    def __init__(
        self,
        clock: Clock,
        ca_file: Path | None = None,
        *,
        largest_body: int = LARGEST_BODY,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._largest_body = largest_body
        self._tls = _tls(ca_file)
        self._proxies = _Proxies(os.environ if environ is None else environ)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=60
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
            # Our own, because aiohttp's reads .netrc and the environment again for every request.
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        send_until: float | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 - the port's own word
    ) -> Response:
        """
        Send one request and read its whole answer; see ``ports.Transport``.

        Args:
            method: the HTTP method.
            url: where to; an address that is already percent-encoded is sent as it stands.
            headers: sent as given, besides Host, User-Agent, Accept-Encoding and Content-Length.
            body: the content.
            send_until: clock time after which the request must not start to leave.
            timeout: seconds for the whole exchange, connecting included.

        Raises:
            NoAnswer: no complete answer came.
        """
        if self._session is None:
            raise RuntimeError("the transport is used inside its async with")
        patience = CONNECT_TIMEOUT
        if send_until is not None:
            patience = min(patience, send_until - self._clock.now())
            if patience <= 0:
                raise NoAnswer("the time for sending was over", sent=False)
        try:
            target, proxy = _target(url), self._proxies.of(url)
        except ValueError:
            raise NoAnswer("the address is not valid", sent=False) from None
        letter = _Letter(body, self._clock, send_until) if body else None
        try:
            async with self._session.request(
                method,
                target,
                headers=headers,
                data=letter,
                proxy=proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    # aiohttp rounds longer timeouts up to whole seconds unless told otherwise.
                    total=timeout,
                    connect=patience,
                    ceil_threshold=float("inf"),
                ),
            ) as answer:
                return Response(
                    status=answer.status,
                    headers=_lowered(answer.headers.items()),
                    body=await self._read(answer),
                    url=str(answer.url),
                )
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError and the errors of TLS are OSErrors too.
            raise _no_answer(error, letter) from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks = []
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._largest_body:
                # Counted as it is unpacked: a few kilobytes can unpack to gigabytes.
                answer.close()
                raise NoAnswer(f"the answer is larger than {self._largest_body} bytes", sent=True)
            chunks.append(chunk)
        return b"".join(chunks)


class _Letter(aiohttp.Payload):
    """
    A body that knows whether it has left, and refuses to leave too late.

    aiohttp holds the headers back until the body's first byte, so that neither has left before ``write``.
    The last look at the clock is therefore taken here, after any waiting for a connection.
    """

    _value: bytes

    def __init__(self, body: bytes, clock: Clock, send_until: float | None) -> None:
        super().__init__(body)
        self._size = len(body)
        self._clock = clock
        self._send_until = send_until
        self.left = False
        self.late = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._value.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        if self._send_until is not None and self._clock.now() > self._send_until:
            self.late = True
            raise TimeoutError
        self.left = True
        await writer.write(self._value)

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - always that of the body
    ) -> None:
        await self.write(writer)


# The standard library's reading of no_proxy: there on every system, but unknown to the type stubs.
_bypasses = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]


class _Proxies:
    """The proxies that an environment names, by scheme; a host in ``no_proxy`` is reached directly."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        def read(name: str) -> str:
            return environ.get(name) or environ.get(name.upper()) or ""

        self._by_scheme = {scheme: _proxy(read(f"{scheme}_proxy"), scheme) for scheme in ("http", "https")}
        self._direct = {"no": read("no_proxy")}

    def of(self, url: str) -> URL | None:
        """The proxy on the way to *url*, or None."""
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme)
        return None if proxy is None or _bypasses(parts.netloc, self._direct) else proxy


def _proxy(text: str, scheme: str) -> URL | None:
    if not text:
        return None
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        proxy = URL()
    if proxy.scheme not in {"http", "https"} or not proxy.host:
        # The text is not repeated: it may hold a password.
        raise ConfigurationError(
            "E-PROXY",
            f"The environment variable {scheme}_proxy names no HTTP proxy.",
            why="it has the form http://host:port; other kinds of proxy are not supported.",
            do=f"correct {scheme}_proxy, or list the hosts to reach directly in no_proxy.",
        )
    return proxy


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                "E-CA-FILE",
                f"The file of certificate authorities {ca_file} cannot be used.",
                why=getattr(error, "strerror", None) or "it holds no certificate in PEM form.",
                do="check ca_file in the configuration; it is a PEM file with one or more certificates.",
            ) from error
    return context


def _target(url: str) -> URL:
    # A link that the service made is sent back to it byte for byte; only what no address may contain
    # (spaces, letters beyond ASCII) is escaped here.
    return URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)


def _lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    lowered: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        lowered[key] = f"{lowered[key]}, {value}" if key in lowered else value
    return lowered


# Raised before a request is written, so that without a body, too, it is certain that nothing left.
_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


def _no_answer(error: Exception, letter: _Letter | None) -> NoAnswer:
    if letter is not None and letter.late:
        return NoAnswer("the time for sending was over", sent=False)
    sent = letter.left if letter is not None else not isinstance(error, _BEFORE_SENDING)
    return NoAnswer(_reason(error), sent=sent)


def _reason(error: Exception) -> str:  # noqa: C901, PLR0911 - one line for each cause
    """The cause in words, without any part of an address but its host: the rest may be secret."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"the TLS certificate of {error.host} is not trusted: {_of_tls(error.certificate_error)}"
        case aiohttp.ClientConnectorSSLError():
            return f"TLS with {error.host} failed: {_of_tls(error.os_error)}"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} could not be resolved"
        case aiohttp.ClientProxyConnectionError():
            return f"the proxy {error.host}:{error.port} could not be reached"
        case aiohttp.ClientConnectorError():
            return f"{error.host}:{error.port} could not be reached: {error.os_error.strerror or 'no connection'}"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy answered {error.status}"
        case aiohttp.ConnectionTimeoutError():
            return "no connection could be made in time"
        case TimeoutError():
            return "no answer came in time"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
        case aiohttp.ClientPayloadError():
            return "the answer was cut off"
        case aiohttp.InvalidURL():
            return "the address is not valid"
        case _:
            return f"the connection failed ({type(error).__name__})"


def _of_tls(error: Exception) -> str:
    return getattr(error, "verify_message", None) or getattr(error, "reason", None) or type(error).__name__
