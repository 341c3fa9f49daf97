import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import LabError, WrongUse
from labkit.proxies.apache.reading import Line, directives, every, quoted, read, shown, words
from labkit.proxies.directive import walk


@pytest.mark.parametrize(
    ("rest", "read_as"),
    [
        ('"/ws/" "ws://b/"', ["/ws/", "ws://b/"]),
        ("'a b' c", ["a b", "c"]),
        (r'"a\"b" c', ['a"b', "c"]),
        (r"'a\"b' c", [r"a\"b", "c"]),
        (r"a\\b a\b", ["a\\b", r"a\b"]),
        (r"a\ b", ["a\\", "b"]),
        ('"a b', ["a b"]),
        ('a"b c"', ['a"b', 'c"']),
        ('"a"b', ["a", "b"]),
        ('"" x', ["", "x"]),
        ("x # y", ["x", "#", "y"]),
        ("", []),
    ],
)
def test_words_are_split_and_unquoted(rest, read_as):
    """Quotes hold a word together and a backslash takes a quote's meaning away, as in `ap_getword_conf`."""
    assert [word.text for word in words(rest)] == read_as


@pytest.mark.parametrize(
    ("rest", "read_as"),
    [
        (r"^/a\.b$ /c [L]", [r"^/a\.b$", "/c", "[L]"]),
        (r"^/a\ b /c", [r"^/a\ b", "/c"]),
        (r'"^/a b$" "/c d" "[R=301, L]"', ["^/a b$", "/c d", "[R=301, L]"]),
        (r'"^/a\"b" c', ["^/a\\", 'b"', "c"]),
    ],
)
def test_rewrite_rules_are_split_otherwise(rest, read_as):
    """mod_rewrite leaves backslashes where they are, and knows no escaped quote."""
    assert [word.text for word in words(rest, rewrite=True)] == read_as


@given(st.text())
def test_what_is_quoted_is_read_as_it_was(text):
    """A quoted word is read as the word that it was."""
    assert [word.text for word in words(quoted(text))] == [text]


@given(st.text(), st.booleans())
def test_words_stand_where_they_say(text, rewrite):
    """Words follow one another, and each says where it stands."""
    last = 0
    for word in words(text, rewrite=rewrite):
        assert last <= word.start < word.end <= len(text)
        last = word.end


def test_a_directive_begins_where_it_begins():
    """A continued directive has the number of its first line; comments and empty lines count as lines."""
    lines = read("# a comment \\\nthat goes on\n\nServerName \\\n  example.com\r\nListen 80")
    assert [(line.name, line.args, line.line) for line in lines] == [
        ("ServerName", ("example.com",), 4),
        ("Listen", ("80",), 6),
    ]


def test_only_the_very_last_backslash_continues():
    """A backslash with a space behind it continues nothing, one behind another does; at the end of all it is one."""
    assert [line.rest for line in read("A x \\ \nB y")] == ["x \\", "y"]
    assert [line.rest for line in read("A x\\\\\nB y")] == ["x\\B y"]
    assert [line.rest for line in read("A x\\")] == ["x\\"]


def test_sections_hold_what_is_inside():
    """Sections nest, their names are compared without case, and all behind the last > is left out."""
    (host,) = read("<VirtualHost *:80> # x\n<Location />\nProxyPass http://b/\n</location>\n</VIRTUALHOST> y")
    assert (host.key, host.args, host.line) == ("virtualhost", ("*:80",), 1)
    assert [line.name for line in every([host])] == ["VirtualHost", "Location", "ProxyPass"]
    assert str(host) == "<VirtualHost *:80>"


def test_directives_keep_their_order_and_lines():
    """Repeated directives stay apart, in order, each with its line; that is what the parser of PyPI loses."""
    found = directives(read("A 1\nB 2\nA 3\n<C x>\nD 4\n</C>"))
    assert [(each.name, each.args, each.line) for each in walk(found)] == [
        ("A", ("1",), 1), ("B", ("2",), 2), ("A", ("3",), 3), ("C", ("x",), 4), ("D", ("4",), 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A\n<VirtualHost *:80>\nB", "line 2: <VirtualHost>: is not closed; write </VirtualHost>"),
        ("</VirtualHost>", "line 1: </VirtualHost> closes nothing"),
        ("<Proxy *>\n<If x>\n</Proxy>", "line 3: </Proxy> closes <If> of line 2; write </If> before it"),
        ("<VirtualHost *:80\n</VirtualHost>", "line 1: <VirtualHost: a > is missing"),
        ("<Location /a>\n</Location >", "line 2: </Location: a > is missing"),
        ("< Location /a>", "line 1: <: the name of the section is missing"),
        ("<Location /a></Location>", "line 1: <Location>: is not closed"),
        ("A\nB\0C", "line 2: 'B': there is a NUL byte"),
        ("\ufeffListen 80", "line 1: a byte order mark"),
        ("A \ud800", "line 1: 'A': '\\ud800' cannot be written"),
        ("A " + "x" * 70_000, "line 1: 'A': longer than 65536"),
        ("<If x>\n" * 41, "line 41: <If>: stands inside 40 other sections"),
    ],
)
def test_what_cannot_be_read_is_named(text, told):
    """Each error names the line, what stands there and what is wrong with it, in one line."""
    with pytest.raises(WrongUse) as caught:
        read(text)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


_PIECES = st.sampled_from([*"<>/\\\"'#$ \n\0", "<A>\n", "</A>\n", "B x\n", "\\\n", "é"])


@given(st.lists(_PIECES).map("".join))
def test_any_text_is_read_or_told(text):
    """Whatever the text, it is read or it is an error of the lab's own."""
    try:
        lines = read(text)
    except LabError as error:
        assert "line " in str(error)  # noqa: PT017  any error of the lab's own will do
    else:
        assert all(1 <= line.line <= text.count("\n") + 1 for line in every(lines))


def test_a_word_is_changed_where_it_stands():
    """Changing a word leaves all the others as they are written."""
    assert Line("ProxyPass", "/a  'http://b/' x=y").with_word(1, "http://c/").rest == '/a  "http://c/" x=y'
    rule = Line("RewriteRule", r"^/(.*)\.x$ ws://b/$1 [P]").with_word(1, "ws://c/$1")
    assert rule.rest == r"^/(.*)\.x$ ws://c/$1 [P]"
    assert Line("RewriteRule", "a b").with_word(1, "c d").rest == 'a "c d"'
    assert Line("RewriteRule", "a b").with_word(1, 'c "d').rest == "a 'c \"d'"


def test_a_long_line_is_shown_by_its_beginning():
    """A note names a line by so much of it as fits."""
    assert shown(Line("A", "x" * 200)) == "A " + "x" * 77 + "…"
