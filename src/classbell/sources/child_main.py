"""
The program of the parsing child: reads an order and payloads from its input, writes results to its output.

Each part is preceded by its length, 8 bytes, big-endian. It starts in a fresh interpreter for each read, so
it imports little, and only the parser of the kind it is asked for.
"""

import struct
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, BinaryIO

import msgspec

HEADER = struct.Struct(">Q")
OUT_OF_MEMORY = 71
FAILED = 70

# A kind's module has parse(payload, options) -> bytes.
PARSERS = {"ics": "classbell.sources.vcalendar", "xlsx": "classbell.sources.workbook"}

Parse = Callable[[bytes, Mapping[str, Any]], bytes]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: ``count`` payloads of a kind; limits in bytes, and in seconds of CPU for each payload."""

    kind: str
    options: dict[str, Any]
    count: int
    memory: int
    seconds: float


def parser_of(kind: str) -> Parse:
    """The parser of a kind, imported."""
    parse: Parse = import_module(PARSERS[kind]).parse
    return parse


def main(source: BinaryIO, sink: BinaryIO) -> int:
    """Carry out one order; the exit code says why it stopped."""
    order = msgspec.msgpack.decode(_read(source), type=Order)
    parse = parser_of(order.kind)
    _limit_memory(order.memory)
    try:
        for _ in range(order.count):
            payload = _read(source)
            _limit_seconds(order.seconds)
            result = parse(payload, order.options)
            sink.write(HEADER.pack(len(result)))
            sink.write(result)
            sink.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:  # noqa: BLE001 -- whatever a hostile payload brings about ends this process, not ours
        return FAILED
    return 0


def _read(source: BinaryIO) -> bytes:
    (length,) = HEADER.unpack(source.read(HEADER.size))
    return source.read(length)


if sys.platform == "win32":  # pragma: no cover -- no resource limits there; the parent's clock remains

    def _limit_memory(memory: int) -> None:
        del memory

    def _limit_seconds(seconds: float) -> None:
        del seconds

else:
    import resource

    def _limit_memory(memory: int) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # It has nothing to write but its answers, which go into a pipe.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    def _limit_seconds(seconds: float) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + seconds) + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
