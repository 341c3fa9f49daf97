"""Words are what bash or cmd would make of a line; what needs a shell is refused, by name and place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.commandlines.words import LONGEST, quoted, words
from labkit.errors import LabError, Refused, WrongUse

BASH = shutil.which("bash")


def need_bash() -> str:
    """Skip where there is no bash; on CI it has to be there."""
    if BASH is None and os.environ.get("CI"):
        pytest.fail("CI has to have bash")
    if BASH is None:
        pytest.skip("needs bash")
    return BASH


def from_bash(line: str) -> list[str]:
    """Return what bash itself hands to a program."""
    script = f"printf '%s\\0' {line}"
    environment = {"LC_ALL": "C.UTF-8", "PATH": "/nowhere", "HOME": "/nowhere"}
    command = [need_bash(), "--norc", "--noprofile", "-fc", script]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=20, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("   \n\n", []),
        ("curl", ["curl"]),
        ("$ curl -i x", ["curl", "-i", "x"]),
        ("> curl x", ["curl", "x"]),
        ("!curl x", ["curl", "x"]),
        ("me@host:~/a$ curl x", ["curl", "x"]),
        ("C:\\Users\\me>curl x", ["curl", "x"]),
        ("# what it asks\n\n  # and more\ncurl x\n", ["curl", "x"]),
        ("curl x # and why", ["curl", "x"]),
        ("curl -# x", ["curl", "-#", "x"]),
        ("curl x#y", ["curl", "x#y"]),
        ("curl \\\n  -i \\\r\n x", ["curl", "-i", "x"]),
        ("curl x \\", ["curl", "x"]),
        ("curl -H 'A: b' -H \"C: d\"", ["curl", "-H", "A: b", "-H", "C: d"]),
        ("curl '' \"\" $''", ["curl", "", "", ""]),
        ("'a'\\''b'", ["a'b"]),
        ('"a\\"b\\\\c\\$d\\`e\\f"', ['a"b\\c$d`e\\f']),
        ('"a\\\nb"', ["ab"]),
        ("$'a\\n\\r\\t\\\\\\'\\\"\\x21\\u0021\\041\\e'", ["a\n\r\t\\'\"!!!\x1b"]),
        ("$'\\xc3\\xa9 \\u00e9 \\U0001f600'", ["é é 😀"]),
        ("$'\\xe9'", ["\udce9"]),
        ("$'\\ud83d\\ude00'", ["😀"]),
        ("$'\\q\\x'", ["\\q\\x"]),
        ('$"a"', ["a"]),
        ("a$ b$", ["a$", "b$"]),
        ("http://x/?a=1*[b]", ["http://x/?a=1*[b]"]),
        ("é ünï", ["é", "ünï"]),
        ("a\\ b {} {a}", ["a b", "{}", "{a}"]),
    ],
)
def test_of_bash(line, expected):
    """Quotes, escapes, comments and prompts of a bash line (bash manual, 3.1.2, 3.1.3)."""
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('curl ^"http://a/?x=1^&y=2^"', ["curl", "http://a/?x=1&y=2"]),
        ('curl "http://a/" ^\n  -H "A: b" ^\r\n  -H "C: ""d"""', ["curl", "http://a/", "-H", "A: b", "-H", 'C: "d"']),
        ('curl "http://a/"%"20"%"" --compressed', ["curl", "http://a/%20%", "--compressed"]),
        ('curl ^"a^\\^"b^"', ["curl", 'a"b']),
        ('curl "a^\\^"b^%^41" ^\n -i', ["curl", 'a"b%41', "-i"]),
        ('curl -d ^"a^\n\nb^"', ["curl", "-d", "a\nb"]),
        ('curl ^"a\\\\^"', ["curl", "a\\"]),
        ('curl ^"a\\b\\\\c^"', ["curl", "a\\b\\\\c"]),
        ('curl ^"^%^PATH^%^" ^"%^"', ["curl", "%PATH%", "%"]),
        ('curl ^"a^^b^" "c^d" "e^" ^\n x', ["curl", "a^b", "c^d", "e^", "x"]),
        ('curl ^"it\'s^"', ["curl", "it's"]),
        ("curl x ^\n  -i ^", ["curl", "x", "-i"]),
        ('curl "http://a/%E4%BD%A0%BC%20b" ^\n -i', ["curl", "http://a/%E4%BD%A0%BC%20b", "-i"]),
        ('curl ^"http://a/^" ^\n  ^"^"', ["curl", "http://a/", ""]),
    ],
)
def test_of_cmd(line, expected):
    """Carets, doubled quotes and backslashes, as cmd and then the program read them."""
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "place", "named"),
    [
        ("curl x | sh", "column 8", "| is a pipe"),
        ("curl x; id", "column 7", "; is a command's end"),
        ("curl x && id", "column 8", "& is a command's end"),
        ("curl http://x/?a=1&b=2", "column 19", "put the URL in '…'"),
        ("curl x > f", "column 8", "> is a redirection"),
        ("$ curl \\\n> -i", "line 2, column 1", "> at the start of a line is the terminal's prompt"),
        ("curl x 2>&1", "column 9", "> is a redirection"),
        ("curl x < f", "column 8", "< is a redirection"),
        ("curl <(id)", "column 6", "a process substitution, <(…)"),
        ("curl >(id)", "column 6", "a process substitution, >(…)"),
        ("(curl x)", "column 1", "( is a subshell"),
        ("curl $(id)", "column 6", "a command substitution, $(…)"),
        ('curl "$(id)"', "column 7", "a command substitution, $(…)"),
        ("curl $((1+1))", "column 6", "a command substitution, $(…)"),
        ("curl `id`", "column 6", "a command substitution, `…`"),
        ('curl "`id`"', "column 7", "a command substitution, `…`"),
        ("curl $HOME", "column 6", "a variable ($HOME)"),
        ('curl "a${HOME}"', "column 8", "a variable, ${…}"),
        ("curl $1", "column 6", "a variable ($1)"),
        ("curl {a,b}", "column 6", "{a,b} stands for several words"),
        ("curl {1..9}", "column 6", "{1..9} stands for several words"),
        ("curl ~/x", "column 6", "a home folder"),
        ("curl x\nid", "line 2, column 1", "a second command begins"),
        ("# a\ncurl x \\ \n -i", "line 2, column 8", "take the blank away"),
        ("curl x `\n -i", "line 1, column 8", "PowerShell's; in the browser, choose Copy as cURL (bash)"),
        ("curl $'\\cA'", "column 8", "write it as \\xHH"),
        ("curl “x”", "column 6", "'“' (U+201C) comes from a document or a chat; type \""),
        ("curl ‘x’", "column 6", "type '"),
        ("curl –i x", "column 6", "type -, or --"),
        ("curl\u00a0x", "column 5", "U+00A0 comes from a document or a chat; type a plain space"),
        ("\u200bcurl x", "column 1", "take it away"),
        ('curl ^"x^" | sh', "column 12", "| is a pipe"),
        ('curl ^"x^" & id', "column 12", "& is a command's end"),
        ('curl ^"x^" > f', "column 12", "> is a redirection"),
        ('curl ^"x^" -H %PATH%', "column 15", "a variable (%PATH%)"),
        ('curl ^"x^" -H "%PATH:a=b%"', "column 16", "a variable (%PATH:a=b%)"),
        ('curl ^"x^"\nid', "line 2, column 1", "a second command begins"),
        ('curl ^"x^" ^ \n -i', "line 1, column 12", "take the blank away"),
        ('curl ^"x^" –i', "column 12", "type -, or --"),
    ],
)
def test_what_only_a_shell_can_do(line, place, named):
    """Everything a shell would act on is refused, with its place and what to do."""
    with pytest.raises(Refused) as refused:
        words(line)
    assert str(refused.value).startswith(f"{place}: ")
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("curl 'x", "column 6: ' opens a quote that has no end; close it with '"),
        ('curl "x', 'column 6: " opens a quote that has no end; close it with "'),
        ("curl\n", None),
        ("curl $'x\\", "column 6: $' opens a quote that has no end; close it with '"),
        ('curl ^"x', 'column 7: " opens a quote that has no end; close it'),
        ("curl $'\\0'", "column 8: \\0 is a NUL, which no argument can hold; take it out"),
        ("curl $'\\ud83d'", "column 8: \\ud83d is no character; take it out, or write its other half too"),
        ("curl \0", "offset 5: a NUL, which no argument can hold; take it out"),
        ("curl \ud800", "offset 5: half a character, which no argument can hold; take it out"),
        (b"curl", "a command line is text, not bytes"),
        (None, "a command line is text, not NoneType"),
    ],
)
def test_what_cannot_be_read(line, said):
    """A line that is broken is told from one that asks for too much."""
    if said is None:
        assert words(line) == ["curl"]
        return
    with pytest.raises(WrongUse, match=f"^{re.escape(said)}$"):
        words(line)


def test_quotes_hold_what_a_shell_would_act_on():
    """Between single quotes everything is text, and between double quotes most."""
    held = '| & ; < > ( ) {a,b} ~ # “x” – \u00a0 ! * \n " ^ .'
    assert words(f"curl '{held} $HOME `id`'") == ["curl", f"{held} $HOME `id`"]
    assert words(f"curl \"{held.replace(chr(34), '')}\" 'x'") == ["curl", held.replace('"', ""), "x"]


@pytest.mark.parametrize("line", ["curl " + "x" * LONGEST, "curl '" + "é" * (LONGEST // 2) + "'"])
def test_a_line_has_a_limit(line):
    """At most 64 KiB are read."""
    with pytest.raises(Refused, match=r"the command line has \d+ bytes; at most 65536 are read"):
        words(line)


def refusal(line: str) -> str:
    """Return why a line is not read; nothing where it is."""
    try:
        words(line)
    except LabError as error:
        return str(error)
    return ""


HOSTILE = [
    "{",
    "{,",
    "{a,",
    "`",
    "$'\\",
    '"',
    "^",
    "^ ",
    '^"',
    "\\",
    "\\ ",
    "# \n",
    "%a:",
    "%",
    "^\n",
    "; ",
    "'",
    "\r",
    "#",
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("start", ["", "curl x ", 'curl ^"x^" ', "curl '' {"])
def test_no_line_takes_long(piece, start):
    """A line made to be slow is read, or refused, in time that grows with its length alone."""
    line = start + piece * ((LONGEST - len(start)) // len(piece))
    assert len(refusal(line)) < 400


# A line of bash from pieces that mean something there, and nothing that a shell would act on.
_PLAIN = st.text(st.characters(categories=["L", "N"], exclude_characters="#"), max_size=4)
_SINGLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="'\0"), max_size=8).map("'{}'".format)
_DOUBLE = st.lists(
    st.sampled_from(["a", " ", "'", "#", "\\a", '\\"', "\\$", "\\`", "\\\\", "\\\n", "\n", "|", "é", "~", "{a,b}"])
)
_ANSI = st.lists(
    st.sampled_from(["a", " ", '"', "\\'", "\\\\", "\\n", "\\r", "\\x41", "\\xc3\\xa9", "\\xff", "\\u00e9", "\\u21", "\\101", "\\7", "\\q", "\\x", "\\E", "\\U0001f600", "$", "`"])
)  # fmt: skip


BASH_WORD = st.lists(
    st.one_of(
        _PLAIN,
        _SINGLE,
        _DOUBLE.map(lambda pieces: '"' + "".join(pieces) + '"'),
        _ANSI.map(lambda pieces: "$'" + "".join(pieces) + "'"),
        st.sampled_from(
            [
                "\\ ",
                "\\'",
                '\\"',
                "\\\\",
                "\\\n",
                "\\|",
                "\\$",
                "%20",
                "a=b",
                "?",
                "*",
                "[x]",
                ":",
                "^",
                "!",
                "a~",
                "a#",
            ]
        ),
    ),
    min_size=1,
    max_size=5,
).map("".join)


@settings(max_examples=60)
@given(st.lists(BASH_WORD, max_size=8))
def test_bash_agrees(given_words):
    """Bash itself makes the same words of a line of its quotes and escapes."""
    line = "x '' " + " ".join(given_words)  # the quotes tell it from cmd's
    assert words(line) == from_bash(line)


@given(st.lists(st.text()))
def test_what_is_quoted_is_read_back(given_words):
    """Words, quoted as a line, are the same words when that line is read."""
    given_words = [word.replace("\0", "") for word in given_words]
    assert words(quoted(given_words)) == given_words


@given(st.lists(st.text(st.sampled_from("a \n'\"^\\$`%!#~{},-|\t\r\x1b\udce9\udcff\u00a0>"))))
def test_what_is_quoted_is_read_back_of_special_characters(given_words):
    """The same, of the characters that mean something to one shell or the other."""
    assert words(quoted(given_words)) == given_words


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_what_is_quoted_means_the_same_to_bash(given_words):
    """A quoted line can be copied into bash: it makes the same words of it."""
    assert from_bash(quoted(given_words)) == given_words


def test_quoted_shows_what_is_not_visible():
    """Quotes stand where they are needed alone; control characters are written out."""
    assert quoted(["curl", "-H", "A: b", "http://a/?b", "é", "a\u200bb\x07\x00"[:-1], "\udce9", "'"]) == (
        "curl -H 'A: b' 'http://a/?b' 'é' $'a\\u200bb\\a' $'\\xe9' ''\\'''"
    )


@pytest.mark.parametrize("word", ["a\0b", "a\ud800"])
def test_what_cannot_be_quoted(word):
    """A NUL, or half a character, is in no command line."""
    with pytest.raises(WrongUse, match="no argument can hold"):
        quoted([word])


@given(st.one_of(st.text(), st.text(st.sampled_from("curl -x'\"^\\$`%!#~{},|&\n\r\t “–(u8d)"), max_size=30)))
def test_any_text_is_words_or_an_error_of_the_lab(text):
    """No text raises anything else, and words hold no NUL."""
    assert refusal(text) or all("\0" not in word for word in words(text))
