"""What each command does; what it needs is imported when it runs, so that `labkit --help` is quick."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import json
import queue
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import Failed, LabError, WrongUse

if TYPE_CHECKING:
    from labkit.cases.corpus import Judged
    from labkit.net.address import Address
    from labkit.net.listener import Listener
    from labkit.parties.described import Server
    from labkit.parties.offer import Offer
    from labkit.recording import Recording
    from labkit.trace import Trace

__all__ = [
    "check_file", "copies", "corpus", "dissect_file", "draw", "inspect_file", "lab", "launch", "reset_copy", "rules",
    "serve", "tap", "tell", "trace",
]  # fmt: skip

_FLAG = "--allow-remote"
_CHAT_MESSAGE = 1 << 14  # bytes: more than what a chat passes on, in any script
_MOST_WAITING = 1000  # recordings that wait to be drawn and saved


# what listens


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until it is told to stop."""
    from labkit.net.address import check_loopback  # noqa: PLC0415
    from labkit.net.server import UpgradeServer, wall_date  # noqa: PLC0415
    from labkit.parties.chat import Chat  # noqa: PLC0415
    from labkit.parties.described import Limits, Server  # noqa: PLC0415
    from labkit.parties.http2 import http2_server  # noqa: PLC0415
    from labkit.parties.stream import echo  # noqa: PLC0415

    check_loopback(arguments.host, arguments.allow_remote, _FLAG)
    if arguments.no_trace and (arguments.output or arguments.draw):
        raise WrongUse("--no-trace records nothing that could be saved or drawn: leave it out, or -o and --draw")
    spoken = Chat() if arguments.chat else echo
    protocols = {"websocket": spoken, **({"h2c": http2_server} if arguments.h2c else {})}
    longest = arguments.max_size
    limits = Limits(
        message=longest,
        fragments=max(1 << 16, longest // 16),  # a longer message may well have more of them
        recorded=arguments.max_bytes or max(longest, 1 << 20),
    )
    told = Server(
        protocols=protocols,
        paths=tuple(arguments.path),
        require=arguments.require,
        subprotocols=tuple(arguments.subprotocol),
        origins=tuple(arguments.origin) or None,
        deflate="off" if arguments.no_deflate else "zlib",
        faults=tuple(arguments.fault),
        limits=limits,
    )
    if arguments.chat:
        told = _with_page(told, arguments)
    sink = _Sink(arguments)
    server = UpgradeServer(
        told,
        host=arguments.host,
        port=arguments.port,
        record=not arguments.no_trace and (not arguments.chat or arguments.draw or arguments.output is not None),
        date=wall_date,
        allow_remote=arguments.allow_remote,
        ended=sink.take,
        uvloop=arguments.uvloop,
    )
    return _listen(server, sink)


def _with_page(told: Server, arguments: argparse.Namespace) -> Server:
    """Return a server with the chat's page, and say who can join where that is not this machine alone."""
    from labkit.cli.chat_page import chat_page  # noqa: PLC0415
    from labkit.net.address import is_loopback  # noqa: PLC0415

    said = "each path is a room; open the address in a browser"
    if not is_loopback(arguments.host):
        said += (
            ", with this machine's name or address in it\n"
            "labkit: WARNING: whoever can reach this machine can join, read and write, under any name; nothing is "
            "encrypted. Use it in a network that you trust, and end it with Ctrl-C when you are done"
        )
    print(f"labkit: {said}", file=sys.stderr, flush=True)
    return replace(told, page=chat_page(), limits=replace(told.limits, message=min(arguments.max_size, _CHAT_MESSAGE)))


def tap(arguments: argparse.Namespace) -> int:
    """Run a tap until it is told to stop."""
    from labkit.net.address import check_loopback, parse_address  # noqa: PLC0415
    from labkit.net.tap import Tap  # noqa: PLC0415

    listen, target = parse_address(arguments.listen, lowest=0), parse_address(arguments.to)
    for address in (listen, target):
        check_loopback(address.host, arguments.allow_remote, _FLAG)
    sink = _Sink(arguments)
    relay = Tap(
        arguments.to,
        host=listen.host,
        port=listen.port,
        recorded=arguments.max_bytes,
        allow_remote=arguments.allow_remote,
        ended=sink.take,
    )
    return _listen(relay, sink)


def _listen(listener: Listener, sink: _Sink) -> int:
    """Run until SIGINT or SIGTERM; what was recorded until then is drawn and saved."""
    over = threading.Event()
    ends = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: over.set()) for number in ends]
    try:
        with listener:
            print(f"listening on {listener.url.rstrip('/')}", flush=True)
            while not over.is_set():
                sink.work(0.2)
        sink.work(0)
    finally:
        for number, handler in zip(ends, before, strict=True):
            signal.signal(number, handler)
    if sink.problem:
        raise Failed(sink.problem)
    return 0


class _Sink:
    """Draws and saves traces as their connections end; the work is done in the main thread."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.problem = ""
        self._draw: bool = arguments.draw
        self._output: Path | None = arguments.output
        self._number = 0
        self._queue: queue.Queue[Recording] = queue.Queue(_MOST_WAITING)
        _check_folder(self._output)

    def take(self, recording: Recording) -> None:
        """Take a recording; called in the listener's thread."""
        if not (self._draw or self._output):
            return
        try:
            self._queue.put_nowait(recording)
        except queue.Full:
            self.problem = f"connections ended faster than they could be saved: more than {_MOST_WAITING} were waiting"

    def work(self, patience: float) -> None:
        """Deal with what has come, waiting up to `patience` seconds for it."""
        try:
            while True:
                recording = self._queue.get(timeout=patience) if patience else self._queue.get_nowait()
                patience = 0
                self._deal(recording.trace(note="recorded by labkit"))
        except queue.Empty:
            return

    def _deal(self, found: Trace) -> None:
        if self._output:
            self._number += 1
            path = self._output
            if self._number > 1:
                path = path.with_name(f"{path.stem}-{self._number}{path.suffix}")
            try:
                print(f"labkit: saved {found.save(path)}", file=sys.stderr, flush=True)
            except LabError as error:
                self.problem = str(error)
                print(f"labkit: {error}", file=sys.stderr, flush=True)
        if self._draw:
            print(f"\n{found}", file=sys.stderr, flush=True)


# what asks


def trace(arguments: argparse.Namespace) -> int:
    """Make one exchange and draw it."""
    from labkit.net.address import check_loopback, parse_url  # noqa: PLC0415
    from labkit.net.client import exchange  # noqa: PLC0415

    address = parse_url(arguments.url)
    check_loopback(address.host, arguments.allow_remote, _FLAG)
    _check_folder(arguments.output)
    say = arguments.say if arguments.say is not None else ["Hello"]
    for text in say:
        if any("\ud800" <= char <= "\udfff" for char in text):  # how Python shows bytes that are no UTF-8
            raise WrongUse(f"{text!r} cannot be said: a message is text in UTF-8")
    outcome = exchange(
        arguments.url,
        _offer(arguments, address),
        say,
        patience=arguments.patience,
        allow_remote=arguments.allow_remote,
        ca=arguments.ca,
    )
    print(outcome.trace)
    if arguments.bytes:
        print(f"\n{outcome.trace.bytes()}")
    if arguments.output:
        print(f"labkit: saved {outcome.trace.save(arguments.output)}", file=sys.stderr)
    if outcome.problem:
        raise Failed(outcome.problem)
    if outcome.status != 101 and arguments.offer != "plain":
        raise Failed(f"no switch: the answer was {outcome.status}")
    return 0


def _offer(arguments: argparse.Namespace, address: Address) -> Offer:
    from labkit.parties.offer import Offer  # noqa: PLC0415

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


def corpus(arguments: argparse.Namespace) -> int:
    """Run the handshake corpus against a server; 1 where an answer is outside the RFCs, or the run was broken off."""
    from labkit.net.corpus import run_corpus  # noqa: PLC0415
    from labkit.render.corpus import corpus_line, corpus_summary  # noqa: PLC0415

    def told(row: Judged) -> None:
        if not arguments.json:
            print(corpus_line(row), flush=True)

    report = run_corpus(arguments.target, arguments.path, patience=arguments.patience, told=told)
    print(json.dumps(report.data(), indent=2) if arguments.json else f"\n{corpus_summary(report)}")
    if report.interrupted:
        return 130
    return 0 if report.ok else 1


# what reads files


def dissect_file(arguments: argparse.Namespace) -> int:
    """Explain a saved trace."""
    from labkit.dissection import dissect  # noqa: PLC0415
    from labkit.dissection.secrets import masked  # noqa: PLC0415
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.formats.report import report  # noqa: PLC0415

    found = load(arguments.file)
    if arguments.json:
        shown = found if arguments.keep_secrets else masked(found)
        print(json.dumps(report(dissect(shown)), indent=1))
    else:
        print(found.bytes(leaves=arguments.leaves, keep_secrets=arguments.keep_secrets))
    return 0


def check_file(arguments: argparse.Namespace) -> int:
    """Tell which rules a saved trace breaks; 1 where the switch hangs on one of them."""
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.formats.report import report_findings  # noqa: PLC0415
    from labkit.render.verdict import check  # noqa: PLC0415

    verdict = check(load(arguments.file))
    findings = report_findings((*verdict, *verdict.notes), verdict.checked, verdict.outcome)
    with suppress(BrokenPipeError):  # whoever reads no further still gets the exit code
        print(json.dumps(findings, indent=1) if arguments.json else verdict)
    return 1 if verdict.serious or (arguments.strict and verdict.strict) else 0


def rules(arguments: argparse.Namespace) -> int:
    """Tell the rules."""
    from labkit.render.rulebook import rulebook  # noqa: PLC0415

    print(rulebook(arguments.rule))
    return 0


def draw(arguments: argparse.Namespace) -> int:
    """Draw a saved trace."""
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.render.diagram import diagram  # noqa: PLC0415

    picture = diagram(load(arguments.file), keep_secrets=arguments.keep_secrets)
    make = {"text": picture.text, "svg": picture.svg, "mermaid": picture.mermaid, "html": picture.html}
    return _write(make[arguments.format]() + "\n", arguments)


def inspect_file(arguments: argparse.Namespace) -> int:
    """Make a page of a saved trace, in which diagram, bytes and explanation are linked."""
    from labkit.formats.jsonl import load  # noqa: PLC0415
    from labkit.widgets.page import page  # noqa: PLC0415

    return _write(page(load(arguments.file), keep_secrets=arguments.keep_secrets), arguments)


def _write(text: str, arguments: argparse.Namespace) -> int:
    """Write what was made of a file, but never in its place."""
    output: Path | None = arguments.output
    if output is None:
        print(text, end="")
        return 0
    try:
        if output.exists() and output.samefile(arguments.file):
            raise WrongUse(f"{output} is the trace itself: give another name for what is made of it")
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"cannot write {output}: {error.strerror}") from None
    return 0


def _check_folder(output: Path | None) -> None:
    """Tell before the work, and not after it, that there is nowhere to write."""
    try:
        if output is not None and not output.parent.is_dir():
            raise WrongUse(f"cannot write {output}: there is no folder {output.parent}")
    except OSError as error:  # a name that is too long, say
        raise WrongUse(f"cannot write {output}: {error.strerror}") from None


# the lab


def tell(_: argparse.Namespace) -> int:
    """Tell what is on this machine."""
    from labkit.lessons.doctor import doctor  # noqa: PLC0415

    found = doctor()
    print(found)
    return 0 if found.ok else 1


def lab(arguments: argparse.Namespace) -> int:
    """Open JupyterLab on the learner's copies."""
    from labkit.lessons.copies import prepare, start  # noqa: PLC0415

    copies = prepare()
    return start(copies[0].parent, port=arguments.port, browser=False if arguments.no_browser else None)


def copies(arguments: argparse.Namespace) -> int:
    """Make the learner's copies, and start nothing: for a hub, whose JupyterLab runs already."""
    from labkit.lessons.copies import prepare  # noqa: PLC0415

    made = prepare(into=arguments.folder)
    print(f"{len(made)} notebooks in {made[0].parent}; begin with {made[0].name}")
    return 0


def reset_copy(arguments: argparse.Namespace) -> int:
    """Put a fresh copy of a notebook in place."""
    from labkit.lessons.copies import reset  # noqa: PLC0415

    print(reset(arguments.notebook, into=arguments.folder))
    return 0


def launch(arguments: argparse.Namespace) -> int:
    """Tell the link and the badge that open a notebook on Binder."""
    from labkit.lessons.launching import binder_link  # noqa: PLC0415
    from labkit.lessons.notebooks import find_notebooks, lesson, notebooks_in  # noqa: PLC0415

    notebook = lesson(arguments.notebook, notebooks_in(find_notebooks()))
    print(binder_link(arguments.repository, arguments.tag, notebook.name))
    return 0
