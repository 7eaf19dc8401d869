"""
``Retry-After`` as the service writes it: mostly whole seconds, sometimes missing or a decimal, at worst nonsense.

Source: Graph pages "Microsoft Graph throttling guidance" (whole seconds; its own sample shows ``2.128``) and issue
threads for the rest.
"""

from random import Random

from classbell.sandbox.switches import Switches

_NONSENSE = ("soon", "-1", "0", "NaN", "1e3", "99999999", "Wed, 21 Oct 2015 07:28:00 GMT", "5, 7")


class Waits:
    """Rewrites waiting times as the switch ``retry_after`` says."""

    def __init__(self, switches: Switches, random: Random) -> None:
        self._switches = switches
        self._random = random

    def write(self, headers: dict[str, str]) -> None:
        """Change the ``Retry-After`` of an answer in place."""
        match self._switches.retry_after:
            case "absent":
                del headers["Retry-After"]
            case "decimal":
                headers["Retry-After"] = f"{int(headers['Retry-After']) - 0.872:.3f}"
            case "silly":
                headers["Retry-After"] = self._random.choice(_NONSENSE)
            case "seconds":
                pass
