import pytest

from labkit.errors import WrongUse
from labkit.proxies.apache.reading import read
from labkit.proxies.apache.resolving import Resolver


def resolved(text: str, *, modules=None, allow=()) -> tuple[list[str], Resolver]:
    resolver = Resolver(modules, allow)
    return [str(line) for line in resolver.resolve(read(text))], resolver


@pytest.mark.parametrize(
    ("section", "there"),
    [
        ("IfModule mod_rewrite.c", True), ("IfModule rewrite_module", True), ("IfModule !mod_rewrite.c", False),
        ("IfModule mod_ssl.c", True), ("IfModule mod_gnutls.c", False), ("IfModule !mod_php.c", True),
        ("IfModule MOD_REWRITE.C", False), ("IfModule mpm_event_module", True), ("IfModule prefork.c", False),
        ("IfModule mod_proxy_http.c", True), ("IfModule mod_proxy_balancer.c", True),
        ("IfDefine X", False), ("IfDefine !X", True), ("IfFile /etc/passwd", False), ("IfFile !/x", True),
        ("IfVersion 2.4.71", True), ("IfVersion >= 2.4", True), ("IfVersion = 2.4", False), ("IfVersion < 2.4.47", False),
        ("IfVersion !< 2.4.47", True), ("IfVersion ~ ^2\\.4", True), ("IfVersion = /^2.2/", False),
        ("IfDirective ProxyPass", True), ("IfDirective !Nope", True), ("IfSection Location", True), ("IfSection Listen", False),
    ],
)  # fmt: skip
def test_sections_that_ask_what_httpd_is(section, there):
    """They are resolved, so that what does not take part is gone; a note says how each was answered."""
    lines, resolver = resolved(f"<{section}>\nServerName a\n</{section.split()[0]}>")
    assert lines == (["ServerName a"] if there else [])
    assert [str(note.kind) for note in resolver.notes] == ["noted" if there else "skipped"]


def test_modules_that_were_chosen_answer_for_themselves():
    """Where the proxy modules were chosen, by name or by LoadModule lines, <IfModule> asks those."""
    text = "<IfModule mod_proxy_wstunnel.c>\nServerName a\n</IfModule>"
    assert resolved(text, modules=("proxy", "proxy_http"))[0] == []
    loading = "LoadModule proxy_http_module modules/mod_proxy_http.so\n"
    lines, resolver = resolved(loading + text)
    assert lines == []
    assert resolver.modules == ("proxy", "proxy_http")


def test_variables_are_expanded_line_by_line():
    """A Define reaches the lines behind it; lookups of a RewriteMap and what nobody defined stay as they are."""
    text = 'ServerName ${V}\nDefine V "a b"\nServerAlias ${V} ${x:y}\nUnDefine V\nServerAlias ${V}'
    lines, resolver = resolved(text)
    assert lines == ["ServerName ${V}", "ServerAlias a b ${x:y}", "ServerAlias ${V}"]
    assert [(note.line, note.what) for note in resolver.notes] == [(1, "${V}")]


def test_debian_s_variables_are_known():
    """What Debian's envvars sets is known, and said once."""
    lines, resolver = resolved("ErrorLog ${APACHE_LOG_DIR}/a\nErrorLog ${APACHE_LOG_DIR}/b")
    assert lines == ["ErrorLog /var/log/apache2/a", "ErrorLog /var/log/apache2/b"]
    assert len(resolver.notes) == 1


def test_macros_are_filled_in():
    """A macro's lines stand where it is used, with its values; they keep their own numbers."""
    text = "<Macro M $a $ab>\n<Location $ab>\nProxyPass $a\n</Location>\n</Macro>\nUse m http://b/ /x"
    resolver = Resolver(None, ())
    (line,) = resolver.resolve(read(text))
    assert (str(line), str(line.block[0]), line.line) == ("<Location /x>", "ProxyPass http://b/", 2)


@pytest.mark.parametrize("line", ["Include conf.d/*.conf", "IncludeOptional mods-enabled/*.load"])
def test_files_are_not_included(line):
    """No file is read: it is named and skipped, and left to httpd only where it is allowed by name."""
    lines, resolver = resolved(line)
    assert lines == []
    assert str(resolver.notes[0]).startswith(f"line 1: skipped: {line} (not part of the text")
    assert resolved(line, allow=(line.split()[1],))[0] == [line]


@pytest.mark.parametrize(
    ("line", "kind", "why"),
    [
        ("LoadModule php_module modules/libphp.so", "set aside", "no module that httpd comes with"),
        ("LoadModule mpm_prefork_module modules/mod_mpm_prefork.so", "set aside", "event MPM"),
        ("LoadModule rewrite_module /tmp/evil.so", "noted", "from this machine's folder"),
        ("LoadModule proxy_module modules/mod_proxy.so", "pointed at the lab", "this machine's folder"),
    ],
)
def test_modules_come_from_this_machine(line, kind, why):
    """A LoadModule of the text is never taken with its path."""
    lines, resolver = resolved(line)
    assert lines == []
    assert (str(resolver.notes[0].kind), why in resolver.notes[0].why) == (kind, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Use M", "line 1: Use: no <Macro M> stands before it"),
        ("<Macro M $a>\nA $a\n</Macro>\nUse M", "line 4: Use: macro M takes 1 arguments, not 0"),
        ("<Macro M>\nUse M\n</Macro>\nUse M", "line 2: Use: macros use each other more than 20 deep"),
        ('<Macro M "">\nA\n</Macro>', "line 1: <Macro>: an argument of the macro has no name"),
        ("<Macro>\n</Macro>", "line 1: <Macro>: the name of the macro is missing"),
        ("<IfModule>\n</IfModule>", "line 1: <IfModule>: says nothing to ask for"),
        ("<IfVersion >2.4>\n</IfVersion>", "line 1: <IfVersion>: compares with a version"),
        ("<IfVersion ~ (>\n</IfVersion>", "line 1: <IfVersion>: ( is no regular expression"),
        ("Define A b c", "line 1: Define: takes a name"),
        ("Include", "line 1: Include: the name of a file is missing"),
        ("LoadModule x", "line 1: LoadModule: takes the name of a module and its file"),
        ("Define A " + "x" * 60 + "\n" + "Define A ${A}${A}\n" * 20, "Define: its variables make it longer"),
        ("<Macro M $a>\nA $a$a$a$a\n</Macro>\nUse M " + "x" * 30_000, "line 2: A: macros make it longer"),
        ("<Macro M>\n" + "A\n" * 11_000 + "</Macro>\nUse M\nUse M", "Use: macros make more than 20000 lines"),
    ],
)
def test_what_cannot_be_resolved_is_named(text, told):
    """Each error names the line and the directive; what grows without end is stopped."""
    with pytest.raises(WrongUse) as caught:
        resolved(text)
    assert told in str(caught.value)
