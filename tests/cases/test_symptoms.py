from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.cases.catalogue import failures, shared
from labkit.cases.symptoms import notes, plain, recognise

OWN = [(each.name, symptom) for each in failures() for symptom in each.symptoms]
CHROME = (
    "WebSocket connection to 'wss://app.example.com:8443/socket.io/?EIO=4' failed: Error during WebSocket handshake: "
)


def names(text: str) -> list[str]:
    return [each.name for each in recognise(text)]


@pytest.mark.parametrize(("name", "symptom"), OWN, ids=lambda each: each if isinstance(each, str) else "")
def test_every_symptom_is_recognised(name, symptom):
    """The message that a failure shows is recognised as that failure's, whatever its case, quotes and surroundings."""
    for text in (symptom.text, symptom.text.upper(), symptom.text.replace("'", "’").replace('"', '\\"')):
        assert names(text)[0] == name
    assert names(f"some line before\n{symptom.text}\nsome line behind")[0] == name


@pytest.mark.parametrize("message", shared(), ids=lambda message: message.symptom.text)
def test_every_shared_message_is_recognised(message):
    """A message that several failures share brings all of them, the likeliest first."""
    found = names(message.symptom.text)
    assert set(message.failures) <= set(found)
    assert found[0] == message.failures[0] or message.symptom.text.endswith("101")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("1006", "idle-timeout"),
        ("it dies every minute", "idle-timeout"),
        ("Code: 1006, reason: ''", "idle-timeout"),
        ("closed after 60s", "idle-timeout"),
        (f"{CHROME}Unexpected response code: 400", "proxy-drops-upgrade"),
        (f"{CHROME}Unexpected response code: 404", "http-only-server"),
        (f"{CHROME}Unexpected response code: 403", "origin-refused"),
        (f"{CHROME}Unexpected response code: 301", "redirected-handshake"),
        (f"{CHROME}Unexpected response code: 502", "backend-down"),
        (f"{CHROME}Unexpected response code: 426", "proxy-drops-upgrade"),
        ("Error: Unexpected server response: 101", "answer-loses-upgrade"),
        ("websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403", "origin-refused"),
        ("WebSocketBadStatusException: Handshake status 404 Not Found", "http-only-server"),
        ("curl: (52) Empty reply from server", "garbage-answer"),
        ("curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received", "h2c-offered"),
        ("exit code 28", "h2c-offered"),
        ("no response", "h2c-offered"),
        ("HTTP/1.1 505 HTTP Version Not Supported", "http-1-0-backend"),
        ("404", "http-only-server"),
        ("ah01144", "apache-no-scheme-handler"),
        ("AH00898: Unexpected Upgrade: n/a (expecting websocket) returned by /chat", "answer-loses-upgrade"),
        (
            '2026/01/28 01:58:17 [error] 2951#2951: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.7, server: , request: "GET /ws HTTP/1.1", upstream: "http://127.0.0.1:9/ws"',
            "backend-down",
        ),
        (
            '2026/01/28 02:00:00 [error] 7#7: *3 upstream timed out (110: Connection timed out) while proxying upgraded connection, client: 10.0.0.7, server: , request: "GET / HTTP/1.1"',
            "idle-timeout",
        ),
        ("[Sat Jan 28] [proxy:warn] [pid 1:tid 2] AH01144: No protocol handler was valid for the URL /ws (scheme 'ws').",
         "apache-no-scheme-handler"),
        ("read tcp 10.0.0.7: websocket: close 1006 (abnormal closure): unexpected EOF", "tunnel-restarts"),
        ("Firefox can’t establish a connection to the server at wss://a.example/ws.", "proxy-drops-upgrade"),
    ],
)  # fmt: skip
def test_what_people_paste(text, first):
    """Log lines, messages of consoles and short words bring the likeliest failure first."""
    assert names(text)[0] == first


@pytest.mark.parametrize(
    "text",
    ["", " \n", "all is well", "hello world", "my table is 200 cm long", "0", "port 1006x", "GET / HTTP/1.1", "2026"],
)
def test_an_unknown_text_brings_nothing(text):
    """A text that speaks of no failure brings none, and neither does what is no text."""
    assert recognise(text) == ()
    assert recognise(None) == recognise(b"1006") == ()


def test_a_vague_message_gives_way():
    """What the browser says of every failure counts only where it says no more."""
    assert "wrong-port-in-url" in names("WebSocket connection to 'ws://localhost/' failed: ")
    assert "wrong-port-in-url" not in names(f"{CHROME}Unexpected response code: 400")


def test_several_messages_count_together():
    """Of two failures that one message brings, the one that another message brings as well comes first."""
    assert names("Unexpected response code: 400\nUnexpected response code: 426")[0] == "proxy-drops-upgrade"


def test_notes():
    """Some messages need a word of explanation, which comes with them; most need none."""
    assert "it worked" in notes("curl: (28) Operation timed out")[0]
    assert notes("AH01144") == ()


def test_a_long_log_is_read_in_a_short_time():
    """However long the text and its lines, it takes the processor less than a second: its beginning and its end."""
    for text in ("a" * 1_000_000, "upgrade websocket h2 " * 50_000, "(reload memory \n" * 50_000, "'\\" * 500_000):
        began = time.process_time()
        recognise(text)
        assert time.process_time() - began < 1
    assert len("".join(plain("ab\n" * 1_000_000))) < 1 << 15
    assert names("AH01144\n" + "ok\n" * 100_000) == names("ok\n" * 100_000 + "AH01144") == names("AH01144")


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    """Whatever is pasted, the answer is a row of failures, each once, and the same each time."""
    found = recognise(text)
    assert len(set(found)) == len(found)
    assert found == recognise(text)
