"""Any value comes out of a printed program as it went in, whatever it would mean in that language."""

from __future__ import annotations

import ast
import json
import subprocess

from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.net.process import clean_environment
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import literals, snippet
from labkit.snippets.curl import arguments
from labkit.snippets.wanted import KEY
from labkit.wire.fields import Fields
from tests.snippets.running import need

NASTY = ["'", '"', "\\", "$x", "${x}", "{$x}", "`id`", "$(id)", "!!", "%s", "%%", "?>", "</script>", "<!--", "\x00", "\n",
         "\\'", "\\\\'", "'''", "\xe9", "\x1b", "#{x}", "{0}", "{key}", "0", "x41", "//", "*/"]  # fmt: skip
LATIN = st.text(st.characters(max_codepoint=255), max_size=12)
VALUES = st.lists(st.one_of(st.sampled_from(NASTY), LATIN), min_size=1, max_size=20).map("".join)
VALID = VALUES.map(lambda text: "".join(char for char in text if char not in "\r\n\0"))
PROGRAMS = settings(max_examples=15)
BOTH = "".join(NASTY)


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, timeout=30, env=clean_environment(), check=True)
    return done.stdout


@given(st.lists(VALUES))
@example([BOTH])
def test_python(values):
    """A text, and its bytes, is the same when Python reads it again; a list of them too."""
    for value in (values, [each.encode("latin-1") for each in values], tuple(values)):
        written = literals.python(value)
        assert ast.literal_eval(written) == value
        assert written.isascii()


@PROGRAMS
@given(st.lists(VALUES, min_size=1))
@example([BOTH, *NASTY])
def test_php(values):
    """Bytes are the same when PHP prints them."""
    need("php")
    data = [each.encode("latin-1") for each in values]
    code = "".join(f"echo bin2hex({literals.php(each)}), ' ';" for each in data)
    assert [
        bytes.fromhex(each.decode()) for each in run(["php"], f"<?php {code}".encode("ascii")).split(b" ")[:-1]
    ] == data


@PROGRAMS
@given(st.lists(st.one_of(VALUES, st.text(max_size=10)), min_size=1))
@example([BOTH, "\u2028\u2029\U0001f600", *NASTY])
def test_javascript(values):
    """A text is the same when JavaScript prints it, and no text ends the page's script."""
    need("node")
    written = f"[{', '.join(map(literals.javascript, values))}]"
    assert written.isascii()
    assert "<" not in written
    assert json.loads(run(["node", "-"], f"console.log(JSON.stringify({written}))".encode())) == values


@PROGRAMS
@given(st.lists(VALID, min_size=1, max_size=5), VALID)
@example([BOTH.replace("\0", "").replace("\n", "")], "@x")
def test_the_words_of_a_command_line(values, content):
    """Bash splits the printed line into the very arguments that a program would be started with."""
    fields = Fields.of([("Host", "a"), *(("X", f"v{value}") for value in values)])
    offer = Offer(fields, method="PUT", content=content.encode("latin-1"))
    text = snippet(offer, "curl").text
    assert text.isascii()
    assert "\n\n" not in text
    printed = run(["bash", "-c", "curl() { printf '%s\\0' \"$@\"; }\n" + text])
    assert [word.decode("ascii", "surrogateescape") for word in printed.split(b"\0")[:-1]] == arguments(offer)


@given(st.lists(st.tuples(LATIN, VALUES), max_size=4), VALUES, VALUES, st.binary(max_size=20))
@example([(BOTH, BOTH)], BOTH, BOTH, BOTH.encode("latin-1"))
def test_the_bytes_of_a_raw_socket(lines, method, target, content):
    """The request that the program builds is the offer, whatever stands in it; the key is drawn."""
    offer = Offer(Fields.of([(KEY, "dGhlIHNhbXBsZSBub25jZQ=="), *lines]), method=method, target=target, content=content)
    for each in (offer, Offer.of_bytes(offer.to_bytes()), Offer.of_bytes(content)):
        text = snippet(each, "socket", "http://127.0.0.1:8101/").text
        assert text.isascii()
        names = {}
        start = text.index("request = (")
        exec(text[start : text.index("\n)\n", start) + 3], {"key": b"dGhlIHNhbXBsZSBub25jZQ=="}, names)
        assert names["request"] == each.to_bytes()
        compile(text, "snippet", "exec")


@given(VALUES, st.lists(st.one_of(st.text(max_size=9), st.binary(max_size=9)), max_size=3))
@example(BOTH, [BOTH, BOTH.encode()])
def test_the_other_programs_can_be_read(value, say):
    """What is printed in Python is Python, whatever the values and the messages are."""
    offer = Offer.websocket().with_field(
        "X", "".join(char for char in value if char == "\t" or " " <= char <= "~" or char > "\x7f")
    )
    compile(snippet(Scenario(offer, say), "websockets").text, "snippet", "exec")
    compile(snippet(Scenario(Offer.custom("x"), say), "socket").text, "snippet", "exec")
