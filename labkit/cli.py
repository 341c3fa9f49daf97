"""The command line: `labkit` and `python -m labkit`.

Exit codes: 0 done, 1 the exchange failed, 2 wrong use, 70 a fault of the lab's own. What a program may
want to read goes to standard output, and nothing else does; messages go to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labkit import __version__
from labkit.errors import Absent, Failed, LabError, WrongUse

if TYPE_CHECKING:
    from labkit.net.listener import Listener
    from labkit.parties.offer import Offer
    from labkit.recording import Recording
    from labkit.trace import Trace

__all__ = ["main"]

DONE, FAILED, WRONG, OWN_FAULT = 0, 1, 2, 70
_ISSUES = "please report it with this line and what you typed"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except (Failed, Absent) as error:
        return _complain(str(error), FAILED)
    except LabError as error:
        return _complain(str(error), WRONG)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    except Exception as error:  # noqa: BLE001  the one place that catches what nobody expected
        where = _last_own_line(error)
        version = f"labkit {__version__}, Python {platform.python_version()}"
        return _complain(f"a fault in labkit itself: {type(error).__name__}: {error} ({where}; {version}); {_ISSUES}",
                         OWN_FAULT)  # fmt: skip


def _complain(text: str, code: int) -> int:
    print(f"labkit: {' '.join(text.splitlines())}", file=sys.stderr)
    return code


def _last_own_line(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace is not None:
        name = Path(trace.tb_frame.f_code.co_filename)
        if "labkit" in name.parts:
            place = f"{name.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place or "outside of labkit"


# the commands


def _serve(arguments: argparse.Namespace) -> int:
    from labkit.net.server import UpgradeServer, wall_date  # noqa: PLC0415
    from labkit.parties.described import Limits, Server  # noqa: PLC0415

    limits = Limits(message=arguments.max_size, recorded=max(arguments.max_size, 1 << 20))
    told = Server(
        paths=tuple(arguments.path),
        require=arguments.require,
        subprotocols=tuple(arguments.subprotocol),
        origins=tuple(arguments.origin) or None,
        deflate="off" if arguments.no_deflate else "zlib",
        limits=limits,
    )
    sink = _Sink(arguments)
    server = UpgradeServer(
        told,
        host=arguments.host,
        port=arguments.port,
        record=not arguments.no_trace,
        date=wall_date,
        allow_remote=arguments.allow_remote,
        ended=sink.take,
    )
    return _listen(server, sink)


def _tap(arguments: argparse.Namespace) -> int:
    from labkit.net.address import parse_address  # noqa: PLC0415
    from labkit.net.tap import Tap  # noqa: PLC0415

    listen = parse_address(arguments.listen) if arguments.listen != "0" else None
    sink = _Sink(arguments)
    tap = Tap(
        arguments.to,
        host=listen.host if listen else "127.0.0.1",
        port=listen.port if listen else 0,
        recorded=arguments.max_bytes,
        allow_remote=arguments.allow_remote,
        ended=sink.take,
    )
    return _listen(tap, sink)


def _listen(listener: Listener, sink: _Sink) -> int:
    """Run until SIGINT or SIGTERM; what was recorded until then is drawn and saved."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with listener:
        print(f"listening on {listener.url.rstrip('/')}", flush=True)
        while not over.is_set():
            sink.work(0.2)
    sink.work(0)
    return DONE


class _Sink:
    """Draws and saves traces as their connections end; the work is done in the main thread."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._draw: bool = arguments.draw
        self._output: Path | None = arguments.output
        self._number = 0
        self._queue: queue.SimpleQueue[Recording] = queue.SimpleQueue()

    def take(self, recording: Recording) -> None:
        """Take a recording; called in the listener's thread."""
        if self._draw or self._output:
            self._queue.put(recording)

    def work(self, patience: float) -> None:
        """Deal with what has come, waiting up to `patience` seconds for it."""
        try:
            while True:
                recording = self._queue.get(timeout=patience) if patience else self._queue.get_nowait()
                patience = 0
                self._deal(recording.trace(note="recorded by labkit"))
        except queue.Empty:
            return

    def _deal(self, trace: Trace) -> None:
        if self._output:
            self._number += 1
            path = self._output
            if self._number > 1:
                path = path.with_name(f"{path.stem}-{self._number}{path.suffix}")
            try:
                print(f"labkit: saved {trace.save(path)}", file=sys.stderr)
            except (OSError, LabError) as error:
                _complain(f"could not save {path}: {error}", FAILED)
        if self._draw:
            print(f"\n{trace}", file=sys.stderr, flush=True)


def _trace(arguments: argparse.Namespace) -> int:
    from labkit.net.client import exchange  # noqa: PLC0415

    outcome = exchange(
        arguments.url,
        _offer(arguments),
        arguments.say if arguments.say is not None else ["Hello"],
        patience=arguments.patience,
        allow_remote=arguments.allow_remote,
        flag="--allow-remote",
    )
    if arguments.output:
        print(f"labkit: saved {outcome.trace.save(arguments.output)}", file=sys.stderr)
    print(outcome.trace)
    if arguments.bytes:
        print(f"\n{outcome.trace.bytes()}")
    if outcome.problem:
        return _complain(outcome.problem, FAILED)
    switched = outcome.status == 101  # noqa: PLR2004
    return DONE if switched or (arguments.offer == "plain" and outcome.status) else FAILED


def _offer(arguments: argparse.Namespace) -> Offer | None:
    from labkit.net.address import parse_url  # noqa: PLC0415
    from labkit.parties.offer import Offer  # noqa: PLC0415

    address = parse_url(arguments.url)
    kinds = {"websocket": Offer.websocket, "bare": Offer.bare, "plain": Offer.plain}
    make = kinds.get(arguments.offer)
    if make is None:
        offer = Offer.custom(arguments.offer, address.target, host=address.authority)
    else:
        offer = make(address.target, host=address.authority)
    for line in arguments.header:
        name, colon, value = line.partition(":")
        if not colon or not name or "\n" in line or "\r" in line:
            raise WrongUse(f"{line!r} is no field line: write 'Name: value'")
        offer = offer.with_field(name, value.strip())
    for name in arguments.without:
        offer = offer.without(name)
    return offer


def _dissect(arguments: argparse.Namespace) -> int:
    from labkit.dissect import dissect  # noqa: PLC0415
    from labkit.dissect.secrets import masked  # noqa: PLC0415
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.formats.report import report  # noqa: PLC0415

    trace = load(arguments.file)
    if arguments.json:
        shown = trace if arguments.keep_secrets else masked(trace)
        print(json.dumps(report(dissect(shown)), indent=1))
    else:
        print(trace.bytes(leaves=arguments.leaves, keep_secrets=arguments.keep_secrets))
    return DONE


def _draw(arguments: argparse.Namespace) -> int:
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.render.diagram import diagram  # noqa: PLC0415

    picture = diagram(load(arguments.file), keep_secrets=arguments.keep_secrets)
    make = {"text": picture.text, "svg": picture.svg, "mermaid": picture.mermaid, "html": picture.html}
    text = make[arguments.format]()
    if arguments.output is None:
        print(text)
        return DONE
    try:
        arguments.output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"cannot write {arguments.output}: {error.strerror}") from None
    return DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from labkit.lessons.doctor import doctor  # noqa: PLC0415

    found = doctor()
    print(found)
    return DONE if found.ok else FAILED


def _lab(arguments: argparse.Namespace) -> int:
    from labkit.lessons.copies import open_lab  # noqa: PLC0415

    return open_lab(arguments.notebook, arguments.jupyter)


def _reset(arguments: argparse.Namespace) -> int:
    from labkit.lessons.copies import reset  # noqa: PLC0415

    print(reset(arguments.notebook))
    return DONE


# what can be typed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labkit",
        description="A lab for HTTP 101 Switching Protocols: serve upgrades, trace them, draw them.",
        epilog="Exit codes: 0 done, 1 the exchange failed, 2 wrong use. Everything stays on loopback "
        "unless --allow-remote is given. First steps: labkit serve, and in a second terminal "
        "labkit trace ws://127.0.0.1:PORT/",
    )
    parser.add_argument("--version", action="version", version=f"labkit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_trace(commands)
    _add_tap(commands)
    _add_files(commands)
    _add_lab(commands)
    return parser


Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add(commands: Commands, name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)  # type: ignore[attr-defined]
    added.set_defaults(command=command)
    return added


def _size(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 3600:  # noqa: PLR2004
        raise argparse.ArgumentTypeError("must be above 0 and at most 3600")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 16:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return number


def _add_serve(commands: Commands) -> None:  # type: ignore[valid-type]
    serve = _add(commands, "serve", _serve, "Run the lab's server: any path upgrades to a WebSocket echo.")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=0, help="0, the default, takes any free port")
    serve.add_argument("--max-size", type=_size, default=1 << 20, metavar="BYTES", help="the longest message (1048576)")
    serve.add_argument("--no-trace", action="store_true", help="record nothing")
    serve.add_argument("--require", action="store_true", help="answer 426 where no upgrade is asked for")
    serve.add_argument("--path", action="append", default=[], help="a path that exists; more may be given; else all do")
    serve.add_argument("--subprotocol", action="append", default=[], help="a subprotocol to speak; more may be given")
    serve.add_argument("--origin", action="append", default=[], help="an Origin to accept; more may be given; else any")
    serve.add_argument("--no-deflate", action="store_true", help="decline permessage-deflate")
    _add_recording(serve)


def _add_tap(commands: Commands) -> None:  # type: ignore[valid-type]
    tap = _add(commands, "tap", _tap, "Relay to a server of yours and record every connection on the way.")
    tap.add_argument("--listen", default="0", metavar="PORT", help="PORT or HOST:PORT; 0, the default, takes any free one")
    tap.add_argument("--to", required=True, metavar="HOST:PORT", help="where the server is")
    tap.add_argument("--max-bytes", type=_size, default=1 << 20, help="the most bytes kept per connection (1048576)")
    _add_recording(tap)


def _add_recording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help="save each connection when it ends: FILE.jsonl, then FILE-2.jsonl, …")  # fmt: skip
    parser.add_argument("--draw", action="store_true", help="draw each connection, on standard error, when it ends")
    parser.add_argument("--allow-remote", action="store_true", help="allow hosts other than loopback")


def _add_trace(commands: Commands) -> None:  # type: ignore[valid-type]
    trace = _add(commands, "trace", _trace, "Ask a server to upgrade, and draw what crossed the wire.")
    trace.add_argument("url", metavar="URL", help="ws, wss, http or https; inside TLS the plain bytes are recorded")
    trace.add_argument("--offer", default="websocket", metavar="WHAT",
                       help="websocket (the default), bare (curl's two field lines), plain, or a protocol's name")  # fmt: skip
    trace.add_argument("--say", action="append", metavar="TEXT", help="a message after the switch (Hello); more may be given")
    trace.add_argument("--header", "-H", action="append", default=[], metavar="LINE", help="add or replace a field line")
    trace.add_argument("--without", action="append", default=[], metavar="NAME", help="leave a field line out")
    trace.add_argument("--patience", type=_seconds, default=5.0, metavar="S", help="seconds to wait for an answer (5)")
    trace.add_argument("--bytes", action="store_true", help="explain every byte as well")
    trace.add_argument("-o", "--output", type=Path, metavar="FILE", help="save the trace as JSON Lines")
    trace.add_argument("--allow-remote", action="store_true", help="allow hosts other than loopback")


def _add_files(commands: Commands) -> None:  # type: ignore[valid-type]
    dissect = _add(commands, "dissect", _dissect, "Explain every byte of a saved trace.")
    dissect.add_argument("file", type=Path)
    dissect.add_argument("--json", action="store_true", help="as data instead")
    dissect.add_argument("--leaves", action="store_true", help="split field lines into their pieces")
    draw = _add(commands, "draw", _draw, "Draw a saved trace as a sequence diagram.")
    draw.add_argument("file", type=Path)
    draw.add_argument("--format", choices=("text", "svg", "mermaid", "html"), default="text")
    draw.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")
    for each in (dissect, draw):
        each.add_argument("--keep-secrets", action="store_true", help="show cookies, tokens and authorization")


def _add_lab(commands: Commands) -> None:  # type: ignore[valid-type]
    lab = _add(commands, "lab", _lab, "Open JupyterLab on your own copies of the notebooks.")
    lab.add_argument("--notebook", default="00", metavar="NUMBER", help="the one to open (00)")
    lab.add_argument("jupyter", nargs="*", metavar="-- OPTION", help="options for JupyterLab, after --")
    reset = _add(commands, "reset", _reset, "Put a fresh copy of a notebook in place; yours is kept beside it.")
    reset.add_argument("notebook", metavar="NUMBER", help="such as 02")
    _add(commands, "doctor", _doctor, "Tell what is on this machine, and what each missing part would add.")


if __name__ == "__main__":
    sys.exit(main())
