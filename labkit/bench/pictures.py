"""What a learner waits for: one exchange until it is drawn, many messages, frames read, the start."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from websockets.frames import Frame
from websockets.streams import StreamReader

from labkit.bench.measurement import Row, Target, alternate, ratios
from labkit.dissection import dissect
from labkit.errors import Failed
from labkit.measured import Measurement
from labkit.net.client import ask
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.render import diagram as drawn
from labkit.render.inspected import changed, inspected
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace, Transfer
from labkit.wire.websocket import SAMPLE_MASK, TEXT, frame

__all__ = ["diagram", "edit", "exchange", "frames", "start"]

_START_TIME = 30.0  # seconds an interpreter may take to start


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def exchange(*, quick: bool = False) -> list[Row]:
    """From offer to drawn SVG: connect, switch, one echo, close, dissect, draw."""
    with UpgradeServer() as server:

        def whole() -> None:
            trace = ask(server.url, Offer.websocket(), ["Hello"])
            assert frame(TEXT, b"Hello") in trace.stream(Direction.TO_CLIENT)
            drawn.diagram(trace).svg()

        (seconds,) = alternate(3 if quick else 101, partial(_seconds, whole))
    figure = Measurement("offer to drawn SVG, one exchange", "ms", _times(1000, seconds))
    return [Row(figure, Target(15, at_least=False))]


def edit(*, quick: bool = False) -> list[Row]:
    """Replace a byte in the inspector: what the kernel does until it can tell the page what has changed."""
    edits = [_edit(simulate(Scenario(say=["message"] * count))) for count in (100, 1)]
    longest, one = (_times(1000, each) for each in alternate(3 if quick else 41, *edits))
    figure = Measurement("a byte edited in the inspector, 200 messages", "ms", longest)
    return [Row(figure, Target(50, at_least=False), (Measurement("one exchange", "ms", one),))]


def _edit(trace: Trace) -> Callable[[], float]:
    first = trace.stream(Direction.TO_SERVER).index(b"\r\n\r\n") + 4 + 6  # of the first message's payload
    before = inspected(trace)

    def whole() -> None:
        assert changed(before, inspected(trace, {(0, Direction.TO_SERVER, first): 0x41}))

    return partial(_seconds, whole)


def frames(*, quick: bool = False) -> list[Row]:
    """Frame records per second of a dissection, against websockets' own parser on the same 64-byte frames."""
    count = 500 if quick else 50_000
    data = frame(TEXT, bytes(64), mask=SAMPLE_MASK) * count
    begun = simulate(Scenario(say=())).events[:2]  # the request and its 101
    trace = Trace((*begun, Transfer(0, Direction.TO_SERVER, data)))
    own, theirs = alternate(
        2 if quick else 11,
        partial(_seconds, lambda: _same(_dissected(trace), count)),
        partial(_seconds, lambda: _same(_parse_all(data), count)),
    )
    rates = Measurement("frame records of a dissection", "/s", tuple(count / seconds for seconds in own))
    rival = Measurement("websockets' Frame.parse", "/s", tuple(count / seconds for seconds in theirs))
    return [Row(rates, Target(150_000), (rival, Measurement("ratio", "×", ratios(theirs, own))))]


def _dissected(trace: Trace) -> int:
    part = dissect(trace).hops[0].frames(Direction.TO_SERVER)
    return len(part.frames) if part else 0


def _parse_all(data: bytes) -> int:
    reader = StreamReader()
    reader.feed_data(data)
    count = 0
    while reader.buffer:
        try:
            next(Frame.parse(reader.read_exact, mask=True))
        except StopIteration:
            count += 1
    return count


def _same(found: int, count: int) -> None:
    assert found == count


def diagram(*, quick: bool = False) -> list[Row]:
    """Dissect and draw an echo, half of its messages each way."""
    count = 400 if quick else 100_000
    trace = _echoed(count // 2)
    sizes: list[float] = []

    def draw() -> None:
        sizes.append(len(drawn.diagram(trace).svg().encode()) / 1000)

    (seconds,) = alternate(2 if quick else 7, partial(_seconds, draw))
    what = f"diagram of {count:,} messages"
    return [
        Row(Measurement(f"{what}: dissect, lay out, SVG", "s", seconds), Target(2, at_least=False)),
        Row(Measurement(f"{what}: its SVG", "kB", tuple(sizes)), Target(300, at_least=False)),
    ]


def _echoed(count: int) -> Trace:
    """Return a trace of `count` messages of 64 bytes and their echoes, a transfer each, none cut off."""
    server = Server(limits=Limits(recorded=1 << 26))
    trace = simulate(Scenario(say=tuple(f"{number:064d}" for number in range(count)), server=server))
    assert len(trace.stream(Direction.TO_SERVER)) > 70 * count
    return trace


def start(*, quick: bool = False) -> list[Row]:
    """Start Python with the package, and its command, above bare Python."""
    commands = (["-c", "pass"], ["-c", "import labkit"], ["-m", "labkit", "--version"])
    bare, package, command = alternate(2 if quick else 21, *(partial(_seconds, partial(_python, c)) for c in commands))
    beside = (Measurement("bare Python", "ms", _times(1000, bare)),)
    target = Target(150, at_least=False)
    return [
        Row(Measurement(f"{name}, above bare Python", "ms", _above(seconds, bare)), target, beside)
        for name, seconds in (("import labkit", package), ("python -m labkit --version", command))
    ]


def _python(arguments: list[str]) -> None:
    """Run Python to its end; `subprocess.run(timeout=…)` would look for that end every 50 ms only."""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL) as process:  # noqa: S603
        watch = threading.Timer(_START_TIME, process.kill)
        watch.daemon = True
        watch.start()
        code = process.wait()
        watch.cancel()
    if code:
        raise Failed(f"python {' '.join(arguments)} ended with {code}")


def _above(seconds: tuple[float, ...], bare: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(1000 * (one - other) for one, other in zip(seconds, bare, strict=True))


def _times(factor: float, values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(factor * value for value in values)
