import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import LabError, WrongUse
from labkit.proxies.directive import Directive
from labkit.proxies.nginx import Nginx
from labkit.proxies.nginx.reading import read
from labkit.proxies.nginx.writing import shown, written


def only(text: str) -> Directive:
    (found,) = read(text)
    return found


def test_lines_are_those_of_the_text():
    """Every directive knows its line, in blocks and behind comments too."""
    server = only("# a comment\n\nserver {\n  # another; with { signs\n  listen 80; root /a;\n}\n")
    assert (server.line, [each.line for each in server.block]) == (3, [5, 5])


@pytest.mark.parametrize(
    ("written_as", "args"),
    [
        ("x 'a b' \"c;d\";", ("a b", "c;d")),
        (r'x "a\"b" \.php$ "\\" "a\tb";', ('a"b', r"\.php$", "\\", "a\tb")),
        ("x ${a}b #c\n d;", ("${a}b", "d")),
        ("x '';", ("",)),
        ("x a#b;", ("a#b",)),
        ('x "#c";', ("#c",)),
    ],
)
def test_arguments_are_what_nginx_reads(written_as, args):
    """Quotes, backslashes and comments are taken away as nginx takes them away; regular expressions stay."""
    assert only(written_as).args == args


@pytest.mark.parametrize("text", ['if ($a = "b") {}', "if ( $a = b ) {}", "if ($a = b){}"])
def test_conditions_lose_their_parentheses(text):
    """The parentheses round a condition are none of its words, however they are spaced."""
    assert only(text).args == ("$a", "=", "b")
    assert shown(only(text)) == "if ($a = b)"


def test_an_empty_text_in_a_condition():
    """A comparison with nothing is written so that nginx reads it again."""
    directive = only('if ($a = "") {}')
    assert directive.args == ("$a", "=", "")
    assert read(written([directive])) == (directive,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server {\n listen 80\n}", "line 2: listen is not ended by a semicolon"),
        ("server {\n listen 80", "line 2: listen is not ended by a semicolon"),
        ("server {\n listen 80;\n location / {\n}", "line 1: the block of server is not closed"),
        ("server {}\n}", 'line 2: unexpected "}"'),
        ("server {;}", 'line 1: unexpected ";"'),
        ("{}", 'line 1: unexpected "{"'),
        ('listen 80;\nx "a;\n', "line 2: a quote that is opened here or below is not closed"),
        ('listen 80; "', "line 1: a quote that is opened here or below is not closed"),
        ("a {\n" * 60, "line 51: a stands in more than 50 blocks, one in the other"),
        ("x\x00;", "line 1: this is no text: it has a character U+0000"),
        ("x;\n\ud800;", "line 2: this is no text: it has a character U+D800"),
        ("x;\nlisten\u00a080;", "line 2: a space that is none to nginx (U+00A0"),
    ],
)
def test_what_is_broken_is_told_with_its_line(text, told):
    """Broken text is one line that names the line and the directive."""
    with pytest.raises(WrongUse) as caught:
        read(text)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8).filter(
    lambda word: all(char in "\t\n " or (not char.isspace() and ord(char) not in (*range(32), 127)) for char in word)
)
NAMES = st.text("abc_$~^.*", min_size=1, max_size=6)
DIRECTIVES = st.recursive(
    st.builds(Directive, NAMES, st.lists(WORDS, max_size=3).map(tuple)),
    lambda inner: st.builds(
        lambda name, args, block: Directive(name, tuple(args), 0, tuple(block)),
        NAMES, st.lists(WORDS, max_size=2), st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def bare(directive: Directive) -> tuple[object, ...]:
    block = None if directive.block is None else tuple(map(bare, directive.block))
    return directive.name, directive.args, block


@given(DIRECTIVES)
def test_what_is_written_is_read_again(directive):
    """Directives with any arguments become a text that is read as these directives."""
    (again,) = read(written([directive]))
    assert bare(again) == bare(directive)


PIECES = st.sampled_from(
    ["server", "location", "/", "{", "}", ";", "proxy_pass", "http://a", "http://$b:1", "$b", "listen", "80", '"', "'", "\\", "#",
     "\n", " ", "map", "if", "(", ")", "set", "upstream", "content_by_lua_block", "include", "*", "unix:", "[::", ":", "ssl", "on",
     "# configuration file /a:\n", "http", "events", "${", "root", "return", "proxy_redirect", "default", "server_name"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=30).map(" ".join), st.lists(PIECES, max_size=30).map("".join)
    )
)
def test_any_text_is_read_or_refused(text):
    """Whatever is pasted, it is read, or one line says why not."""
    told = ""
    try:
        Nginx(text)
    except LabError as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize("text", [None, b"server {}", 5])
def test_a_configuration_is_a_text(text):
    """Anything but a text is told so."""
    with pytest.raises(WrongUse, match="a configuration is a text"):
        Nginx(text)


def test_a_text_has_an_end():
    """Two megabytes are no configuration."""
    with pytest.raises(WrongUse, match="reads at most"):
        Nginx("#" * (2 << 20))
