"""The renderings of one run: made once per meeting and profile, and not again where they are known."""

from collections.abc import Mapping, Sequence

from classbell.errors import ConfigurationError
from classbell.ledger import KnownRendering, NewRendering
from classbell.model import Meeting, Rendering
from classbell.ports import Files
from classbell.render import DEFAULT_BODY, NORMALISER, Renderer, meeting_digest
from classbell.settings import ProfileSettings


class Renderings:
    """
    Renders on demand; ``fresh`` is what the ledger does not have yet.

    Args:
        known: by (meeting digest, profile digest). What an older normaliser made keeps its fingerprint,
            so that a new version alone plans no update; its bytes are made anew.

    Raises:
        ConfigurationError: a template cannot be read or is not valid.
    """

    def __init__(
        self,
        profiles: Sequence[ProfileSettings],
        files: Files,
        known: Mapping[tuple[bytes, bytes], KnownRendering],
    ) -> None:
        self._renderers = {profile.name: Renderer(profile, _template(profile, files)) for profile in profiles}
        self._known = known
        self._made: dict[tuple[bytes, bytes], Rendering] = {}
        self.fresh: list[NewRendering] = []

    def needs(self, profile: str) -> frozenset[str]:
        """The names of the fields that a profile's templates use."""
        return self._renderers[profile].needs

    def digests(self) -> dict[str, bytes]:
        """A digest of each profile with its templates, by the profile's name."""
        return {name: renderer.digest for name, renderer in self._renderers.items()}

    def render(self, profile: str, meeting: Meeting) -> Rendering:
        """The rendering of a meeting; without its bytes if the ledger has them."""
        renderer = self._renderers[profile]
        key = (meeting_digest(meeting), renderer.digest)
        known = self._known.get(key)
        if known is not None and known.normaliser == NORMALISER:
            return Rendering(fingerprint=known.fingerprint, body=b"")
        made = self._made.get(key)
        if made is None:
            made = renderer.render(meeting)
            if known is not None:
                made = Rendering(fingerprint=known.fingerprint, body=made.body)
            self._made[key] = made
            self.fresh.append(
                NewRendering(
                    meeting_digest=key[0], profile_digest=key[1], normaliser=NORMALISER, rendering=made
                )
            )
        return made

    def new_bodies(self) -> dict[int, bytes]:
        """The bytes of fresh renderings, by fingerprint."""
        return {new.rendering.fingerprint: new.rendering.body for new in self.fresh}


def _template(profile: ProfileSettings, files: Files) -> str:
    if profile.body is None:
        return DEFAULT_BODY
    try:
        return files.read(profile.body).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "E-TEMPLATE-FILE",
            f"The body template {profile.body} of profile {profile.name!r} cannot be read.",
            why=getattr(error, "strerror", None) or "it is not text in UTF-8",
            do="check the path of body in [[profiles]], and that the file may be read",
            effect="no calendar was changed",
        ) from error
