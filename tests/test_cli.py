import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from labkit.cli import main
from labkit.cli.options import parser
from labkit.formats.jsonl import load
from labkit.net.client import ask
from labkit.net.server import UpgradeServer
from labkit.parties.described import Server
from labkit.parties.http2 import http2_client
from labkit.parties.offer import Offer
from labkit.rules import RULES, Finding, Findings, Level, Rule, Who
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace, Transfer
from tests.net.peer import scripted
from tests.net.test_client import behind_tls, certificate  # noqa: F401  a fixture

COMMANDS = [
    "serve",
    "trace",
    "tap",
    "corpus",
    "dissect",
    "draw",
    "inspect",
    "check",
    "rules",
    "cases",
    "simulate",
    "run",
    "lab",
    "copies",
    "reset",
    "binder-link",
    "doctor",
]


@contextlib.contextmanager
def running(*words, **options):
    """Run the command as a process, as a user does; it is killed at the end if it has not ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "labkit", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def listening(process) -> str:
    """Read the first line, and return the URL in it."""
    line = process.stdout.readline()
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", line)
    return line.split()[-1]


@pytest.fixture
def saved(tmp_path):
    """Save the trace of one echo in a file."""
    return simulate(Scenario()).save(tmp_path / "echo.jsonl")


# help and wrong use


@pytest.mark.parametrize("words", [["inspect"], ["draw", "--format", "svg"]], ids=["inspect", "draw"])
def test_a_trace_is_not_written_over(words, saved, capsys):
    """What is made of a trace never takes its place."""
    before = saved.read_bytes()
    assert main([*words, str(saved), "-o", str(saved)]) == 2
    assert "is the trace itself" in capsys.readouterr().err
    assert saved.read_bytes() == before


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_there(words, capsys):
    """Every command explains itself, within 80 columns, and what it does is told in a sentence."""
    os.environ["COLUMNS"] = "80"
    with pytest.raises(SystemExit) as ended:
        main(words)
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) > 3
    assert "None" not in text
    assert "==" not in text


def test_every_option_says_what_it_is_for():
    """No option is without a word of help."""
    for command in parser()._subparsers._group_actions[0].choices.values():
        for action in command._actions:
            assert action.help or action.dest in ("file", "format"), f"{command.prog} {action.dest}"


def test_help_tells_the_exit_codes(capsys):
    """The codes that a script can build on stand in the help."""
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "0 done, 1 the exchange failed or breaks a rule, 2 wrong use, 70" in told


def test_version(capsys):
    """`--version` tells it."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"labkit \d.*\n", capsys.readouterr().out)


WRONG = [
    [], ["nonsense"], ["serve", "--port", "x"], ["serve", "--port", "70000"], ["serve", "--port", "²"],
    ["serve", "--max-size", "0"], ["serve", "--max-size", "many"], ["trace"], ["tap"], ["dissect"], ["draw", "a", "--format", "png"],
    ["trace", "ws://a/", "--patience", "0"], ["trace", "ws://a/", "--patience", "nan"], ["trace", "ws://a/", "--patience", "x"],
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_cannot_be_read_is_wrong_use(words, capsys):
    """A command line that makes no sense: exit code 2, a usage line, and what is wrong, on standard error alone."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("usage: labkit")
    assert "invalid _" not in err  # the name of a function is no help


REFUSED = [
    (["trace", "example.com"], "is no URL"),
    (["trace", "ftp://a/"], "is no URL"),
    (["trace", "ws://example.com/"], "--allow-remote"),
    (["tap", "--to", "example.com:80"], "--allow-remote"),
    (["tap", "--to", "x"], "HOST:PORT"),
    (["tap", "--to", "127.0.0.1:1", "--listen", "x"], "HOST:PORT"),
    (["tap", "--to", "127.0.0.1:1", "--listen", "0.0.0.0:0"], "--allow-remote"),
    (["tap", "--to", "https://127.0.0.1:1"], "cannot look into TLS"),
    (["serve", "--host", "0.0.0.0"], "--allow-remote"),
    (["serve", "--chat", "--host", "0.0.0.0"], "--allow-remote"),
    (["serve", "--path", "chat"], "one of the paths"),
    (["serve", "--subprotocol", "a b"], "one of the subprotocols"),
    (["serve", "--fault", "clse"], "no fault is called 'clse'; there are unasked, no-upgrade"),
    (["serve", "--no-trace", "--draw"], "--no-trace records nothing"),
    (["serve", "-o", "/nowhere/at/all.jsonl"], "there is no folder /nowhere/at"),
    (["trace", "ws://127.0.0.1:1/", "-o", "/nowhere/at/all.jsonl"], "there is no folder /nowhere/at"),
    (["trace", "ws://127.0.0.1:1/", "-H", "nothing"], "is no field line"),
    (["trace", "ws://127.0.0.1:1/", "-H", "a: b\r\nc: d"], "is no field line"),
    (["trace", "ws://127.0.0.1:1/", "-H", "X: \N{SNOWMAN}"], "is no single byte"),
    (["trace", "wss://127.0.0.1:1/", "--ca", "/nowhere"], "/nowhere: cannot be read"),
    (["trace", "ws://127.0.0.1:1/", "--say", "\udcff"], "cannot be said"),
    (["trace", "ws://127.0.0.1:1/", "-o", "a" * 300 + "/one.jsonl"], "File name too long"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "named"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_what_makes_no_sense_is_wrong_use(words, named, capsys):
    """A wrong value: exit code 2 and one line that names it."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("labkit: ")
    assert err.count("\n") == 1
    assert named in err


def test_a_fault_of_the_labs_own_is_one_line(capsys, monkeypatch):
    """What nobody expected: exit code 70, one line that says where, and how to report it; no traceback."""
    from labkit.formats import jsonl

    def wrong(_):
        raise ZeroDivisionError("surprise\nin two lines")

    monkeypatch.setattr(jsonl, "load", wrong)
    assert main(["draw", "x"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(r"ZeroDivisionError: surprise in two lines \(cli/commands\.py, line \d+; labkit .*Python", err)
    assert "please report" in err


def test_ctrl_c_ends_quietly(capsys, monkeypatch):
    """An interrupted command says so, and ends as shells expect it."""
    from labkit.formats import jsonl

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(jsonl, "load", interrupted)
    assert main(["draw", "x"]) == 130
    assert capsys.readouterr().err == "labkit: stopped\n"


# trace


def test_trace_draws_one_exchange(capsys, tmp_path):
    """`trace` draws on standard output, saves where it is told, and says so on standard error."""
    file = tmp_path / "one.jsonl"
    with UpgradeServer() as server:
        assert main(["trace", server.url, "--say", "a", "--say", "b", "--bytes", "-o", str(file)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Switched to websocket (101)\n")
    assert 'text "b"' in out
    assert "Sec-WebSocket-Accept" in out
    assert err == f"labkit: saved {file}\n"
    assert load(file) == server.trace


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--offer", "plain"], 0, ""),
        (["--offer", "bare"], 1, "no switch: the answer was 400"),
        (["--offer", "h2c"], 1, "no switch: the answer was 200"),
        (["--without", "Connection"], 1, "no switch: the answer was 200"),
        (["--header", "Sec-WebSocket-Version: 8"], 1, "no switch: the answer was 426"),
        (["-H", "X-New: 1", "--say", ""], 0, ""),
    ],
)
def test_trace_fails_where_there_is_no_switch(words, code, named, capsys):
    """What is not answered with 101 is a failed exchange, unless none was asked for; it is drawn all the same."""
    with UpgradeServer() as server:
        assert main(["trace", server.url, *words]) == code
    out, err = capsys.readouterr()
    assert "client" in out
    assert err == (f"labkit: {named}\n" if named else "")


def test_trace_speaks_any_protocol(capsys):
    """`--offer NAME` offers a protocol of one's own."""

    async def shout(stream):
        async for data in stream:
            await stream.send(data.upper())

    with UpgradeServer(protocols={"shout": shout}) as server:
        assert main(["trace", server.url, "--offer", "shout", "--say", "hi"]) == 0
    assert "HI" in capsys.readouterr().out


def test_trace_fails_where_nothing_listens(capsys):
    """Nothing there: exit code 1 and one line."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        assert main(["trace", f"ws://127.0.0.1:{nowhere.getsockname()[1]}/"]) == 1
    assert "nothing listens on" in capsys.readouterr().err


def test_trace_fails_where_the_answer_is_wrong(capsys):
    """A broken answer: exit code 1, the bytes that came are drawn, and what was wrong is told."""
    with scripted(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n") as port:
        assert main(["trace", f"ws://127.0.0.1:{port}/"]) == 1
    out, err = capsys.readouterr()
    assert "101 Switching Protocols" in out
    assert err == "labkit: the 101 does not name a protocol that was offered\n"


def test_trace_looks_inside_tls(certificate, capsys):  # noqa: F811
    """With `--ca` a server's own certificate is trusted; without, it is refused and named."""
    with behind_tls(certificate) as url:
        assert main(["trace", url]) == 1
        assert "certificate is not trusted" in capsys.readouterr().err
        assert main(["trace", url, "--ca", str(certificate[0])]) == 0
    assert capsys.readouterr().out.startswith("Switched to websocket (101)")


def test_trace_has_patience_as_told(capsys):
    """`--patience` is how long a silent server is waited for."""
    with scripted(b"", then="wait") as port:
        began = time.monotonic()
        assert main(["trace", f"ws://127.0.0.1:{port}/", "--patience", "0.2"]) == 1
        assert time.monotonic() - began < 4
    assert "no answer came in 0.2 s" in capsys.readouterr().err


# serve and tap


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_it_is_told_to_stop(number, tmp_path):
    """The first line comes at once; a signal ends it cleanly, with every connection saved, also one still open."""
    file = tmp_path / "hop.jsonl"
    with running("serve", "-o", str(file), "--draw") as process:
        url = listening(process)
        ask(url)
        ask(url, Offer.plain())
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as still_open:
            still_open.sendall(Offer.websocket().to_bytes())
            still_open.recv(100)
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert err.count("labkit: saved") == 3
    assert "Switched to websocket" in err
    assert "Traceback" not in err
    saved = [load(tmp_path / name) for name in ("hop.jsonl", "hop-2.jsonl", "hop-3.jsonl")]
    assert saved[0].stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 101")
    assert saved[1].stream(Direction.TO_CLIENT).startswith(b"HTTP/1.1 200")
    assert saved[2].stream(Direction.TO_CLIENT).endswith(b"the server is stopping")


def test_serve_as_it_is_told():
    """Its options are those of the server."""
    words = (
        "--require",
        "--path",
        "/chat",
        "--subprotocol",
        "a",
        "--origin",
        "https://a.example",
        "--max-size",
        "100",
        "--no-trace",
    )
    with running("serve", *words) as process:
        url = listening(process)
        reply = Direction.TO_CLIENT
        assert ask(url, Offer.plain("/chat")).stream(reply).startswith(b"HTTP/1.1 426")
        assert ask(url, Offer.plain("/")).stream(reply).startswith(b"HTTP/1.1 404")
        offer = Offer.websocket("/chat", subprotocols=("a",), deflate=True)
        assert ask(url, offer.with_field("Origin", "null")).stream(reply).startswith(b"HTTP/1.1 403")
        switched = ask(url, offer, ["x" * 101]).stream(reply)
        assert b"Sec-WebSocket-Protocol: a\r\n" in switched
        assert b"permessage-deflate" in switched
        assert (1009).to_bytes(2, "big") in switched


def test_serve_with_faults():
    """`--fault` makes the server wrong on purpose, in as many ways as are given."""
    with running("serve", "--fault", "no-upgrade", "--fault", "reason=UPGRADED") as process:
        said = ask(listening(process), Offer.websocket()).stream(Direction.TO_CLIENT)
    assert said.startswith(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n")


@pytest.mark.parametrize(("words", "answer"), [(["--h2c"], b"GET / over HTTP/2, stream 1."), ([], b"HTTP/1.1 200 OK")])
def test_serve_speaks_h2c_where_it_is_told(words, answer):
    """`--h2c` switches to HTTP/2; without it the offer is ignored (RFC 9110, 7.8)."""
    with running("serve", *words) as process:
        said = ask(listening(process), Offer.h2c(), http2_client).stream(Direction.TO_CLIENT)
    assert answer in said


def test_serve_declines_compression_where_it_is_told():
    """`--no-deflate` takes no offer of compression."""
    with running("serve", "--no-deflate") as process:
        said = ask(listening(process), Offer.websocket(deflate=True)).stream(Direction.TO_CLIENT)
    assert said.startswith(b"HTTP/1.1 101")
    assert b"deflate" not in said


def test_serve_a_chat():
    """`--chat` is a chat at every path, with a page of HTML for browsers; nothing of it is kept."""
    with running("serve", "--chat") as process:
        url, reply = listening(process), Direction.TO_CLIENT
        said = ask(url, Offer.websocket("/tea?name=Ada"), ["hello"]).stream(reply)
        page = ask(url, Offer.plain("/tea")).stream(reply)
        too_long = ask(url, Offer.websocket("/?name=Bob"), ["x" * 20_000]).stream(reply)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert b"* Ada came in\x81\nAda: hello" in said
    assert b"Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'; " in page
    assert page.endswith(b"</html>\n")
    assert (1009).to_bytes(2, "big") in too_long
    assert "each path is a room" in err
    assert "WARNING" not in err


def test_serve_a_chat_to_others(monkeypatch, capsys):
    """Beyond loopback it has to be allowed, and says what that means."""
    monkeypatch.setattr("labkit.cli.commands._listen", lambda *_: 0)
    assert main(["serve", "--chat", "--host", "0.0.0.0", "--allow-remote"]) == 0
    err = capsys.readouterr().err
    assert (
        "WARNING: whoever can reach this machine can join, read and write, under any name; nothing is encrypted" in err
    )


def test_serve_on_a_port_that_is_taken(capsys):
    """A port that another program holds: exit code 1, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", "--port", str(other.getsockname()[1])]) == 1
    assert "another program holds this port" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tap_until_it_is_told_to_stop(number, tmp_path):
    """A tap records what passes, and ends as cleanly as a server."""
    file = tmp_path / "hop.jsonl"
    with UpgradeServer() as server, running("tap", "--to", f"127.0.0.1:{server.port}", "-o", str(file)) as process:
        ask(listening(process))
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", f"labkit: saved {file}\n")
        assert load(file) == server.trace


def test_a_save_that_fails_is_told_in_the_end(tmp_path):
    """Where a connection cannot be saved the server goes on, and its exit code tells."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with running("serve", "-o", str(folder / "a.jsonl")) as process:
        url = listening(process)
        folder.rmdir()
        ask(url)
        ask(url)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "cannot be written" in err
    assert "Traceback" not in err


# files


def test_dissect_explains_every_byte(saved, capsys):
    """`dissect` explains a file, as text or as data, and nothing else goes to standard output."""
    assert main(["dissect", str(saved)]) == 0
    out, err = capsys.readouterr()
    assert "Sec-WebSocket-Key" in out
    assert err == ""
    assert main(["dissect", str(saved), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["labkit"], found["schema"], found["outcome"]) == ("dissection", 1, "switched")


@pytest.mark.parametrize("command", [["dissect"], ["dissect", "--json"], ["draw"], ["inspect"]])
def test_secrets_stay_secret(command, tmp_path, capsys):
    """Cookies and tokens are starred out, unless they are asked for."""
    offer = Offer.websocket("/?token=t0k").with_field("Authorization", "s3cret")
    trace = simulate(Scenario(offer.with_field("Cookie", "k=v4lue")))
    file = trace.save(tmp_path / "a.jsonl", keep_secrets=True)
    assert main([command[0], str(file), *command[1:]]) == 0
    hidden = capsys.readouterr().out
    assert main([command[0], str(file), *command[1:], "--keep-secrets"]) == 0
    shown = capsys.readouterr().out
    assert [word in hidden for word in ("t0k", "s3cret", "v4lue")] == [False] * 3
    assert "t0k" in shown


@pytest.mark.parametrize(
    ("kind", "begins"), [("text", "Switched"), ("svg", "<svg"), ("mermaid", "sequenceDiagram"), ("html", "<")]
)
def test_draw_draws(kind, begins, saved, tmp_path, capsys):
    """Each format goes to standard output, or into a file, the same."""
    assert main(["draw", str(saved), "--format", kind]) == 0
    out = capsys.readouterr().out
    assert begins in out[:200]
    file = tmp_path / "picture"
    assert main(["draw", str(saved), "--format", kind, "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == out
    assert capsys.readouterr().out == ""


BROKEN = b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: quote\r\n\r\n"  # no connection option (RFC 9110, 7.8)


@pytest.fixture
def broken(tmp_path):
    """Save a trace that breaks a rule which the switch hangs on."""
    return Trace((Transfer(0, Direction.TO_SERVER, BROKEN),)).save(tmp_path / "broken.jsonl")


def test_check_tells_what_is_broken(saved, broken, capsys):
    """`check` prints the verdict, and ends with 1 where a MUST that the switch hangs on is broken."""
    assert main(["check", str(saved)]) == 0
    assert capsys.readouterr().out.startswith("Switched to websocket (101). Nothing broken; ")
    assert main(["check", str(broken)]) == 1
    out, err = capsys.readouterr()
    assert "✗ MUST G02" in out
    assert err == ""


def test_check_gives_data(saved, broken, capsys):
    """`check --json` gives findings and notes, each told apart, and the same exit code."""
    assert main(["check", "--json", str(broken)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["labkit"], found["schema"]) == ("findings", 1)
    first = next(each for each in found["findings"] if each["rule"] == "G02")
    assert (first["party"], first["direction"], first["switch"], first["note"]) == ("client", "to server", True, False)
    assert BROKEN[first["start"] : first["end"]] == b"Upgrade: quote\r\n"
    assert main(["check", "--json", str(saved)]) == 0
    assert all(each["note"] for each in json.loads(capsys.readouterr().out)["findings"])


@pytest.mark.parametrize(
    ("level", "switch", "codes"),
    [("MUST", True, (1, 1)), ("MUST NOT", False, (0, 1)), ("SHOULD", True, (0, 0)), ("SHOULD NOT", False, (0, 0))],
)
def test_check_is_strict_where_it_is_told(level, switch, codes, saved, monkeypatch, capsys):
    """With `--strict` any MUST fails, without it only one that the switch hangs on; a SHOULD never does."""
    from labkit.render import verdict

    rule = Rule("W99", Who.CLIENT, "RFC 6455, 4.1", Level(level), "Says.", "mend", switch, lambda _: ())
    finding = Finding(rule, "client", 0, Direction.TO_SERVER, 0, 5, "seen")
    monkeypatch.setattr(verdict, "look", lambda _: Findings((finding,)))
    assert (main(["check", str(saved)]), main(["check", "--strict", str(saved)])) == codes
    assert f"{level} W99" in capsys.readouterr().out


def test_rules_tells_the_rules(capsys):
    """`rules` tells all of them with their count, `rules ID` one in full; an unknown one is wrong use."""
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{len(RULES)} rules: ")
    assert main(["rules", "g02"]) == 0
    assert capsys.readouterr().out.startswith("G02\n")
    assert main(["rules", "Q1"]) == 2
    assert "there is no rule 'Q1'" in capsys.readouterr().err


FILES = {
    "missing": None,
    "empty": b"",
    "text": b"hello\n",
    "other JSON": b'{"a": 1}\n',
    "bytes": bytes(range(256)),
    "a newer schema": b'{"labkit": "trace", "schema": 99, "hops": [["a", "b"]]}\n',
    "a broken line": b'{"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["a", "b"]]}\n{"t": 0,\n',
    "a wrong event": b'{"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["a", "b"]]}\n{"t": 0, "hop": 7, "to": "server", "text": ""}\n',
    "cut in the middle": b'{"labkit": "trace", "schema": 1, "title": "", "note": "", "hops": [["a", "b"]]}\n{"t": 0.0, "hop": 0, "to": "ser',
}  # fmt: skip


@pytest.mark.parametrize("command", [["dissect"], ["dissect", "--json"], ["draw"], ["draw", "--format", "svg"], ["inspect"], ["check"], ["check", "--json"]])  # fmt: skip
@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_named(command, name, tmp_path, capsys):
    """A file that is no trace: exit code 2, and one line with the file and the line; never a traceback."""
    file = tmp_path / "wrong.jsonl"
    if FILES[name] is not None:
        file.write_bytes(FILES[name])
    assert main([command[0], str(file), *command[1:]]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"labkit: {file}")
    assert err.count("\n") == 1


def test_inspect_makes_a_page(saved, tmp_path, capsys):
    """The page goes to standard output, or into a file, the same, and says how the exchange ended."""
    assert main(["inspect", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "<title>Switched to websocket (101)</title>" in out
    file = tmp_path / "page.html"
    assert main(["inspect", str(saved), "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == out
    assert capsys.readouterr().out == ""


def test_a_folder_is_no_file(tmp_path, capsys):
    """A directory is named as one, to read from and to write to."""
    assert main(["draw", str(tmp_path)]) == 2
    assert "a directory" in capsys.readouterr().err
    file = simulate(Scenario()).save(tmp_path / "a.jsonl")
    assert main(["draw", str(file), "-o", str(tmp_path)]) == 2
    assert f"cannot write {tmp_path}" in capsys.readouterr().err


# streams


def test_a_reader_that_has_seen_enough(saved):
    """A broken pipe, `labkit … | head -1`, is no fault: no message, exit code 0."""
    with running("dissect", str(saved), "--leaves") as process:
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
        process.stdout = None


def test_a_reader_of_findings_that_has_seen_enough(tmp_path):
    """A broken pipe does not change what `labkit check` says by its exit code."""
    trace = simulate(Scenario(server=Server(faults=("no-connection",))))
    with running("check", str(trace.save(tmp_path / "broken.jsonl")), "--json") as process:
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr.read() == ""
        process.stdout = None


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        ("draw FILE >&-", 2, "labkit: standard output is closed: there is nowhere to write\n"),
        ("draw FILE >/dev/full", 1, "labkit: [Errno 28] No space left on device\n"),
        ("--help >/dev/full", 1, "labkit: [Errno 28] No space left on device\n"),
        ("draw nothing 2>&-", 2, ""),
        ("draw nothing 2>/dev/full", 2, ""),
        ("draw nothing >&- 2>&-", 2, ""),
    ],
)
def test_a_stream_that_takes_nothing(redirected, code, said, saved):
    """Where a stream is closed or full there is one line at most, on standard error alone, and no fault of the lab's."""
    line = f"{sys.executable} -m labkit {redirected.replace('FILE', str(saved))}"
    process = subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    assert (process.returncode, process.stdout, process.stderr) == (code, "", said)


def test_ctrl_c_while_it_starts_ends_quietly(monkeypatch, capsys):
    """An interrupt that comes while modules are still being loaded gives no traceback either."""

    class Interrupted:
        def find_spec(self, name, *_):
            if name == "labkit.cli.run":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "labkit.cli.run", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main(["--version"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_terminal_will_do(saved, encoding):
    """Where the locale knows no box-drawing characters the output is UTF-8, and never a traceback."""
    with running("draw", str(saved), env={**os.environ, "PYTHONIOENCODING": encoding}, encoding="utf-8") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "──►│" in out


# the corpus


def test_corpus(capsys):
    """`labkit corpus` prints a line for each case, with its outcome, verdict and clause, and the count."""
    with UpgradeServer(paths=("/chat",)) as server:
        assert main(["corpus", f"127.0.0.1:{server.port}", "--path", "/chat"]) == 0
        out = capsys.readouterr().out.splitlines()
        assert main(["corpus", f"127.0.0.1:{server.port}", "--path", "/chat", "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
    assert re.fullmatch(r"✓ plain-offer +101 +within +RFC 9110, 7\.8", out[0])
    assert len(out) == len(data["cases"]) + 2
    assert out[-1].endswith(" 0 against a SHOULD, 0 outside")
    assert (data["labkit"], data["version"]) == ("handshake corpus", 1)


def test_corpus_outside(capsys):
    """A server outside the RFCs makes the exit code 1, and the line says what was allowed and why."""
    with UpgradeServer(faults=("accept-wrong",)) as server:
        assert main(["corpus", server.url]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"✗ plain-offer +101 +outside +RFC 9110, 7\.8", lines[0])
    assert "without the GUID (W31: RFC 6455, 4.2.2 (5))" in lines[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["192.0.2.1:80"], 2, "loopback alone"),
        (["nowhere"], 2, "no address"),
        (["127.0.0.1:1", "--path", "/{path}"], 2, "no path"),
        (["127.0.0.1:1", "--path", "/" + "a" * 20_000], 2, "at most 1,000 characters"),
    ],
)
def test_corpus_refuses(words, code, said, capsys):
    """Another machine, no address and no path are wrong use, said in one short line."""
    assert main(["corpus", *words]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert len(err) < 240


def test_corpus_without_a_server(capsys):
    """A server that is not there leaves a report that says so, as text and as data; the exit code is 1."""
    assert main(["corpus", "127.0.0.1:1"]) == 1
    text = capsys.readouterr().out
    assert main(["corpus", "127.0.0.1:1", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["whole"], data["cases"]) == (False, [])
    for said in (" ".join(text.split("\n")), data["note"]):
        assert "127.0.0.1:1 takes no connection" in said


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["text", "json"])
def test_corpus_interrupted(option):
    """Ctrl-C ends a run with what it has; the exit code is 130."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(20)
        where = f"127.0.0.1:{door.getsockname()[1]}"
        heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # `make test &` would not hear it
        with running("corpus", where, "--patience", "30", *option, **heard) as process:
            for _ in range(3):
                connection, _ = door.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            with door.accept()[0] as silent:
                silent.recv(65536)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")
    assert re.search(r"Broken off after 3 of \d+ cases: interrupted", " ".join(out.split()))
    if option:
        assert [case["outcome"] for case in json.loads(out)["cases"]] == ["404"] * 3
    else:
        assert out.startswith("✓ plain-offer")


def test_both_commands_are_one():
    """`labkit` and `python -m labkit` are the same."""
    from importlib.metadata import entry_points

    [command] = entry_points(group="console_scripts", name="labkit")
    assert command.load() is main


def test_why_names_the_flag_that_allows_another_host(capsys):
    """A URL beyond loopback is refused, and the refusal is of the terminal: it names the option."""
    assert main(["why", "ws://server.example.com/"]) == 2
    assert "unless you say --allow-remote" in capsys.readouterr().err
