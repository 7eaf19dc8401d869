"""
Bringing a new certificate in: made, registered with a proof by the old one, tried until it works, then named.

    files durable -> journal -> addKey -> probes -> the institution's file

At no moment is there less to sign in with than before, and each step can be repeated.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from classbell.errors import ClassbellError, ConfigurationError, ServiceUnavailable
from classbell.identity import making, pem
from classbell.identity.certificates import Credential, load_credential
from classbell.identity.journal import Coming, Journal
from classbell.identity.material import KeyEntry
from classbell.identity.registration import Uncertain
from classbell.identity.renewal import JUST_NOW, PATIENCE, Configured, Renewal, Step, not_yet
from classbell.settings import CertificateSettings

DAYS = 365
# Of an addKey whose answer was lost: long enough for Microsoft to know of it, if it was carried out.
ASK_AGAIN = 180.0
_GROUP_READS = 0o040


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """The certificate that is configured now; ``fresh`` is False if that was done before."""

    credential: Credential
    certificate: Path
    private_key: Path
    fresh: bool


async def rotate(
    renewal: Renewal, *, days: int = DAYS, again: bool = False, patience: float = PATIENCE
) -> Rotated:
    """
    Make a certificate, register it beside the old one, and name it in the institution's file once it works.

    The old one stays, registered and configured, until it is retired. A rotation that was stopped is gone on
    with.

    Args:
        renewal: of which institution.
        days: for how long the new certificate is valid.
        again: even if the last one was brought in within a day.
        patience: for how long Microsoft may need to know of it, in seconds.

    Raises:
        ConfigurationError: ``E-CERT-OBJECT-ID``, ``E-CERT-ACCOUNT``, ``E-CERT-JOURNAL``, ``E-CERT-WRITE``,
            ``E-CFG-EDIT``; and those of the certificates in use.
        RefusedError: Microsoft takes none of the old certificates, or not the new one.
        TemporaryError: it is to be gone on with later.
    """
    rotation = _Rotation(renewal, days)
    noted = renewal.read()
    if noted.coming is None and not again:
        done = await rotation.done_already(noted)
        if done is not None:
            return done
    # Before anything is made: without a certificate that works there is no proof, and so no rotation.
    await renewal.signer()
    coming, credential = rotation.made(noted)
    await rotation.registered(coming, credential, renewal.clock.now() + patience)
    await rotation.identified(credential)
    return rotation.switched(credential)


class _Rotation:
    def __init__(self, renewal: Renewal, days: int) -> None:
        self._renewal = renewal
        self._days = days
        # So that an unusable configuration shows before a key is made.
        self._registration = renewal.registration

    async def done_already(self, noted: Journal) -> Rotated | None:
        renewal = self._renewal
        if not 0 <= renewal.clock.now() - noted.rotated_at < JUST_NOW:
            return None
        for each in renewal.configured():
            if each.credential is None or each.credential.sha256 != noted.rotated:
                continue
            files = (each.settings.certificate, each.settings.private_key)
            if None not in files and await renewal.signs_in(each.credential):
                return _rotated(each, fresh=False)
        return None

    def made(self, noted: Journal) -> tuple[Coming, Credential]:
        """The new certificate with its key, durable; made anew unless its registration may have begun."""
        renewal, coming = self._renewal, noted.coming
        like = self._like()
        renewal.document.place_of(like.settings)  # what cannot be named in the end is not begun
        if coming is not None and coming.asked_at:
            try:
                return coming, self._load(coming, like)
            except ClassbellError:
                # Its files are gone or damaged: what may have been registered is of no use to anybody.
                coming = None
        if coming is None:
            # Noted first: what was begun and not noted would be left lying about.
            coming = self._named()
            noted = renewal.write(msgspec.structs.replace(noted, coming=coming))
        entry = self._made_like(like)
        private, public = pem.write_key(entry, self._password(like)), pem.write_certificates(entry)
        key, certificate = renewal.folder / coming.private_key, renewal.folder / coming.certificate
        renewal.keep(key, lambda: renewal.files.write_durably(key, private, private=True))
        self._check_account(key, like)
        renewal.keep(certificate, lambda: renewal.files.write_durably(certificate, public))
        credential = self._load(coming, like)
        coming = msgspec.structs.replace(coming, sha256=credential.sha256)
        renewal.write(msgspec.structs.replace(noted, coming=coming))
        renewal.tell(Step(name="made", text=f"New certificate {certificate}, thumbprint {credential.sha1}."))
        return coming, credential

    def _made_like(self, like: Configured) -> KeyEntry:
        """A new key and certificate that name whom the present one names, and are no weaker."""
        if like.credential is None:
            raise AssertionError("only one that can be used is taken for a model")
        present = like.credential.key.key_size
        bits = next((size for size in making.KEY_SIZES if size >= present), making.KEY_SIZES[-1])
        begin = self._renewal.clock.now() - making.HEAD_START
        whom = making.subject_of(like.credential.certificate)
        return making.self_signed(making.new_key(bits), whom, now=begin, days=self._days)

    def _check_account(self, key: Path, like: Configured) -> None:
        """Whoever may read the present key is to be able to read the new one."""
        files = self._renewal.files
        present = like.settings.private_key or like.settings.keystore
        if present is None or present.file is None:
            return
        if files.owner(key) != files.owner(present.file):
            self._renewal.keep(key, lambda: files.remove(key))
            raise ConfigurationError(
                "E-CERT-ACCOUNT",
                "The new key would belong to another account than the present one.",
                why=f"{present.file} belongs to the account that Classbell runs as, and this command runs as another.",
                do="run it as that account, for instance: sudo -u classbell classbell cert rotate",
                effect="nothing was registered.",
            )
        if files.mode(present.file) & _GROUP_READS:
            text = f"{key} may be read by its owner only, and the present key by its group too: give it the same group."
            self._renewal.tell(Step(name="remark", text=text))

    async def registered(self, coming: Coming, credential: Credential, until: float) -> None:
        """Ask for its registration, and try it until it works."""
        renewal = self._renewal
        if not coming.asked_at:
            coming = await self._ask(coming, credential)
        attempt = 0
        while True:
            attempt += 1
            why = f"Microsoft does not know the new certificate {credential.sha1} yet."
            try:
                if await renewal.signs_in(credential):
                    break
            except ServiceUnavailable as trouble:
                why = trouble.what
            else:
                answered = credential.sha256 in renewal.read().key_ids
                if not answered and renewal.clock.now() - coming.asked_at >= ASK_AGAIN:
                    coming = await self._ask(coming, credential)
            await renewal.wait(attempt, until, why, not_yet(credential))
        renewal.tell(Step(name="works", text=f"The new certificate {credential.sha1} signs in."))

    async def identified(self, credential: Credential) -> None:
        """Where the answer with its id was lost, look it up, if we may."""
        renewal, noted = self._renewal, self._renewal.read()
        if noted.key_ids.get(credential.sha256):
            return
        try:
            listed = await self._registration.key_ids()
        except ServiceUnavailable:
            return
        if listed and (found := listed.get(credential.sha256)):
            renewal.write(msgspec.structs.replace(noted, key_ids={**noted.key_ids, credential.sha256: found}))

    def switched(self, credential: Credential) -> Rotated:
        """Name it in the institution's file; the old ones stay there behind it."""
        renewal, noted = self._renewal, self._renewal.read()
        coming = noted.coming
        if coming is None:
            raise AssertionError("only now it is finished")
        certificate, key = renewal.folder / coming.certificate, renewal.folder / coming.private_key
        like = self._like()
        place = renewal.document.place_of(like.settings)
        renewal.keep(
            renewal.file,
            lambda: renewal.document.add_certificate(
                certificate,
                key,
                like=place,
                note=f"made and registered by classbell cert rotate, {self._day()}",
            ),
        )
        renewal.write(
            msgspec.structs.replace(
                noted, coming=None, rotated=credential.sha256, rotated_at=renewal.clock.now()
            )
        )
        renewal.tell(Step(name="switched", text=f"{renewal.file} names the new certificate."))
        return Rotated(credential=credential, certificate=certificate, private_key=key, fresh=True)

    async def _ask(self, coming: Coming, credential: Credential) -> Coming:
        """Ask for its registration; what was asked is noted before, and what was answered after."""
        renewal = self._renewal
        signer = await renewal.signer()
        before = coming
        coming = msgspec.structs.replace(coming, asked_at=renewal.clock.now())
        renewal.write(msgspec.structs.replace(renewal.read(), coming=coming))
        try:
            key_id = await self._registration.add(credential, signer)
        except Uncertain as lost:
            renewal.tell(
                Step(name="asked", text=f"No answer came to the registration: {lost.why} Looking for it.")
            )
            return coming
        except ClassbellError:
            # It was certainly not done: next time it may be made otherwise.
            renewal.write(msgspec.structs.replace(renewal.read(), coming=before))
            raise
        noted = renewal.read()
        known = noted.key_ids.get(credential.sha256, ())
        if key_id and key_id not in known:
            known = (*known, key_id)
        renewal.write(msgspec.structs.replace(noted, key_ids={**noted.key_ids, credential.sha256: known}))
        renewal.tell(Step(name="registered", text=f"Registered beside the present one (id {key_id})."))
        return coming

    def _like(self) -> Configured:
        """The configured certificate that runs longest: the new one is named and locked as it is."""
        usable = [each for each in self._renewal.configured() if each.credential is not None]
        return max(usable, key=lambda each: each.credential.not_after if each.credential else 0.0)

    def _load(self, coming: Coming, like: Configured) -> Credential:
        password = like.settings.key_password or like.settings.store_password
        settings = CertificateSettings.model_validate(
            {
                "certificate": {"file": self._renewal.folder / coming.certificate},
                "private_key": {"file": self._renewal.folder / coming.private_key},
                "key_password": password,
            }
        )
        # A person is not asked again: the new key has the password of the old one, which was typed in.
        return load_credential(
            settings, self._renewal.files, self._renewal.environ, None, lambda _: self._password(like)
        )

    def _password(self, like: Configured) -> bytes:
        password = like.settings.key_password or like.settings.store_password
        if password is None:
            return b""
        # In the words in which it was asked for when the old key was opened.
        which = "key" if like.settings.key_password else "store"
        what = f"the {which} password of {like.settings.place}"
        return password.reveal(self._renewal.files, self._renewal.environ, self._renewal.ask, what=what)

    def _named(self) -> Coming:
        """Names of files that nobody has yet, like those of ``classbell cert new``."""
        stem = base = f"classbell-{self._renewal.institution}-{self._day()[:4]}"
        number = 1
        while any(self._taken(f"{stem}{ending}") for ending in (".key", ".crt", ".csr")):
            number += 1
            stem = f"{base}-{number}"
        return Coming(certificate=f"{stem}.crt", private_key=f"{stem}.key")

    def _taken(self, name: str) -> bool:
        try:
            self._renewal.files.mode(self._renewal.folder / name)
        except OSError:
            return False
        return True

    def _day(self) -> str:
        return f"{datetime.fromtimestamp(self._renewal.clock.now(), UTC):%Y-%m-%d}"


def _rotated(each: Configured, *, fresh: bool) -> Rotated:
    certificate, key = each.settings.certificate, each.settings.private_key
    if each.credential is None or certificate is None or key is None or key.file is None:
        raise ConfigurationError("E-CERT-FILE", "The new certificate is not kept in files.")
    return Rotated(
        credential=each.credential, certificate=certificate.file, private_key=key.file, fresh=fresh
    )
