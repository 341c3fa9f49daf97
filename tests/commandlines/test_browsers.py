"""What browsers give as "Copy as cURL" is read as it was meant, in bash's and in cmd's form."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.commandlines.curl_line import read_curl
from labkit.commandlines.words import quoted, words

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
WEBSOCKET = ("Upgrade: websocket", "Connection: Upgrade", KEY, "Sec-WebSocket-Version: 13")

# What browsers' "Copy as cURL" gives for the same kinds of request; hosts and secrets are examples.
COPIED = {
    "Chrome, bash, wss": (
        (
            "curl 'wss://example.com/chat?room=1&x=%5B2%5D' \\\n"
            "  -H 'Upgrade: websocket' \\\n"
            "  -H 'Origin: https://example.com' \\\n"
            "  -H 'Connection: Upgrade' \\\n"
            f"  -H '{KEY}' \\\n"
            "  -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/135.0.0.0 Safari/537.36' \\\n"
            "  -H 'Sec-WebSocket-Version: 13' \\\n"
            "  -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'"
        ),
        "wss://example.com/chat?room=1&x=%5B2%5D",
        WEBSOCKET,
    ),
    "Chrome, bash, ws, HTTP/1.1": (
        (
            "curl --http1.1 'ws://example.com/' \\\n  -H 'Upgrade: websocket' \\\n  -H 'Connection: Upgrade' \\\n"
            f"  -b 'sid=1; \"q\"=a b' \\\n  -H '{KEY}' \\\n  -H 'Sec-WebSocket-Version: 13' \\\n  --insecure"
        ),
        "ws://example.com/",
        WEBSOCKET,
    ),
    "Edge, cmd, ws": (
        (
            'curl --http1.1 ^"ws://example.com/a?b=1^&c=^%^20d^" ^\n  -H ^"Upgrade: websocket^" ^\n'
            '  -H ^"sec-ch-ua: ^\\^"Not:A-Brand^\\^";v=^\\^"99^\\^", ^\\^"Microsoft Edge^\\^";v=^\\^"145^\\^"^" ^\n'
            f'  -H ^"Connection: Upgrade^" ^\n  -b ^"sid=5521^" ^\n  -H ^"{KEY}^" ^\n  -H ^"Sec-WebSocket-Version: 13^"'
        ),
        "ws://example.com/a?b=1&c=%20d",
        (*WEBSOCKET, 'sec-ch-ua: "Not:A-Brand";v="99", "Microsoft Edge";v="145"'),
    ),
    "Chrome, cmd, 2022": (
        (
            'curl "https://example.com/flash.js?t=1647851271213" ^\n  -H "authority: example.com" ^\n'
            '  -H "sec-ch-ua: ^\\^" Not A;Brand^\\^";v=^\\^"99^\\^", ^\\^"Chromium^\\^";v=^\\^"99^\\^"" ^\n'
            '  -H "cookie: kind_g=^%^5B^%^223^%^22^%^5D; trend=1" ^\n  --compressed'
        ),
        "https://example.com/flash.js?t=1647851271213",
        (
            'sec-ch-ua: " Not A;Brand";v="99", "Chromium";v="99"',
            "cookie: kind_g=%5B%223%22%5D; trend=1",
        ),
    ),
    "Chrome, cmd, 2016": (
        'curl "https://example.com/?q="%"5B1"%"5D" -H "Accept-Encoding: gzip" -H "If-None-Match: ""abc""" --compressed',
        "https://example.com/?q=%5B1%5D",
        ("Accept-Encoding: gzip", 'If-None-Match: "abc"'),
    ),
    "Firefox, bash": (
        (
            "curl 'wss://example.com/socket?esh=1&ssp=1' -H 'Accept-Encoding: gzip, deflate, br, zstd' "
            "-H 'Upgrade: websocket' -H 'Connection: Upgrade' "
            f"-H '{KEY}' -H 'Sec-WebSocket-Version: 13' -H $'X: caf\\xc3\\xa9\\041 \\ud83d\\ude00' --compressed"
        ),
        "wss://example.com/socket?esh=1&ssp=1",
        (*WEBSOCKET, "X: café! 😀"),
    ),
    "Firefox, cmd": (
        (
            'curl.exe ^"https://example.com/?a=1^&b=2^" ^\n  --compressed ^\n  -X POST ^\n'
            '  -H ^"Content-Type: application/json^" ^\n  --data-raw ^"^{^\\^"a^\\^":^\\^"b^\n\nc^\\^"^}^"'
        ),
        "https://example.com/?a=1&b=2",
        ("Content-Type: application/json",),
    ),
    "Chrome, bash, a body": (
        (
            "curl 'https://example.com/p\\[1\\]' \\\n  -H 'accept: */*' \\\n"
            '  --data-raw $\'{"q":"it\\\'s \\u0021\\\\n 你好"}\' \\\n  --compressed'
        ),
        "https://example.com/p[1]",
        ("accept: */*",),
    ),
}


@pytest.mark.parametrize("name", COPIED)
def test_copy_as_curl(name):
    """What each browser gives as bash's or cmd's line is read as it was meant."""
    text, url, fields = COPIED[name]
    line = read_curl(text)
    assert line.url == url
    assert set(fields) <= {value for option, value in line.options if option == "header"}
    assert read_curl(quoted(["curl", *line.arguments()])).arguments() == line.arguments()


def test_bodies_and_cookies():
    """Bodies, cookies and flags of those lines."""
    assert read_curl(COPIED["Firefox, cmd"][0]).value("data-raw") == '{"a":"b\nc"}'
    assert read_curl(COPIED["Chrome, bash, a body"][0]).value("data-raw") == '{"q":"it\'s !\\n 你好"}'
    assert read_curl(COPIED["Edge, cmd, ws"][0]).value("cookie") == "sid=5521"
    assert ("insecure", None) in read_curl(COPIED["Chrome, bash, ws, HTTP/1.1"][0]).options
    assert ("compressed", None) in read_curl(COPIED["Firefox, bash"][0]).options


# How browsers write a text, told from their sources: a table of what is done to it, in order.
CHROME_BASH = [(r"\\", r"\\\\"), ("'", r"\\'"), ("\n", r"\\n"), ("\r", r"\\r")]
FIREFOX_BASH = [*CHROME_BASH, ("!", r"\\041")]
CHROME_CMD_2018 = [
    ('"', r'\\"'),
    (r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", r"^\g<0>"),
    (r"%(?=\w)", "%^"),
    (r"\r\n|[\n\r]", "^\n\n"),
]
CHROME_CMD_NOW = [
    ('"', r'\\"'),
    (r"[^a-zA-Z0-9\s_\-:=+~'/.',?;*]", r"^\g<0>"),
    (r"%(?=\w)", "%^"),
    (r"\r?\n|\r", "^\n\n"),
]
CHROME_CMD_2016 = [('"', '""'), ("%", '"%"')]
ALPHABET = " abC019%\"'!&|<>^{}[](),;:/?=+-_~*`é😀\n"


def written(rules: list[tuple[str, str]], text: str) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    ("rules", "around"),
    [
        (CHROME_BASH, "$'{}'"),
        (FIREFOX_BASH, "$'{}'"),
        (CHROME_CMD_2018, '"{}"'),
        (CHROME_CMD_NOW, '^"{}^"'),
        (CHROME_CMD_2016, '"{}"'),
    ],
    ids=["Chrome and Edge, bash", "Firefox, bash", "Chrome, cmd, 2018", "Chrome and Edge, cmd", "Chrome, cmd, 2016"],
)
@given(data=st.data())
def test_what_browsers_write_is_read(rules, around, data):
    """The text that a browser wrote comes back, in each form that its sources have had."""
    old = rules is CHROME_CMD_2016
    # It put no caret before a caret, and wrote an end of line as cmd cannot read it.
    text = data.draw(st.text(ALPHABET.replace("\n", "").replace("^", "") if old else ALPHABET))
    again = " \\\n  " if "$" in around else " ^\n  "
    line = f"curl {around.format('x')}{again}{around.format(written(rules, text))}{again}--compressed"
    assert words(line) == ["curl", "x", text, "--compressed"]
