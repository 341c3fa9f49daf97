import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit import Apache
from labkit.errors import LabError, Refused, WrongUse
from labkit.proxies.apache.directives import BY_NAME
from labkit.proxies.described import Place
from labkit.proxies.directive import NoteKind, walk

SITES = sorted((Path(__file__).parents[1] / "sites" / "apache").glob("*.conf"))
SEED = """# Apache Configuration Example for WebSocket Proxy
<VirtualHost *:80>
ServerName example.com
# Ensure mod_proxy and mod_proxy_wstunnel are enabled
ProxyRequests Off
ProxyPass "/ws/" "ws://websocketserver.example.com/"
ProxyPassReverse "/ws/" "ws://websocketserver.example.com/"
# Other configurations...
</VirtualHost>
"""
PLACE = Place("/lab", 8080, "127.0.0.1:9000", modules="/usr/lib/apache2/modules", built_in=("mod_unixd.c",))


def test_the_document_s_example_is_taken_as_it_stands():
    """What it lacks is added, its backend is the lab's, and all of that is told."""
    site = Apache(SEED)
    assert [tuple(each) for each in site.upstreams] == [(6, "websocketserver.example.com", "ProxyPass")]
    assert (site.door_port, site.other_ports) == (80, ())
    told = [str(note) for note in site.notes]
    assert told[0].startswith("added: LoadModule proxy, proxy_http, proxy_wstunnel (")
    assert any(each.startswith("added: Listen 80 (a <VirtualHost> says which requests it takes") for each in told)
    assert any(each.startswith('line 6: pointed at the lab: ProxyPass "/ws/" "ws://web') for each in told)
    assert any(each.startswith("noted: Host (") for each in told)
    assert SEED.count("\n") == 9
    assert site.completed(PLACE).endswith("""
<VirtualHost *:8080>
ServerName example.com
ProxyRequests Off
ProxyPass "/ws/" "ws://127.0.0.1:9000/"
ProxyPassReverse "/ws/" "ws://127.0.0.1:9000/"
</VirtualHost>
""")


def test_its_directives_are_as_written():
    """The tree that a model is made from has the lines and the addresses of the text."""
    (host,) = Apache(SEED).directives
    assert (host.name, host.args, host.line) == ("VirtualHost", ("*:80",), 2)
    assert [(str(each), each.line) for each in host.inside("proxypass")] == [
        ("ProxyPass /ws/ ws://websocketserver.example.com/", 6)
    ]


@pytest.mark.parametrize("site", SITES, ids=lambda path: path.stem)
def test_real_site_files_get_an_answer(site):
    """Site files as people have them are read, lead somewhere, and every line that is not kept is accounted for."""
    text = site.read_text()
    described = Apache(text)
    assert described.upstreams
    noted = {note.line for note in described.notes}
    kept = {each.line for each in walk(described.directives)}
    for number, line in enumerate(text.splitlines(), 1):
        word = re.match(r"\s*<?(\w+)", line)
        if word and word[1].lower() in BY_NAME and word[1].lower() not in ("define", "macro", "undefmacro"):
            inside_skipped = any(note.kind == NoteKind.SKIPPED and note.line <= number for note in described.notes)
            assert number in noted | kept or inside_skipped, line


def test_there_are_site_files_of_every_layout():
    """Debian, Red Hat, certbot, JupyterHub, a balancer, one line for both, a hosting panel's."""
    assert [path.stem for path in SITES] == [
        "balancer", "certbot", "debian", "jupyterhub", "plain-php", "redhat", "upgrade",
    ]  # fmt: skip


def test_all_that_is_written_stays_in_the_folder():
    """Every path of the completed text lies in the private folder, but for modules and /dev/null."""
    for site in SITES:
        described = Apache(site.read_text())
        spare = tuple(range(9001, 9001 + len(described.other_ports)))
        completed = described.completed(PLACE._replace(spare=spare))
        paths = re.findall(r'(?:^|[\s"])(?:file:)?(/[\w.]+/[^"\s>]*)', completed.replace('"/"', ""))
        outside = [
            each for each in paths if not each.startswith(("/lab", "/usr/lib/apache2/modules/mod_", "/dev/null"))
        ]
        urls = [each for each in outside if not re.match(r"/(socket|api|live|balancer-manager|static|curl)\b", each)]
        assert urls == [], site


def test_folders_of_content_are_the_lab_s_own():
    """DocumentRoot and Alias lead to the private folder, and the <Directory> sections of theirs go with them."""
    text = """DocumentRoot /var/www/html
Alias /icons/ /usr/share/icons/
<Directory />
Require all denied
</Directory>
<Directory "/var/www">
</Directory>
<Directory /var/www/html/private>
</Directory>
<Directory /usr/../etc>
</Directory>
<Directory ~ "^/srv/.*">
</Directory>
"""
    completed = Apache(text).completed(PLACE).partition("</FilesMatch>\n</Directory>\n")[2]
    assert [line for line in completed.splitlines() if not line.startswith(("</", "Req"))] == [
        'DocumentRoot "/lab"', 'Alias /icons/ "/lab/"', '<Directory "/lab">', '<Directory "/lab">',
        '<Directory "/lab/private">', '<Directory "/lab/etc">', '<Directory ~ "^/srv/.*">',
    ]  # fmt: skip


def test_passwords_are_nobody_s():
    """Files of passwords are an empty list: nobody is let in."""
    completed = Apache("AuthType Basic\nAuthUserFile /etc/passwd\nRequire valid-user").completed(PLACE)
    assert 'AuthUserFile "/dev/null"' in completed
    assert "/etc/passwd" not in completed


def test_a_completed_line_is_found_in_the_text():
    """A line of the completed text that httpd complains of is a line of the given text, or one of the lab's own."""
    site = Apache(SEED)
    lines = site.completed(PLACE).splitlines()
    at = next(number for number, line in enumerate(lines, 1) if line.startswith("ProxyPass "))
    assert site.line_of(PLACE, at) == 6
    assert site.line_of(PLACE, 1) == site.line_of(PLACE, 0) == site.line_of(PLACE, 1000) == 0


def test_a_backslash_at_the_end_stays_at_its_line():
    """The last line of a text may end in a backslash; completed, it continues nothing."""
    assert "ServerSignature x\\ \n" in Apache("ServerSignature x\\").completed(PLACE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the configuration is empty"),
        (" \n\t", "the configuration is empty"),
        (None, "a configuration is a text, not None"),
        (..., "the configuration is still open"),
        (b"Listen 80", "a configuration is a text, not b'Listen 80'"),
        ("x" * (2 << 20), "the lab reads at most"),
        ("\x7fELF\x02\x01\x01\0\0\n\0", "line 1: '\\x7fELF\\x02\\x01\\x01': there is a NUL byte"),
    ],
)
def test_what_is_no_configuration_is_told(text, told):
    """Nothing, too much, or something else: an error in one line."""
    with pytest.raises(WrongUse) as caught:
        Apache(text)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_comment_alone_is_a_configuration():
    """With nothing but comments httpd starts, and answers by itself; so it does here."""
    site = Apache("# nothing")
    assert (site.upstreams, site.directives) == ((), ())


def test_a_description_is_a_value():
    """Two descriptions of one text are equal, cannot be changed, and print short."""
    assert Apache(SEED) == Apache(SEED)
    assert Apache(SEED) != Apache(SEED, modules=("proxy", "proxy_http"))
    assert hash(Apache(SEED)) == hash(Apache(SEED))
    assert repr(Apache(SEED)) == "<Apache 10 lines>"
    assert labkit.Apache is Apache
    with pytest.raises(AttributeError):
        Apache(SEED).text = ""


_NAMES = st.sampled_from([
    "ProxyPass", "RewriteRule", "Listen", "<VirtualHost", "</VirtualHost>", "<Location", "</Location>", "Alias",
    "Define", "${A}", "Use", "<Macro", "</Macro>", "<IfModule", "</IfModule>", "SetHandler", "BalancerMember",
    "<Proxy", "</Proxy>", "ProxyPassMatch", "ProxyPassReverse", "LoadModule", "Include", "<Directory", "</Directory>",
])  # fmt: skip
_WORDS = st.sampled_from([
    "/", "http://b/", "ws://b$1", "*:80", "80>", "a>", "[P]", "!", '"', "\\", "A", "M $a", "proxy:http://b", "~", "unix:",
    "unix:/s|ws://b/", "balancer://b", "^/(.*)", "%{HTTP_HOST}", "\xa0", "é", "0", ">", "mod_proxy.c>", "on", "",
])  # fmt: skip
_TEXTS = st.lists(st.tuples(_NAMES, st.lists(_WORDS, max_size=3))).map(
    lambda lines: "\n".join(" ".join([name, *args]) for name, args in lines)
)


@given(st.one_of(st.text(), _TEXTS), st.booleans(), st.sampled_from(["127.0.0.1:9", "unix:/lab/up"]))
def test_any_text_is_described_or_told(text, keep, upstream):
    """Whatever the text, it is described and can be completed, or it is an error of one line."""
    try:
        site = Apache(text, keep_upstreams=keep)
        completed = site.completed(Place("/lab", 1, upstream, tuple(range(2, 50)), "/m"))
    except LabError as error:
        assert str(error).isprintable()  # noqa: PT017  any error of the lab's own will do
    else:
        assert all(str(note).isprintable() for note in site.notes)
        assert completed.startswith("# Completed by the lab")


def test_what_is_refused_is_no_wrong_use():
    """What the lab does not do is told apart from what cannot be read."""
    with pytest.raises(Refused):
        Apache("LoadFile /x.so")


@pytest.mark.parametrize(
    "text",
    [
        "Define A " + "a" * 30000 + "\n" + "ServerAlias ${A}\n" * 40000,
        "<Macro m $a>\nServerAlias " + "$a" * 30000 + "\n</Macro>\n" + "Use m bb\n" * 19000,
    ],
)
def test_a_short_text_does_not_become_a_gigabyte(text: str):
    """What variables and macros make of a text is bounded."""
    with pytest.raises(WrongUse, match=r"line \d+: ServerAlias: variables and macros make the text longer than"):
        Apache(text)
