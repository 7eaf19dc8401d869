"""
Taking an old certificate out: its registration first, then its place in the configuration, its private key last.

    another one proven -> journal -> removeKey -> it signs in no more -> the other proven again -> file -> key

Until it is certain that the right registration is gone and another certificate works, nothing is taken away that
could not be given back: a wrong id can therefore cost a registration, and never the way in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from classbell.errors import ClassbellError, ConfigurationError, HeldError, ServiceUnavailable
from classbell.identity.certificates import Credential
from classbell.identity.journal import Journal, Leaving
from classbell.identity.renewal import JUST_NOW, Configured, Renewal, Step
from classbell.settings.editing import names_file

# How long Microsoft may need to forget a certificate.
PATIENCE = 900.0
_STAYS = "nothing was taken away."


@dataclass(frozen=True, kw_only=True)
class Retired:
    """
    What was taken out: the certificate's file and SHA-1 thumbprint.

    Attributes:
        key: the file of the private key, which is gone; None if it is not kept in a file of its own.
        keeper: what is signed in with from now on.
    """

    name: str
    sha1: str
    key: Path | None
    keeper: Credential


async def retire(
    renewal: Renewal,
    which: str = "",
    *,
    key_id: str = "",
    patience: float = PATIENCE,
    confirm: Callable[[Leaving], None] = lambda _: None,
) -> Retired:
    """
    Take a certificate out of the registration and of the configuration, and destroy its private key.

    A retirement that was stopped is gone on with.

    Args:
        renewal: of which institution.
        which: its file, or the beginning of its SHA-1 or SHA-256 thumbprint; empty for the older one of two.
        key_id: the id under which Entra ID knows it ("Certificate ID" in the admin center); needed for one
            that Classbell has not registered itself.
        patience: for how long Microsoft may need to forget it, in seconds.
        confirm: called once all that can be known is in order, and before anything is done that cannot be given
            back; what it raises ends it.

    Raises:
        ConfigurationError: ``E-CERT-WHICH`` none or several are meant, ``E-CERT-KEY-ID`` the id is not known;
            ``E-CERT-OBJECT-ID``, ``E-CERT-JOURNAL``, ``E-CERT-WRITE``, ``E-CFG-EDIT``.
        HeldError: ``E-CERT-LAST`` no other certificate is proven to work, ``E-CERT-STAYS`` it signs in still.
        RefusedError: Microsoft refuses the change. TemporaryError: it is to be gone on with later.
    """
    return await _Retirement(renewal, key_id, patience).run(which, confirm)


class _Retirement:
    def __init__(self, renewal: Renewal, key_id: str, patience: float) -> None:
        self._renewal = renewal
        self._key_id = key_id
        self._patience = patience
        self._registration = renewal.registration

    async def run(self, which: str, confirm: Callable[[Leaving], None]) -> Retired:
        renewal, noted = self._renewal, self._renewal.read()
        configured = renewal.configured()
        leaving = intended(renewal, noted, configured, which)
        if leaving is noted.retired:
            return _retired(leaving, await self._keeper(configured))
        present = next((each for each in configured if _is(each, leaving)), None)
        keeper = await self._keeper([each for each in configured if not _is(each, leaving)])
        if present is not None:
            renewal.document.place_of(present.settings)  # what could not be dropped in the end is not begun
        if not leaving.removed:
            key_ids = await self._key_ids(leaving, present, keeper)
            confirm(leaving)
            if noted.leaving is None:
                renewal.write(msgspec.structs.replace(noted, leaving=leaving))
            leaving = await self._removed(leaving, present, keeper, key_ids)
            if not await renewal.signs_in(keeper):
                raise _wrong_id(keeper)
        else:
            confirm(leaving)
        self._dropped(leaving)
        self._destroyed(leaving)
        return _retired(leaving, keeper)

    async def _keeper(self, others: Sequence[Configured]) -> Credential:
        """The certificate that stays and signs in now; of several the one that runs longest."""
        now = self._renewal.clock.now()
        usable = [each.credential for each in others if each.credential is not None]
        for credential in sorted(usable, key=lambda each: -each.not_after):
            if now < credential.not_after and await self._renewal.signs_in(credential):
                self._renewal.tell(
                    Step(name="proven", text=f"The certificate that stays ({credential.sha1}) signs in.")
                )
                return credential
        raise HeldError(
            "E-CERT-LAST",
            "No other certificate is proven to work, so this one stays.",
            why="no other is configured."
            if not usable
            else "Microsoft knows none of the others, or they have expired.",
            do="bring in a new one first: classbell cert rotate",
            effect=_STAYS,
        )

    async def _key_ids(
        self, leaving: Leaving, present: Configured | None, keeper: Credential
    ) -> tuple[str, ...]:
        """The ids of its registration; none if it has none any more."""
        noted = self._renewal.read()
        if self._key_id:
            if self._key_id in noted.key_ids.get(keeper.sha256, ()):
                raise _not_this_id(keeper)
            return (self._key_id,)
        if leaving.sha256 and (known := noted.key_ids.get(leaving.sha256)):
            return known
        listed = await self._registration.key_ids()
        if listed is not None:
            return listed.get(leaving.sha256, ())
        if (
            present is not None
            and present.credential
            and not await self._renewal.signs_in(present.credential)
        ):
            # Not registered, or expired: it gets nobody in, and what may be left of it does no harm.
            return ()
        raise ConfigurationError(
            "E-CERT-KEY-ID",
            f"The id under which Entra ID knows the certificate {leaving.name} is not known here.",
            why="it was uploaded by a person; Microsoft tells its id to people, and not to the application.",
            do="copy its Certificate ID from App registrations > Certificates & secrets > Certificates"
            f" (thumbprint {leaving.sha1}) into --key-id; or delete it there and run this again.",
            effect=_STAYS,
        )

    async def _removed(
        self, leaving: Leaving, present: Configured | None, keeper: Credential, key_ids: Sequence[str]
    ) -> Leaving:
        """Take the registration away, and see that the certificate signs in no more."""
        renewal = self._renewal
        until, attempt = renewal.clock.now() + self._patience, 0
        for key_id in key_ids:
            while True:
                attempt += 1
                try:
                    found = await self._registration.remove(key_id, keeper)
                except ServiceUnavailable as trouble:
                    # Whether it was done or not: taken away twice it is no more away than once.
                    await renewal.wait(attempt, until, trouble.what, trouble)
                    continue
                words = "is registered no more" if found else "was not registered any more"
                renewal.tell(Step(name="removed", text=f"The certificate {leaving.sha1} {words}."))
                break
        if present is not None and present.credential is not None:
            await self._forgotten(present.credential, until)
        leaving = msgspec.structs.replace(leaving, removed=True)
        noted = renewal.read()
        left = {sha256: ids for sha256, ids in noted.key_ids.items() if sha256 != leaving.sha256}
        renewal.write(msgspec.structs.replace(noted, leaving=leaving, key_ids=left))
        return leaving

    async def _forgotten(self, credential: Credential, until: float) -> None:
        attempt = 0
        while True:
            attempt += 1
            why = f"Microsoft still takes the certificate {credential.sha1}."
            try:
                if not await self._renewal.signs_in(credential):
                    break
            except ServiceUnavailable as trouble:
                why = trouble.what
            await self._renewal.wait(attempt, until, why, _stays(credential))
        self._renewal.tell(
            Step(name="forgotten", text=f"The certificate {credential.sha1} signs in no more.")
        )

    def _dropped(self, leaving: Leaving) -> None:
        """Its place in the institution's file."""
        renewal = self._renewal
        settings = next((each for each in renewal.tenant.certificates if each.place == leaving.name), None)
        if settings is not None:
            place = renewal.document.place_of(settings)
            renewal.keep(renewal.file, lambda: renewal.document.remove_certificate(place))
            renewal.tell(Step(name="dropped", text=f"{renewal.file} no longer names {leaving.name}."))

    def _destroyed(self, leaving: Leaving) -> None:
        """Its private key; last, for until here everything could be given back."""
        renewal = self._renewal
        if leaving.destroy:
            key = Path(leaving.destroy)
            renewal.keep(key, lambda: renewal.files.remove(key))
            renewal.tell(Step(name="destroyed", text=f"The private key {key} is gone."))
        renewal.write(
            msgspec.structs.replace(
                renewal.read(), leaving=None, retired=leaving, retired_at=renewal.clock.now()
            )
        )


def intended(renewal: Renewal, noted: Journal, configured: Sequence[Configured], which: str = "") -> Leaving:
    """
    What ``retire`` would take out: what it had begun with, or else what is meant now.

    It is ``noted.retired`` if that was done a moment ago, and nothing is left to do.

    Raises:
        ConfigurationError: ``E-CERT-WHICH``, none or several are meant.
    """
    if noted.leaving is not None:
        return noted.leaving
    done = noted.retired
    if done is not None and 0 <= renewal.clock.now() - noted.retired_at < JUST_NOW:
        only_one_left = not which and len(configured) == 1
        if only_one_left or (which and _fits(which, done.name, done.sha1, done.sha256)):
            return done
    target = chosen(configured, which)
    key = target.settings.private_key or target.settings.keystore
    file = key.file if key is not None else None
    alone = file is not None and not any(
        names_file(each.settings, file) for each in configured if each is not target
    )
    return Leaving(
        name=target.settings.place,
        sha1=target.credential.sha1 if target.credential else "",
        sha256=target.credential.sha256 if target.credential else "",
        destroy=str(file) if alone else "",
    )


def chosen(configured: Sequence[Configured], which: str) -> Configured:
    """
    The certificate that is meant.

    Args:
        configured: those there are.
        which: its file, or the beginning of its thumbprint; empty for the older one of two.

    Raises:
        ConfigurationError: ``E-CERT-WHICH``, none or several fit.
        HeldError: ``E-CERT-LAST``, there is only one.
    """
    if not which and len(configured) == 2:  # noqa: PLR2004 - an old one and a new one
        return min(configured, key=lambda each: each.credential.not_after if each.credential else 0.0)
    fitting = [
        each
        for each in configured
        if which
        and _fits(
            which,
            each.settings.place,
            *((each.credential.sha1, each.credential.sha256) if each.credential else ()),
        )
    ]
    if len(fitting) == 1:
        return fitting[0]
    if len(configured) == 1 and not which:
        raise HeldError(
            "E-CERT-LAST",
            f"{configured[0].settings.place} is the only certificate, and the last one is never retired.",
            why="without a certificate nobody signs in.",
            do="bring in a new one first: classbell cert rotate",
            effect=_STAYS,
        )
    named = ", ".join(
        f"{each.credential.sha1 if each.credential else 'unreadable'} ({each.settings.place})"
        for each in configured
    )
    raise ConfigurationError(
        "E-CERT-WHICH",
        f'No configured certificate is "{which}".'
        if which and not fitting
        else "It is not clear which certificate is meant.",
        why=f"configured: {named}.",
        do="name one by its file or by the beginning of its thumbprint.",
        effect=_STAYS,
    )


def _fits(which: str, place: str, *thumbprints: str) -> bool:
    wanted = which.replace(":", "").upper()
    return which in {place, Path(place).name} or any(each.startswith(wanted) for each in thumbprints)


def _retired(leaving: Leaving, keeper: Credential) -> Retired:
    key = Path(leaving.destroy) if leaving.destroy else None
    return Retired(name=leaving.name, sha1=leaving.sha1, key=key, keeper=keeper)


def _is(each: Configured, leaving: Leaving) -> bool:
    if each.credential is not None and leaving.sha256:
        return each.credential.sha256 == leaving.sha256
    return each.settings.place == leaving.name


def _not_this_id(keeper: Credential) -> ClassbellError:
    return ConfigurationError(
        "E-CERT-KEY-ID",
        "This id is that of the certificate that stays.",
        why=f"Classbell registered its thumbprint {keeper.sha1} under it.",
        do="copy the Certificate ID of the other one from App registrations > Certificates & secrets.",
        effect=_STAYS,
    )


def _stays(credential: Credential) -> HeldError:
    return HeldError(
        "E-CERT-STAYS",
        f"The certificate {credential.sha1} still signs in.",
        why="the id that was taken away is that of another certificate, it is registered twice, or Microsoft is slow.",
        do="look at App registrations > Certificates & secrets, then run the command again with the id found there.",
        effect="it stays in the configuration, and its private key is kept.",
    )


def _wrong_id(keeper: Credential) -> HeldError:
    return HeldError(
        "E-CERT-LAST",
        f"The certificate that was to stay ({keeper.sha1}) does not sign in any more.",
        why="its registration was taken away, by the id that was given or by somebody else.",
        do="upload it again under App registrations > Certificates & secrets; then run the command again.",
        effect="both stay in the configuration, and no private key was destroyed.",
    )
