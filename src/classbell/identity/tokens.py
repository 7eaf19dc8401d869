"""
Access tokens: one form post with an assertion that a certificate's key has signed.

The request is the one of the "Client credentials grant, with a certificate" and "Certificate
credentials" pages; a token is opaque to us. A token that is still valid is used through any trouble of
the endpoint, and the endpoint is left in peace between attempts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import jwt
import msgspec

from classbell import headers
from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable, TemporaryError
from classbell.identity import answers
from classbell.identity.answers import Circumstances, TokenAnswer
from classbell.identity.assertions import assertion
from classbell.identity.certificates import Credential
from classbell.identity.keyring import Keyring, out_of_dates
from classbell.ports import Clock, Ids, NoAnswer, Response, Transport
from classbell.settings import TenantSettings
from classbell.telemetry import logger

# Nobody caches for longer than this before the end (what MSAL does as well).
EARLY = 300.0
# A token is not handed out in its last seconds: it would run out on its way.
LAST_SECONDS = 10.0
TIMEOUT = 30.0
# From here on a difference of the clocks is worth a warning: an assertion holds good for minutes only.
LARGE_SKEW = 60.0
# After refusals somebody has to change something; this is how soon we notice.
PAUSES_REFUSED = (60.0, 300.0, 900.0, 3600.0)
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 3600.0

_OK = 200
_log = logger("identity")


@dataclass(frozen=True, kw_only=True)
class _Token:
    text: str = field(repr=False)
    renew_at: float
    expires_at: float


class Tokens:
    """
    The access tokens of one institution, for its calendar service.

    Args:
        transport: the way to the sign-in service.
        clock: our time.
        ids: ids of assertions and requests, and jitter.
        tenant: whose tokens, as which application, for which service.
        credentials: at least one, or a keyring; the newest valid is tried first, the others after it if
            Entra ID does not know it (yet).
        resource: what the tokens are for; without it the tenant's interface to calendars.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        ids: Ids,
        tenant: TenantSettings,
        credentials: Sequence[Credential] | Keyring,
        *,
        resource: str = "",
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._ids = ids
        self._tenant = tenant
        self.keyring = (
            credentials if isinstance(credentials, Keyring) else Keyring(None, credentials=credentials)
        )
        """The certificates that tokens are had with."""
        self._resource = resource or tenant.resource
        self._url = f"{tenant.login}/{tenant.tenant_id}/oauth2/v2.0/token"
        self._one_at_a_time = asyncio.Lock()
        self._current: _Token | None = None
        self._failures = 0
        self._asked = 0.0
        self.trouble: ClassbellError | None = None
        """Why the last attempt at a new token failed; None if it did not."""
        self.retry_at = 0.0
        """Clock time before which no new attempt is made after a failure."""
        self.in_use: Credential | None = None
        """The credential that the last token was had with."""
        self.ahead: float | None = None
        """Seconds by which our clock is ahead of Microsoft's; None until it has answered."""

    async def token(self) -> str:
        """
        A token that is valid now; had anew some minutes before the old one ends.

        Raises:
            RefusedError: Microsoft refuses us one.
            TemporaryError: none is to be had at the moment.
        """
        now = self._clock.now()
        current = self._current
        if current is not None and now < current.renew_at:
            return current.text
        usable = self._usable()
        if usable is not None and self._one_at_a_time.locked():
            return usable.text
        async with self._one_at_a_time:
            return await self._renewed()

    def invalidate(self, token: str) -> None:
        """The service has refused this token: have a new one next time."""
        if self._current is not None and self._current.text == token:
            self._current = None

    def roles(self) -> frozenset[str] | None:
        """
        The permissions that the current token names; None if there is none or it cannot be read.

        For diagnosis only. A token without any may still be good: permissions can also be granted in
        Exchange, mailbox by mailbox.
        """
        if self._current is None:
            return None
        try:
            claims = jwt.decode(self._current.text, options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        return frozenset(map(str, claims.get("roles") or ()))

    def no_mailbox_open(self) -> RefusedError:
        """The error to raise when our tokens are good but open no mailbox at all."""
        return answers.no_mailbox_open(self._circumstances(()), self.roles())

    async def _renewed(self) -> str:
        now = self._clock.now()
        if self._current is not None and now < self._current.renew_at:
            return self._current.text  # somebody else has had it while we waited
        trouble = self.trouble
        if trouble is None or now >= self.retry_at:
            try:
                self._current = await self._fetched()
            except ClassbellError as new_trouble:
                self._note(new_trouble)
                trouble = new_trouble
            else:
                self._failures = 0
                self.trouble = None
                return self._current.text
        usable = self._usable()
        if usable is None:
            raise trouble.with_traceback(None)
        return usable.text

    def _usable(self) -> _Token | None:
        """The current token, if it is still good for a request."""
        current = self._current
        if current is None or self._clock.now() >= current.expires_at - LAST_SECONDS:
            return None
        return current

    def _note(self, trouble: ClassbellError) -> None:
        if isinstance(trouble, TemporaryError):
            longest = min(LONGEST_PAUSE, 2.0**self._failures)
            pause = max(self._asked, longest * (1 + self._ids.random()) / 2)
        else:
            pause = PAUSES_REFUSED[min(self._failures, len(PAUSES_REFUSED) - 1)]
        self._failures += 1
        self.trouble = trouble
        self.retry_at = self._clock.now() + pause

    async def probe(self, credential: Credential) -> None:
        """
        Ask for a token with one certificate, and for nothing but to see whether it is given.

        Raises:
            RefusedError: Microsoft refuses; ``origin`` is AADSTS700027 if it does not know the certificate.
            ServiceUnavailable: no answer is to be had at the moment.
        """
        response = await self._ask(credential)
        answer = _read(response)
        if response.status != _OK or not answer.access_token:
            raise answers.refusal(response.status, answer, self._circumstances((credential,)))

    def clock_warning(self) -> ClassbellError | None:
        """What to say of our clock, if it and Microsoft's differ by more than a minute."""
        if self.ahead is None or abs(self.ahead) <= LARGE_SKEW:
            return None
        return answers.clock(self._circumstances(()), "")

    async def _fetched(self) -> _Token:
        """A new token, had with the first credential that Entra ID knows."""
        self.keyring.look(self._clock.now())
        unknown: list[tuple[Credential, ClassbellError]] = []
        for credential in await self.keyring.in_order(self._clock.now()):
            began = self._clock.now()
            response = await self._ask(credential)
            answer = _read(response)
            if response.status == _OK and answer.access_token:
                await self._note_use(credential, answer, began)
                return _token(answer, began)
            if answer.number != answers.UNREGISTERED:
                raise answers.refusal(response.status, answer, self._circumstances((credential,)))
            told = [*(each for each, _ in unknown), credential]
            refusal = answers.refusal(response.status, answer, self._circumstances(told))
            _log.warning(
                "certificate refused", thumbprint=credential.sha1, code=refusal.code, origin=refusal.origin
            )
            unknown.append((credential, refusal))
            await self.keyring.refused(credential, began, refusal.origin)
        first, refusal = unknown[0][0], unknown[-1][1]
        # Our own words tell more where the dates are why, unless it is our clock that is wrong.
        raise (None if self.clock_warning() else out_of_dates(first, self._clock.now())) or refusal

    async def _note_use(self, credential: Credential, answer: TokenAnswer, began: float) -> None:
        self.in_use = credential
        now = self._clock.now()
        _log.info(
            "signed in",
            tenant=self._tenant.tenant_id,
            thumbprint=credential.sha1,
            days_left=credential.days_left(now),
            lifetime_s=_seconds(answer.expires_in),
        )
        for trouble in (*self.keyring.troubles(now), *self.keyring.warnings(now), self.clock_warning()):
            if trouble is not None:
                _log.warning(trouble.what, code=trouble.code, why=trouble.why, do=trouble.do)
        await self.keyring.worked(credential, began)

    async def _ask(self, credential: Credential) -> Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._tenant.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(
                credential,
                self._tenant.assertion,
                url=self._url,
                client_id=self._tenant.client_id,
                now=self._clock.now(),
                unique=self._ids.new_uuid(),
            ),
            "scope": f"{self._resource}/.default",
        }
        self._asked = 0.0
        asked_at = self._clock.now()
        try:
            response = await self._transport.request(
                "POST",
                self._url,
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                    "client-request-id": str(self._ids.new_uuid()),
                },
                body=urlencode(form).encode(),
                timeout=TIMEOUT,
            )
        except NoAnswer as lost:
            raise ServiceUnavailable(
                "E-LOGIN-DOWN",
                f"Microsoft's sign-in service ({self._tenant.login}) could not be reached.",
                why=f"{lost.reason}.",
                do="check this computer's way to it: name resolution, firewall, https_proxy, ca_file.",
                effect="Calendars stay as they are until it answers.",
            ) from lost
        answered_at = headers.date(response.headers)
        # Whoever was stopped before reading the answer would take the time of before for that of now.
        if answered_at and self._clock.now() - asked_at <= headers.TELLS_TIME_WITHIN:
            # The header is cut to whole seconds, so that on average the answer is half a second younger.
            self.ahead = self._clock.now() - answered_at - 0.5
        self._asked = min(headers.retry_after(response.headers) or 0.0, LONGEST_RETRY_AFTER)
        return response

    def _circumstances(self, tried: Sequence[Credential]) -> Circumstances:
        return Circumstances(
            tenant=self._tenant.tenant_id,
            application=self._tenant.client_id,
            login=self._tenant.login,
            graph=self._resource,
            thumbprints=tuple(credential.sha1 for credential in tried),
            ahead=self.ahead,
        )


def _read(response: Response) -> TokenAnswer:
    try:
        return msgspec.json.decode(response.body, type=TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Throttling has been answered in plain text; a gateway answers with a web page.
        return TokenAnswer()


def _token(answer: TokenAnswer, began: float) -> _Token:
    lifetime = _seconds(answer.expires_in)
    # A token that lives for minutes only is renewed at half its life instead.
    renew_in = max(lifetime - EARLY, lifetime / 2)
    if answer.refresh_in is not None:
        renew_in = min(renew_in, _seconds(answer.refresh_in))
    return _Token(text=answer.access_token, renew_at=began + renew_in, expires_at=began + lifetime)


def _seconds(stated: float | str) -> float:
    try:
        return float(stated)
    except ValueError:
        return 0.0  # had anew for the next request
