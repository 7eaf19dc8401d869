"""
The parser port in life: untrusted bytes are parsed in a child process with limits on memory and time.

A bomb among the payloads stops the child and nothing else: ``ParserDied`` then carries what was parsed
before it, so that the caller can leave it out and go on. The program of the child is ``child_main``.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from classbell.ports import ParserDied
from classbell.sources.child_main import HEADER, OUT_OF_MEMORY, Order

_MEMORY = 1 << 30
_SECONDS = 120.0
_START_UP = 30.0
# CPU time is limited inside the child; on the clock on the wall a payload may take longer than that, because
# other programs compute as well.
_WALL_FACTOR = 3.0

# What the child needs to start; nothing else of the environment, which may hold secrets, reaches it.
_PASSED_ON = frozenset(
    {"PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONTZPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR"}
)


class ChildParser:
    """
    ``ports.Parser`` on a child process for each call.

    Args:
        memory: bytes of address space that the child may have (not on Windows, which has no such limit).
        seconds: CPU time for each payload, unless the option ``seconds`` of a call says otherwise.
    """

    def __init__(self, *, memory: int = _MEMORY, seconds: float = _SECONDS) -> None:
        self._memory = memory
        self._seconds = seconds

    async def parse(self, kind: str, payloads: Sequence[bytes], options: Mapping[str, Any]) -> list[bytes]:
        """
        Parse payloads of one kind in one child; the results are in the order of the payloads.

        Raises:
            ParserDied: a payload stopped the child; ``finished`` holds the results of those before it.
        """
        if not payloads:
            return []
        seconds = float(options.get("seconds", self._seconds))
        order = Order(
            kind=kind, options=dict(options), count=len(payloads), memory=self._memory, seconds=seconds
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "classbell.sources.child_main",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name.upper() in _PASSED_ON},
        )
        feeding = asyncio.ensure_future(_feed(process, order, payloads))
        finished: list[bytes] = []
        try:
            for _ in payloads:
                # One by one: what came before a death is kept.
                finished.append(await _answer(process, seconds * _WALL_FACTOR + _START_UP))  # noqa: PERF401
        except (asyncio.IncompleteReadError, TimeoutError) as error:
            raise ParserDied(await _reason(process, error), finished=tuple(finished)) from error
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await _stop(process)
        return finished


async def _feed(process: asyncio.subprocess.Process, order: Order, payloads: Sequence[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 -- asked for above
    try:
        for part in (msgspec.msgpack.encode(order), *payloads):
            process.stdin.write(HEADER.pack(len(part)))
            process.stdin.write(part)
            await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        # The child died; the reader of its answers tells why.
        return


async def _answer(process: asyncio.subprocess.Process, seconds: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 -- asked for above
    async with asyncio.timeout(seconds):
        (length,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
        return await process.stdout.readexactly(length)


async def _reason(process: asyncio.subprocess.Process, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    code = await process.wait()
    if code == OUT_OF_MEMORY:
        return "it needed too much memory"
    if code == -getattr(signal, "SIGXCPU", 0):
        return "it took too long"
    if code == -getattr(signal, "SIGKILL", 0):
        return "the system stopped it, perhaps for want of memory"
    return "the parser failed on it"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
