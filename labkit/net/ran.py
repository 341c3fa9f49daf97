"""What a real program made of an exchange: its command, its words, its exit code, and the trace."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from labkit.dissection import dissect
from labkit.dissection.secrets import masked_bytes
from labkit.trace import Hop, Trace
from labkit.wire.http1 import ResponseHead

__all__ = ["Ran", "first_lines", "named", "readable"]

_WIDEST = 1000  # characters of a line that are shown
# What `curl -v` and `--trace-ascii` put before the lines of heads, of HTTP/1.1 and of HTTP/2.
_MARKED = re.compile(rb"(?m)^([<>] |\* [^\n]*?\[(?=:?[A-Za-z-]+: )|[0-9a-f]{4,}: )([^\n]*)")
_MOST_LINES = 60  # of each output that are shown


def readable(data: bytes) -> str:
    r"""Return bytes as a text that can be shown: UTF-8 where it is that, `\xNN` for what cannot be printed.

    >>> readable(b"HTTP/1.1 101\r\n\x81\x05Hello\n")
    'HTTP/1.1 101\n\\x81\\x05Hello\n'
    """
    text = data.replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


@dataclass(frozen=True)
class Ran:
    """A program's run; it draws itself as a terminal would have shown it. `trace` is what crossed the wire.

    Args:
        program: its name and version.
        command: what was run, fit to be copied into a terminal.
        code: its exit code, below 0 the number of a signal; None where the lab had to end it, and where there is
            none, as of a browser's page.
        meaning: what that code means here, in a sentence.
        out: what it wrote to standard output, the first bytes of it.
        err: what it wrote to standard error, likewise.
        dropped: how many bytes of both were not kept.
        traces: what its connections carried, the oldest first.
        notes: what else is worth knowing, a sentence each.
        shown: the command with its secrets starred out; empty where it has none.
    """

    program: str
    command: str
    code: int | None
    meaning: str
    out: bytes = b""
    err: bytes = b""
    dropped: int = 0
    traces: tuple[Trace, ...] = ()
    notes: tuple[str, ...] = ()
    shown: str = ""

    @property
    def printed(self) -> str:
        """What it wrote to standard output, as a text."""
        return readable(self.out)

    @property
    def errors(self) -> str:
        """What it wrote to standard error, as a text."""
        return readable(self.err)

    @cached_property
    def trace(self) -> Trace:
        """What crossed: of several connections the last that carried anything; empty where it made none."""
        return next((each for each in reversed(self.traces) if each.events), Trace(()))

    @cached_property
    def head(self) -> ResponseHead | None:
        """The head of the answer it got; None where there was none."""
        exchange = dissect(self.trace).exchange
        whole = exchange and exchange.answer and exchange.status is not None
        value = exchange.answer.value if exchange and exchange.answer and whole else None
        return value if isinstance(value, ResponseHead) else None

    @property
    def status(self) -> int | None:
        """The status code of the answer it got; None where there was none."""
        return self.head.status if self.head else None

    @property
    def screen(self) -> str:
        """What a terminal shows below the command: both outputs, with secrets starred out, and how it ended."""
        outputs = [first_lines(readable(_starred(output))) for output in (self.out, self.err)]
        return "\n".join([*outputs[0], *outputs[1], *self._last()])

    def __str__(self) -> str:
        return f"$ {self.shown or self.command}\n{self.screen}"

    def _last(self) -> list[str]:
        dropped = [f"[{self.dropped} more bytes, not kept]"] if self.dropped else []
        return [*dropped, f"[{self.ended}: {self.meaning}]", *(f"[{note}]" for note in self.notes)]

    @property
    def ended(self) -> str:
        """How it ended, in two words."""
        return "ended by the lab" if self.code is None else f"exit {self.code}"

    def __repr__(self) -> str:
        answer = self.status or "no answer"
        return f"<{type(self).__name__} {self.program.partition(' ')[0]}: {answer}, {self.ended}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self)}


def _starred(output: bytes) -> bytes:
    """Star out what heads have of secrets, also behind the marks that `curl -v` puts before their lines."""
    return _MARKED.sub(lambda line: line[1] + masked_bytes(line[2]), masked_bytes(output))


def first_lines(text: str) -> list[str]:
    r"""Return the lines of a text that are shown, and how many there are more.

    >>> first_lines("one\ntwo\n")
    ['one', 'two']
    """
    lines = text.rstrip("\n").split("\n") if text else []
    lines = [line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines]
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"[{left} more lines]"] if left > 0 else lines


def named(traces: tuple[Trace, ...], client: str) -> tuple[Trace, ...]:
    """Return traces of one hop each under the name of the program that was their client."""
    return tuple(replace(each, hops=tuple(Hop(client, hop.server) for hop in each.hops)) for each in traces)
