import pytest

from labkit import Apache
from labkit.errors import Refused, WrongUse
from labkit.proxies.apache.directives import BY_NAME, DIRECTIVES
from labkit.proxies.apache.treatment import ASIDE, REFUSED

PASS = "ProxyPass /ws/ ws://backend/\n"


def notes(text: str, **more) -> list[str]:
    return [str(note) for note in Apache(PASS + text, **more).notes if note.line > 1]


def kept(text: str, **more) -> list[str]:
    return [each.name for each in Apache(PASS + text, **more).directives][1:]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("SSLEngine on", "the lab serves in plain"),
        ("SSLCertificateKeyFile /etc/ssl/private/a.pem", "the lab serves in plain"),
        ("Protocols h2 http/1.1", "RFC 9113, 8.6"),
        ("H2Direct on", "no HTTP/2"),
        ("MDomain example.com", "certificates from the internet"),
        ('CustomLog "|/usr/bin/logger" combined', "error log"),
        ("ErrorLog /var/log/x", "error log"),
        ("User www-data", "the lab's to say"),
        ("MaxRequestWorkers 400", "processes and threads"),
        ("ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/", "runs no programs"),
        ("WSGIScriptAlias / /srv/app.wsgi", "mod_wsgi"),
        ("php_value memory_limit 1G", "mod_php"),
        ("PerlRequire /etc/x.pl", "mod_perl"),
        ("CacheRoot /var/cache", "no cache"),
        ("CacheEnable disk /", "no cache"),
        ("AllowOverride All", ".htaccess"),
        ("SetHandler application/x-httpd-php", "runs no programs"),
        ('SetHandler "proxy:unix:/run/php.sock|fcgi://localhost"', "not fcgi"),
        ("ProxyPass /a/ fcgi://127.0.0.1:9000/", "not fcgi"),
        ("ProxyPass /a/ ajp://127.0.0.1:8009/", "not ajp"),
        ("ServerRoot /etc/httpd", "private folder"),
        ("Mutex file:/var/lock default", "private folder"),
        ("RemoteIPTrustedProxy proxy.example.com", "look up a name"),
    ],
)
def test_what_the_lab_does_without_is_set_aside(line, why):
    """Certificates, HTTP/2, logs, users, tuning and other programs are set aside, each named with the reason."""
    (note,) = notes(line)
    assert note.startswith(f"line 2: set aside: {line[:79]}")
    assert why in note
    assert kept(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "RewriteMap m prg:/bin/sh",
        "RewriteMap m txt:/etc/passwd",
        "ExtFilterDefine f cmd=/bin/cat",
        "LuaHookTranslateName /x.lua f",
        "LoadFile /x.so",
        "DAV On",
        "ProxyRemote * http://proxy.example:3128",
        "ProxyRequests On",
        "HeartbeatListen 239.0.0.1:27999",
        "DBDriver mysql",
        "AuthLDAPURL ldap://ldap.example/",
        "ProxyExpressEnable on",
        "SessionCryptoPassphrase exec:/bin/x",
        "ChrootDir /x",
        "RewriteRule ^/(.*) %{ENV:B}/$1 [P]",
        "RewriteRule ^/(.*) /x/$1 [proxy,L]",
        "RewriteRule ^/x - [H=proxy:http://b/]",
        "Require forward-dns a.example",
        "ForceType proxy:http://b/",
    ],
)
def test_what_executes_or_reaches_out_is_refused(line):
    """It is refused, naming the line, the directive and what would allow it; allowed by name, it is kept."""
    name = line.split()[0]
    with pytest.raises(Refused) as caught:
        Apache(PASS + line)
    assert str(caught.value).startswith(f"line 2: {name}: ")
    assert str(caught.value).endswith(f"allow=[{name!r}] allows it")
    assert kept(line, allow=[name.lower()]) == [name]


@pytest.mark.parametrize("line", ['Header set X "expr=%{file:/etc/passwd}"', "Require expr \"file('/x') == 'a'\""])
def test_an_expression_reads_no_file(line):
    """An expression that reads a file is refused."""
    with pytest.raises(Refused, match="its expression reads a file; allow=\\['file'\\]"):
        Apache(PASS + line)
    assert kept(line, allow=["file"]) == [line.split()[0]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ProxPass / http://b/", "line 2: ProxPass: no directive of httpd 2.4; did you mean ProxyPass?"),
        ("server {", "line 2: server: no directive of httpd 2.4"),
        ("VirtualHost *:80", "line 2: VirtualHost: it is a section: write <VirtualHost …>"),
        ("<ProxyPass / http://b/>\n</ProxyPass>", "line 2: <ProxyPass>: it is no section: write ProxyPass"),
        ("ProxyPass / backend:3000", "line 2: ProxyPass: 'backend:3000' is no URL"),
        ("ProxyPass “/ws/” “ws://b/”", "line 2: ProxyPass: '“ws://b/”' is no URL"),
        ("ProxyPass /x", "line 2: ProxyPass: the URL of the backend is missing"),
        ("ProxyPass", "line 2: ProxyPass: the path, and the URL of the backend is missing"),
        ("ProxyPass /x http://b/ # the app", "line 2: ProxyPass: # begins a comment only at the start of a line"),
    ],
)
def test_what_httpd_would_not_take_is_named(text, told):
    """A misspelled directive, a section without <, a backend without a scheme: line, name and what to write."""
    with pytest.raises(WrongUse) as caught:
        Apache(PASS + text)
    assert str(caught.value).startswith(told)


def test_a_directive_whose_module_is_not_chosen_is_named():
    """As httpd's Invalid command, but with the module that is missing."""
    with pytest.raises(WrongUse, match="line 1: ProxyPass: a directive of mod_proxy, which is not loaded"):
        Apache(PASS, modules=())


def test_what_is_not_special_is_kept():
    """All else is httpd's business: it is kept as it is written."""
    lines = [
        "Timeout 5",
        "RemoteIPInternalProxy 10.0.0.0/8",
        "SetEnvIf X y z",
        "RequestHeader set A b",
        "Header unset C",
        "ProxyTimeout 7",
        "ProxyVia On",
    ]
    assert kept("\n".join(lines)) == [line.split()[0] for line in lines]
    assert notes("\n".join(lines)) == []


def test_allowing_a_name_does_not_let_backends_through():
    """What is allowed is what would be refused; a backend is pointed at the lab all the same."""
    site = Apache("ProxyPass / http://backend/", allow=["ProxyPass"])
    assert [each.written for each in site.upstreams] == ["backend"]


def test_a_pattern_of_backends_is_told():
    """<ProxyMatch> is held against the backends as they are in the lab, and a note says so."""
    assert notes("<ProxyMatch ^http://x>\n</ProxyMatch>") == [
        "line 2: noted: <ProxyMatch ^http://x> (its pattern is held against backends as they are pointed at the lab)"
    ]


def test_backends_are_bounded():
    """So many different backends as nobody has are an error, not a text without end."""
    with pytest.raises(WrongUse, match="line 101: ProxyPass: the text leads to more than 100 different backends"):
        Apache("\n".join(f"ProxyPass /{number} http://h{number}/" for number in range(200)))


def test_health_checks_are_set_aside():
    """They would reach the server between the exchanges, so only these parameters go."""
    text = "<Proxy balancer://b>\nBalancerMember http://a:1 route=x hcmethod=GET hcinterval=1\n</Proxy>"
    (section,) = Apache(text).directives
    assert section.block[0].args == ("http://a:1", "route=x")


def test_the_tables_name_directives_of_httpd():
    """Each row of the tables is a directive that httpd has."""
    assert set(ASIDE) | set(REFUSED) <= set(BY_NAME)
    assert not set(ASIDE) & set(REFUSED)
    assert len(DIRECTIVES) > 80
