"""
Addresses of feeds: how they are shown without what is secret in them, and which are not fetched.

What a host name resolves to only the transport learns; here names and numbers that are private by
themselves are refused.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

# Names that never leave the own network (RFC 6761, RFC 6762, RFC 8375, ICANN 2024).
_PRIVATE_SUFFIXES = ("localhost", "local", "internal", "home.arpa", "localdomain", "intranet", "lan")
# Numbers in the forms that resolvers still accept for IPv4, such as 2130706433 or 0x7f.1.
_ODD_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether a feed's place is a web address rather than a path."""
    return text.strip().lower().startswith(("http://", "https://", "webcal://", "webcals://"))


def normal_url(text: str) -> str:
    """A web address as it is fetched; webcal is https by another name."""
    return re.sub(r"(?i)^webcals?://", "https://", text.strip())


def shown(place: str) -> str:
    """A feed's place without user name, password, query and fragment: what messages may show."""
    if not is_url(place):
        return place
    parts = _split(place)
    if parts is None or not parts.hostname:
        return place.partition("://")[0] + "://…"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{'?…' if parts.query else ''}"


def refusal(url: str, *, allow_private: bool) -> str | None:
    """Why an address is not fetched, or None."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "it is no complete http or https address"
    if not allow_private and _is_private(parts.hostname):
        return "it is an address of this computer or of a private network"
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        usable = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if usable else None


def _is_private(host: str) -> bool:
    host = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if _ODD_NUMBER.fullmatch(host):
            return True
        return host.rpartition(".")[2] in _PRIVATE_SUFFIXES or host.endswith(".home.arpa")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return not address.is_global or address.is_multicast
