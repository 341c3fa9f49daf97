"""A pasted curl line gives one URL and options that touch nothing but one server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.commandlines.curl_line import CurlLine, read_curl
from labkit.commandlines.curl_options import OPTIONS
from labkit.commandlines.words import LONGEST, quoted
from labkit.errors import LabError, Refused, WrongUse

REFUSED = sorted((row for row in OPTIONS.values() if row.refused), key=lambda row: row.name)
ALLOWED = sorted((row for row in OPTIONS.values() if not row.refused), key=lambda row: row.name)


def test_the_well_known_line():
    """The line of many a tutorial: options in their order, the URL last."""
    line = read_curl(
        'curl --include \\\n     --no-buffer \\\n     --header "Connection: Upgrade" \\\n'
        '     --header "Upgrade: websocket" \\\n     http://example.com:80/'
    )  # fmt: skip
    assert line == CurlLine(
        "http://example.com:80/",
        (("include", None), ("no-buffer", None), ("header", "Connection: Upgrade"), ("header", "Upgrade: websocket")),
    )
    assert line.arguments() == [
        "-i", "-N", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
        "http://example.com:80/",
    ]  # fmt: skip
    assert (line.value("header"), line.value("include"), line.value("data")) == ("Upgrade: websocket", None, None)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("curl -isS x", [("include", None), ("silent", None), ("show-error", None)]),
        ("curl -XPOST x", [("request", "POST")]),
        ("curl -sXPOST x", [("silent", None), ("request", "POST")]),
        ("curl -sX POST x", [("silent", None), ("request", "POST")]),
        ("curl -HA:b x", [("header", "A:b")]),
        ("curl -H '' x", [("header", "")]),
        ("curl --request=POST x", [("request", "POST")]),
        ("curl -X -i x", [("request", "-i")]),
        ("curl -- x", []),
        ("curl x -i", [("include", None)]),
        ("curl --url x -v", [("verbose", None)]),
        ("curl --no-location -N x", [("no-location", None), ("no-buffer", None)]),
        ("curl -#0 x", [("progress-bar", None), ("http1.0", None)]),
        ("curl.exe -D - --trace-ascii - x", [("dump-header", "-"), ("trace-ascii", "-")]),
        ("curl -T . x", [("upload-file", ".")]),
        ("curl -b a=b -b '' x", [("cookie", "a=b"), ("cookie", "")]),
        ("curl -u me:secret x", [("user", "me:secret")]),
        ("curl -F 'a=b;type=text/plain' x", [("form", "a=b;type=text/plain")]),
        ("curl --data-raw @x --form-string a=@b x", [("data-raw", "@x"), ("form-string", "a=@b")]),
        ("curl --data-urlencode a=@b --url-query +@b x", [("data-urlencode", "a=@b"), ("url-query", "+@b")]),
        ("curl --proto =https,http x", [("proto", "=https,http")]),
        ("curl -w '%{http_code}' x", [("write-out", "%{http_code}")]),
    ],
)
def test_options(text, options):
    """Long and short, glued and apart, before and behind the URL."""
    line = read_curl(text)
    assert (line.url, list(line.options)) == ("http://x", options)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("curl http://x", []),
        ("curl x", ["the URL has no scheme: http:// was added"]),
        ("curl -o /dev/null http://x", ["-o /dev/null was left out: what curl prints is shown"]),
        ("curl -so NUL http://x", ["-o (in -so) NUL was left out: what curl prints is shown"]),
        ("curl --output - http://x", ["--output - was left out: what curl prints is shown"]),
        ("curl -q http://x", ["-q was left out: the lab's curl never reads a .curlrc"]),
        ("curl --noproxy '*' http://x", ["--noproxy was left out: the lab's curl uses no proxy"]),
        ("curl --out-null http://x", ["--out-null was left out: what curl prints is shown"]),
    ],
)
def test_notes(text, notes):
    """What is left out or added is said."""
    assert list(read_curl(text).notes) == notes


@pytest.mark.parametrize(
    ("text", "url", "added"),
    [
        ("curl 'http://[::1]:8000/a'", "http://[::1]:8000/a", ()),
        ("curl 'http://me:pw@[::1]/'", "http://me:pw@[::1]/", ()),
        ("curl -g 'http://x/{a}[1-2]'", "http://x/{a}[1-2]", (("globoff", None),)),
        ("curl 'http://x/\\{a\\}'", "http://x/{a}", (("globoff", None),)),
        ("curl HTTPS://X/", "HTTPS://X/", ()),
        ("curl --proto-default https x", "https://x", (("proto-default", "https"),)),
        ("curl localhost:8000/a", "http://localhost:8000/a", ()),
        ("curl ftp.example.com", "http://ftp.example.com", ()),
    ],
)
def test_url(text, url, added):
    """The URL is written out with its scheme, and without curl's own escapes."""
    line = read_curl(text)
    assert (line.url, line.options) == (url, added)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", WrongUse, "there is no command here; it begins with curl"),
        ("# curl x", WrongUse, "there is no command here; it begins with curl, without #"),
        ("wget x", WrongUse, "the line begins with 'wget', not with curl; give the curl command alone"),
        ("sudo curl x", WrongUse, "the line begins with 'sudo', not with curl; give the curl command alone"),
        ("/usr/bin/curl x", WrongUse, "the line begins with '/usr/bin/curl', not with curl"),
        ("A=b curl x", WrongUse, "the line begins with 'A=b', not with curl"),
        ("curl", WrongUse, "the line has no URL; it has to have one"),
        ("curl a b", Refused, "the line has 2 URLs, 'a', 'b'; it has to have one"),
        ("curl a --url b", Refused, "the line has 2 URLs"),
        ("curl ''", WrongUse, "the URL is empty; write one"),
        ("curl 'a b'", WrongUse, "'a b': a URL holds no ' '; write %20"),
        ("curl ' file:///etc/passwd'", WrongUse, "a URL holds no ' '"),
        ("curl file:///etc/passwd", Refused, "'file:///etc/passwd': file is not spoken here; only http, https, ws, wss are"),
        ("curl file:/etc/passwd", Refused, "file is not spoken here"),
        ("curl FILE:/etc/passwd", Refused, "FILE is not spoken here"),
        ("curl -- file:///etc/passwd", Refused, "file is not spoken here"),
        ("curl telnet://x", Refused, "telnet is not spoken here"),
        ("curl http:/x", WrongUse, "'http:/x': two slashes have to stand behind http:"),
        ("curl http:///x", WrongUse, "two slashes"),
        ("curl @urls", Refused, "a URL @urls: a value that begins with @ is read from a file"),
        ("curl --url @urls", Refused, "--url @urls: a value that begins with @ is read from a file"),
        ("curl 'http://x/{a,b}'", Refused, "{} and [] in a URL are a pattern for several transfers"),
        ("curl 'http://x/[1-9]'", Refused, "write the URL out, or give --globoff"),
        ("curl -g --no-globoff 'http://x/[1-9]'", Refused, "{} and [] in a URL are a pattern"),
        ("curl - x", WrongUse, "a - alone is no option and no URL"),
        ("curl x -H", WrongUse, "-H, --header: a value has to follow, and the line ends"),
        ("curl x --header", WrongUse, "--header: a value has to follow, and the line ends"),
        ("curl --include=yes x", WrongUse, "--include takes no value; write it without =yes"),
        ("curl --head-er x", Refused, "'--head-er': curl's manual has no such option; write its whole name"),
        ("curl --heade A:b x", Refused, "write its whole name"),
        ("curl --no-header x", Refused, "curl's manual has no such option"),
        ("curl -é x", Refused, "-é: curl's manual has no such option"),
        ("curl -i! x", Refused, "-! (in -i!): curl's manual has no such option"),
        ("curl --expand-header 'A: {{b}}' x", Refused, "--expand-header: it fills in variables; write the text itself"),
        ("curl -sO http://x/f", Refused, "-O (in -sO), --remote-name: it writes a file; leave it out"),
        ("curl -u me x", Refused, "-u me: without a colon curl asks for the password at the terminal"),
        ("curl -C - x", Refused, "-C -: only a number is taken"),
        ("curl --proto-redir all x", Refused, "only http, https, ws and wss are spoken here"),
        ("curl --proto-default ftp x", Refused, "only http, https, ws and wss are spoken here"),
        ('Invoke-WebRequest -Uri "http://x"', Refused, "this is PowerShell; in the browser, choose Copy as cURL (bash), or (cmd)"),
        ("$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession", Refused, "this is PowerShell"),
        ("PS C:\\> curl.exe `\n  x", Refused, "PowerShell"),
        (None, WrongUse, "a command line is text, not NoneType"),
    ],
)  # fmt: skip
def test_what_is_refused(text, error, said):
    """Each refusal names what it is about, and what to do."""
    with pytest.raises(error) as raised:
        read_curl(text)
    assert said in str(raised.value)


FILES = [
    "-o f", "-of", "-sof", "--output f", "--output=f", "-o /dev/null/x", "-o /dev/tcp", "-D f", "-D /dev/stderr", "-c f",
    "--trace f", "--trace -", "--trace-ascii f", "--trace %", "--stderr f", "-T f", "-T ''", "-Tf", "-b f", "-b @a=b", "-bf", "-H @f",
    "-H@f", "-d @f", "-d@f", "--data @-", "--data-ascii @f", "--data-binary @f", "--json @f", "--data-urlencode @f",
    "--data-urlencode a@f", "--url-query a@f", "-w @f", "-w '%output{f}'", "-w 'a%OUTPUT{>>f}'",
    "-F a=@f", "-F 'a=<f'", "-F 'a= @f'", "-F '=@f'", "-F @f", "-F a", "-F 'a=b;headers=@f'", "-F 'a=b; headers = \"<f\"'",
    "-F 'a=(;HEADERS=@f'", "-F a=@f,g", "--pinnedpubkey f", "-C -", "--proto file", "--proto =all", "--proto +file",
    "--proto-redir file", "--proto-default file", "--url @f", "--variable a@f", "--ech ecl:@f",
]  # fmt: skip


@pytest.mark.parametrize("options", FILES)
def test_values_that_are_files(options):
    """A value that curl would take for a file, a pattern or another protocol is refused."""
    for text in (f"curl {options} http://x", f"curl http://x {options}", f"curl -g {options} -- http://x"):
        with pytest.raises(Refused):
            read_curl(text)


def spellings(row):
    value = " f" if row.takes else ""
    yield from (f"--{row.name}{value}", f"--{row.name}=f")
    if not row.takes:
        yield f"--no-{row.name}" if not row.name.startswith("no-") else f"--{row.name.removeprefix('no-')}"
    else:
        yield f"--expand-{row.name} f"
    if row.letter:
        yield from (
            f"-{row.letter}{value}",
            f"-s{row.letter}{value}",
            f"-{row.letter}{value.strip()}",
            f"-si{row.letter}f",
        )


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_every_refused_option_is_refused(row):
    """In its long and its short form, glued and apart, negated and expanded, on either side of the URL."""
    for spelling in spellings(row):
        for text in (
            f"curl {spelling} http://x",
            f"curl http://x {spelling}",
            f"curl {spelling}",
            f"curl -H a:b {spelling}",
        ):
            with pytest.raises(Refused) as refused:
                read_curl(text)
            expected = "it fills in variables" if spelling.startswith("--expand-") else row.refused
            assert expected in str(refused.value)


def refusal(text: str) -> str:
    """Return why a line is not read; nothing where it is."""
    try:
        read_curl(text)
    except LabError as error:
        return str(error)
    return ""


def written(name: str, value: str | None) -> list[str]:
    return [f"--{name}"] if value is None else [f"--{name}", value]


@given(st.lists(st.sampled_from(ALLOWED), max_size=6), st.data())
def test_every_argument_is_of_an_allowed_option(rows, data):
    """A line of allowed options, with any values, gives those options back, or is refused; never anything else."""
    value = st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.sampled_from(["-", "a=b", "5", "a:b", "https"]),
    )
    pairs = [(row, data.draw(value) if row.takes else None) for row in rows if row.name != "url"]
    given_words = [each for row, value in pairs for each in written(row.name, value)]
    text = quoted(["curl", *given_words, "http://x/"])
    if reason := refusal(text):
        assert any(reason.startswith(f"--{row.name} ") for row, _ in pairs)
        return
    dropped = ("output", "disable", "noproxy", "out-null")
    kept = [(row.name, value) for row, value in pairs if row.name not in dropped]
    line = read_curl(text)
    assert line.options == tuple(kept)
    assert read_curl(quoted(["curl", *line.arguments()])).options == line.options


@given(
    st.one_of(
        st.text(), st.text(st.sampled_from("curl -xoHd@'\"^\\$%!#=:/{},&\n .[]"), max_size=40).map("curl ".__add__)
    )
)
def test_any_text_is_a_line_or_an_error_of_the_lab(text):
    """No text raises anything but the lab's errors, each on one line that is not long."""
    assert len(refusal(text)) < 400


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece", ["-F 'a=;headers=", "; headers ", "[", "\\[", "-s", "-i ", "= ", "@:/", "http://[", "%output", "a@"]
)
@pytest.mark.parametrize(
    "start", ["curl '", "curl -F 'a=", "curl -w '", "curl -b '", "curl --proto '", "curl 'http://x/", "curl -"]
)
def test_no_line_takes_long(start, piece):
    """A line made to be slow is read in time that grows with its length alone."""
    text = start + piece.replace("'", "") * ((LONGEST - len(start) - 1) // len(piece))
    assert len(refusal(text + ("'" if "'" in start else ""))) < 400


def need(*names: str) -> None:
    absent = [name for name in names if shutil.which(name) is None]
    if absent and os.environ.get("CI"):
        pytest.fail(f"CI has to have {', '.join(absent)}")
    if absent:
        pytest.skip(f"needs {', '.join(absent)}")


REAL = [
    "curl -isSkL -XPUT -d 'a=b' -d c --data-raw @x -e http://r/ -A 'it'\\''s' {url}",
    "curl --include --no-buffer --header \"Connection: Upgrade\" -H 'Upgrade: websocket' -HHost:example.org {url}",
    "curl -fsvN#0 -m 3 -u me:secret --connect-timeout 2 -r 0-5 -b 'a=b; c=d' {url}",
    "curl -G --data-urlencode 'a=b c&d' --data-urlencode '=x y' {url} --compressed",
    "curl -I --http1.1 --path-as-is -H 'X;' -H 'Accept:' --url {url}",
    "curl $'-HX: caf\\xc3\\xa9\\u0021\\t' -X $'GE\\x54' -- {url}",
    "curl --json '{{\"a\":1}}' --no-keepalive --tcp-nodelay --max-redirs 3 -w '%{{http_code}}\\n' {url}",
    "curl -F 'a=b;type=text/plain' --form-string 'c=@d' -S --no-progress-meter --no-location {url}",
]


@pytest.mark.parametrize("line", REAL)
def test_curl_itself_reads_the_same(line):
    """Curl, given the line by bash, sets up the same transfer as curl given what was read (`--libcurl -`)."""
    need("bash", "curl")
    with socket.socket() as closed:  # bound and not listening: the connection is refused at once
        closed.bind(("127.0.0.1", 0))
        line = line.format(url=f"'http://127.0.0.1:{closed.getsockname()[1]}/a?b'")
        more = ["--libcurl", "-", "--noproxy", "*"]
        runs = [
            ["bash", "-c", line.replace("curl ", f"curl -q {quoted(more)} ", 1)],
            ["curl", "-q", *more, *read_curl(line).arguments()],
        ]
        code = [subprocess.run(run, capture_output=True, timeout=20, check=False).stdout.decode() for run in runs]
    assert "CURLOPT_URL" in code[0]
    assert code[0] == code[1]
