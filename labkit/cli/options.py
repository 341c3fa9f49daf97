"""What can be typed: every command with its options, and what their values must look like."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labkit import __version__
from labkit.cli import case_commands, commands
from labkit.cli.bench import bench
from labkit.cli.clinic import tell_why
from labkit.cli.fidelity import fidelity

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  it has no public name

__all__ = ["parser"]

_LARGEST_PORT = (1 << 16) - 1
_LONGEST = 3600.0  # seconds


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="labkit",
        description="A lab for HTTP 101 Switching Protocols: serve upgrades, trace them, draw them.",
        epilog="Exit codes: 0 done, 1 the exchange failed or breaks a rule, 2 wrong use, 70 a fault of labkit itself. "
        "Everything stays on loopback unless --allow-remote is given. First steps: labkit serve, and in a second "
        "terminal labkit trace ws://127.0.0.1:PORT/",
    )
    whole.add_argument("--version", action="version", version=f"labkit {__version__}")
    added = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(added)
    _add_trace(added)
    _add_tap(added)
    _add_corpus(added)
    _add_files(added)
    _add_fidelity(added)
    _add_why(added)
    _add_cases(added)
    _add_bench(added)
    _add_lab(added)
    return whole


def _add(
    added: Commands, name: str, command: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    new = added.add_parser(name, help=text, description=text)
    new.set_defaults(command=command)
    return new


def _add_serve(added: Commands) -> None:
    serve = _add(added, "serve", commands.serve, "Run the lab's server: any path upgrades to a WebSocket echo.")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=0, help="0, the default, takes any free port")
    serve.add_argument("--max-size", type=_size, default=1 << 20, metavar="BYTES", help="the longest message (1048576)")
    serve.add_argument("--max-bytes", type=_size, metavar="BYTES",
                       help="the most bytes kept per connection (--max-size, and at least 1048576)")  # fmt: skip
    serve.add_argument("--no-trace", action="store_true", help="record nothing")
    serve.add_argument("--require", action="store_true", help="answer 426 where no upgrade is asked for")
    serve.add_argument("--path", action="append", default=[], help="a path that exists; more may be given; else all do")
    serve.add_argument("--subprotocol", action="append", default=[], help="a subprotocol to speak; more may be given")
    serve.add_argument("--origin", action="append", default=[], help="an Origin to accept; more may be given; else any")
    serve.add_argument("--fault", action="append", default=[], metavar="NAME",
                       help="do this wrong on purpose, such as no-upgrade or cut=20; more may be given; an unknown "
                       "name lists them")  # fmt: skip
    serve.add_argument(
        "--h2c", action="store_true", help="switch to h2c too, HTTP/2 without TLS, as `curl --http2` asks"
    )
    serve.add_argument("--chat", action="store_true",
                       help="a chat instead of the echo, with a page for browsers; each path is a room")  # fmt: skip
    serve.add_argument("--no-deflate", action="store_true", help="decline permessage-deflate")
    serve.add_argument("--uvloop", action="store_true", help="run on uvloop, which is faster: pip install uvloop")
    _add_recording(serve)


def _add_tap(added: Commands) -> None:
    tap = _add(added, "tap", commands.tap, "Relay to a server of yours and record every connection on the way.")
    tap.add_argument("--listen", default="0", metavar="PORT",
                     help="PORT or HOST:PORT; 0, the default, takes any free one")  # fmt: skip
    tap.add_argument("--to", required=True, metavar="HOST:PORT", help="where the server is")
    tap.add_argument("--max-bytes", type=_size, default=1 << 20, metavar="BYTES",
                     help="the most bytes kept per connection (1048576)")  # fmt: skip
    _add_recording(tap)


def _add_recording(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", type=Path, metavar="FILE",
                         help="save each connection when it ends: FILE.jsonl, then FILE-2.jsonl, …")  # fmt: skip
    command.add_argument("--draw", action="store_true", help="draw each connection, on standard error, when it ends")
    command.add_argument("--allow-remote", action="store_true", help="allow hosts other than loopback")


def _add_trace(added: Commands) -> None:
    trace = _add(added, "trace", commands.trace, "Ask a server to upgrade, and draw what crossed the wire.")
    trace.add_argument("url", metavar="URL", help="ws, wss, http or https; inside TLS the plain bytes are recorded")
    trace.add_argument("--offer", default="websocket", metavar="WHAT",
                       help="websocket (the default), bare (curl's two field lines), plain, or a name")  # fmt: skip
    trace.add_argument("--say", action="append", metavar="TEXT",
                       help="a message after the switch (Hello); more may be given")  # fmt: skip
    trace.add_argument(
        "--header", "-H", action="append", default=[], metavar="LINE", help="add or replace a field line"
    )
    trace.add_argument("--without", action="append", default=[], metavar="NAME", help="leave a field line out")
    trace.add_argument("--patience", type=_seconds, default=5.0, metavar="S", help="seconds to wait for an answer (5)")
    trace.add_argument("--bytes", action="store_true", help="explain every byte as well")
    trace.add_argument("-o", "--output", type=Path, metavar="FILE", help="save the trace as JSON Lines")
    trace.add_argument("--ca", type=Path, metavar="FILE",
                       help="trust the certificates in this PEM file instead of the system's")  # fmt: skip
    trace.add_argument("--allow-remote", action="store_true", help="allow hosts other than loopback")


def _add_corpus(added: Commands) -> None:
    text = "Send the handshake corpus to a server on this machine, and tell which answers are within the RFCs."
    corpus = _add(added, "corpus", commands.corpus, text)
    corpus.add_argument("target", metavar="HOST:PORT", help="where the server is; loopback alone, without exception")
    corpus.add_argument("--path", default="/", help="where it speaks WebSocket (/)")
    corpus.add_argument("--json", action="store_true", help="as data instead")
    corpus.add_argument("--patience", type=_seconds, default=1.0, metavar="S",
                        help="seconds the server has for each case, from the last byte sent: up to 60 (1)")  # fmt: skip
    corpus.epilog = (
        "Exit codes: 1 where an answer is outside the RFCs, or the run was broken off (by a server that takes no "
        "connection, or after 900 seconds; what it has is told), 130 where Ctrl-C did that, else 0."
    )


def _add_files(added: Commands) -> None:
    dissect = _add(added, "dissect", commands.dissect_file, "Explain every byte of a saved trace.")
    dissect.add_argument("file", type=Path)
    dissect.add_argument("--json", action="store_true", help="as data instead")
    dissect.add_argument("--leaves", action="store_true", help="split field lines into their pieces")
    draw = _add(added, "draw", commands.draw, "Draw a saved trace as a sequence diagram.")
    draw.add_argument("file", type=Path)
    draw.add_argument("--format", choices=("text", "svg", "mermaid", "html"), default="text")
    draw.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")
    inspect = _add(added, "inspect", commands.inspect_file,
                   "Make of a saved trace a page to click through: diagram, bytes and explanation.")  # fmt: skip
    inspect.add_argument("file", type=Path, help="a trace, as serve, tap and trace save it")
    inspect.add_argument("-o", "--output", type=Path, metavar="PAGE", help="write to a file, such as page.html")
    check = _add(added, "check", commands.check_file, "Tell which rules a saved trace breaks: whose fault, and where.")
    check.add_argument("file", type=Path, help="a trace, as serve, tap and trace save it")
    check.add_argument("--json", action="store_true", help="as data instead")
    check.add_argument("--strict", action="store_true", help="exit with 1 for any MUST that is broken")
    check.epilog = (
        "Exit codes: 1 where a MUST that the switch hangs on is broken (with --strict: any MUST), else 0. What each "
        "rule asks, and which of them are checked: labkit rules."
    )
    rules = _add(added, "rules", commands.rules, "Tell the rules that labkit check knows, with their clauses.")
    rules.add_argument("rule", nargs="?", default="", metavar="ID", help="one rule in full, such as G02; else all")
    for each in (dissect, draw, inspect):
        each.add_argument("--keep-secrets", action="store_true", help="show cookies, tokens and authorization")


def _add_fidelity(added: Commands) -> None:
    text = "Hold the models of nginx and Apache against the programs on this machine, cell by cell."
    held = _add(added, "fidelity", fidelity, text)
    held.add_argument("cells", nargs="?", default="", metavar="CELLS",
                      help="what their names begin with, such as nginx or apache/seed/; all unless told")  # fmt: skip
    held.add_argument("-v", "--verbose", action="store_true", help="tell the equal ones, too")
    held.epilog = "Exit codes: 1 where a model says otherwise than the program does, else 0."


def _add_bench(added: Commands) -> None:
    text = "Measure ways to talk on this machine: requests, long polling, events, WebSocket, raw bytes after a 101."
    measured = _add(added, "bench", bench, text)
    measured.add_argument(
        "study", nargs="*", metavar="STUDY",
        help="throughput, latency, overhead, handshakes, duplex, switch or tap; all unless told",
    )  # fmt: skip
    measured.add_argument("--quick", action="store_true", help="a few short rounds: to see that it works")
    measured.add_argument(
        "--way", action="append", metavar="WAY",
        help="of talking: new-connection, keep-alive, long-polling, server-sent-events, websocket-text, "
        "websocket-binary, websocket-deflate, raw; more may be given (all)",
    )  # fmt: skip
    measured.add_argument(
        "--via", action="append", metavar="VIA",
        help="what stands between, in its turn: direct (nothing), embedded, nginx, apache; more may be given "
        "(all that are here)",
    )  # fmt: skip
    measured.add_argument(
        "--json", type=Path, metavar="FILE",
        help="keep every value, the machine and the versions; of several studies, FILE-STUDY.json",
    )  # fmt: skip
    measured.add_argument(
        "--values", type=_size, metavar="N", help="keep N values of each measurement at the most (all)"
    )
    measured.add_argument("--plot", type=Path, metavar="FILE", help="draw it: FILE.svg, .png or .pdf")
    measured.epilog = (
        "Ctrl-C ends it, and keeps what was measured until then. Exit codes: 1 where a study could not be made, "
        "130 where Ctrl-C ended one, else 0."
    )


def _add_why(added: Commands) -> None:
    text = "Say why an upgrade fails: the likeliest cause, who, the clause, the lines to change, and what proves it."
    why = _add(added, "why", tell_why, text)
    why.add_argument("what", nargs="+", metavar="WHAT",
                     help="an error message; a file with a configuration of nginx or Apache, or with a trace; a URL; "
                     "or - to read standard input")  # fmt: skip
    why.add_argument("--path", default="", help="of a configuration: the path to ask for, as NAME/PATH where there are "
                     "several servers; unless told, each that is proxied")  # fmt: skip
    why.add_argument("--draw", action="store_true", help="draw what crosses, as it is and mended")
    why.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the mended configuration")
    why.add_argument(
        "--patience", type=_seconds, default=5.0, metavar="S", help="seconds to wait for a URL's answer (5)"
    )
    why.add_argument("--allow-remote", action="store_true", help="allow a URL beyond loopback")


def _add_cases(added: Commands) -> None:
    text = "List the failures of upgrades that people meet, or those that an error message speaks of."
    cases = _add(added, "cases", case_commands.cases, text)
    cases.add_argument("about", nargs="*", metavar="TEXT",
                       help="a message such as 'Unexpected response code: 400', a word such as 1006 or 'every minute', "
                       "or the name of a case, which is then told in full; else all")  # fmt: skip
    cases.epilog = "Exit codes: 1 where no case speaks of the text, else 0. A case is shown by labkit simulate NAME."
    for name, command, how in (
        ("simulate", case_commands.simulate_case, "Predict a case of the catalogue in memory"),
        ("run", case_commands.run_case, "Run a case of the catalogue over real sockets"),
    ):
        new = _add(added, name, command, f"{how}: the broken run, then the fixed one, with what the check finds.")
        new.add_argument("name", metavar="NAME", help="such as idle-timeout; labkit cases lists them")
        new.epilog = (
            "Exit codes: 1 where a run is not as the catalogue says, 2 where the case is not reproduced, else 0."
        )


def _add_lab(added: Commands) -> None:
    lab = _add(added, "lab", commands.lab, "Open JupyterLab on your own copies of the notebooks.")
    lab.add_argument("--port", type=_port, help="where JupyterLab listens (8888, or the next free one)")
    lab.add_argument("--no-browser", action="store_true", help="print the URL, and open no browser")
    copies = _add(
        added, "copies", commands.copies, "Put your own copies of the notebooks in a folder; those you changed stay."
    )
    copies.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", help="my-lab beside the notebooks, or another"
    )
    reset = _add(
        added, "reset", commands.reset_copy, "Put a fresh copy of a notebook in place; yours is kept beside it."
    )
    reset.add_argument("notebook", metavar="NUMBER", help="such as 02")
    reset.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="my-lab beside the notebooks, or another")
    link = _add(added, "binder-link", commands.launch, "Tell the link and the badge that open a notebook on Binder.")
    link.add_argument("repository", metavar="REPOSITORY",
                      help="OWNER/NAME on GitHub, or an address on github.com or gitlab.com; a fork, say")  # fmt: skip
    link.add_argument("--tag", default="", help="a tag, a branch or a commit (the newest commit)")
    link.add_argument("--notebook", default="00", metavar="NUMBER", help="the notebook to open, such as 02 (00)")
    _add(added, "doctor", commands.tell, "Tell what is on this machine, and what each missing part would add.")


# values


def _size(text: str) -> int:
    if not text.isdecimal() or len(text) > 12 or not (number := int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return number


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or (number := int(text)) > _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to {_LARGEST_PORT}")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no time above 0 and up to {_LONGEST:g} seconds")
    return number
