"""A PHP script runs for real, in bounds, and what it says crosses to the lab as it is."""

from __future__ import annotations

import os
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.dissection import dissect
from labkit.errors import Absent, Failed, WrongUse
from labkit.net import programs
from labkit.net.php import Changed, php
from labkit.net.process import run_child
from labkit.net.programs import find
from labkit.net.server import UpgradeServer
from labkit.trace import Direction

pytestmark = pytest.mark.skipif(not find("php") and not os.environ.get("CI"), reason="needs php-cli and php-curl")

DOCUMENT = r"""<?php
// Initialize cURL session
$ch = curl_init('http://example.com/path');
// Set cURL options for protocol upgrade
curl_setopt($ch, CURLOPT_HTTPHEADER, array('Upgrade: websocket', 'Connection: Upgrade'));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
// Execute cURL session
$response = curl_exec($ch);
// Check for HTTP 101 Switching Protocols response
if (strpos($response, "HTTP/1.1 101 Switching Protocols") !== false) {
echo "Protocol successfully upgraded.\n";
} else {
echo "Failed to upgrade protocol.\n";
}
// Close cURL session
curl_close($ch);
?>
"""
KEY = "'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'"
COMPLETE = DOCUMENT.replace("'Connection: Upgrade'", KEY)
HEAD = (
    r"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    r"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SAY = f"""
fwrite($s, "{HEAD}");
while (($line = fgets($s)) !== "\\r\\n") echo $line;
fwrite($s, "\\x81\\x85\\x37\\xfa\\x21\\x3d\\x7f\\x9f\\x4d\\x51\\x58");  // Hello, masked: RFC 6455, 5.7
echo bin2hex(stream_get_contents($s, 7)), "\\n";
fwrite($s, "\\x88\\x82\\x00\\x00\\x00\\x00\\x03\\xe8");
echo bin2hex(stream_get_contents($s, 4)), "\\n";
"""


def repaired(*lines: str) -> str:
    """Return the complete script with more options set before it runs."""
    return COMPLETE.replace("// Execute", "\n".join(lines) + "\n// Execute")


def sent(ran) -> bytes:
    return ran.trace.stream(Direction.TO_SERVER)


# The document's script, and its repairs


def test_the_document_s_script_fails_as_it_stands():
    """No key, no version: 400 from a real server, so the script can only say that it failed (RFC 6455, 4.2.1)."""
    ran = php(DOCUMENT)
    assert ran.printed == "Failed to upgrade protocol.\n"
    assert (ran.code, ran.meaning, ran.status) == (0, "the script ran to its end", 400)
    assert ran.program.startswith(f"PHP {find('php').version}, libcurl ")
    assert ran.trace.hops[0].client == f"PHP {find('php').version}"
    assert ran.changed == (Changed(3, "curl_init", "\\labkit\\curl_init"),)
    assert str(ran).startswith("$ php script.php\nFailed to upgrade protocol.\n[exit 0: the script ran to its end]")
    assert str(ran).endswith("[changed: line 3: curl_init -> \\labkit\\curl_init]")
    assert repr(ran) == "<PhpRan PHP: 400, exit 0>"


def test_the_request_has_not_a_changed_byte():
    """example.com is dialled at the lab, and nothing in the request tells of it."""
    head = (
        b"GET /path HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    assert sent(php(DOCUMENT)) == head


def test_with_key_and_version_it_never_ends():
    """The switch happens, and curl_exec waits for ever: the lab ends it and says why."""
    ran = php(COMPLETE, patience=1)
    assert (ran.code, ran.out, ran.status) == (None, b"", 101)
    assert ran.meaning == (
        "it had not ended after 1 s: after a 101 curl_exec waits for ever unless CURLOPT_TIMEOUT is set"
    )


@pytest.mark.parametrize(
    ("option", "printed"),
    [
        ("", "Failed to upgrade protocol.\nfalse 28 101"),
        ("curl_setopt($ch, CURLOPT_HEADER, true);", "Failed to upgrade protocol.\nfalse 28 101"),
    ],
)
def test_with_a_timeout_false_is_no_failure(option: str, printed: str):
    """curl_exec gives false and errno 28, and the code is 101; HEADER alone helps nothing."""
    script = repaired("curl_setopt($ch, CURLOPT_TIMEOUT_MS, 300);", option)
    told = "echo var_export($response, true), ' ', curl_errno($ch), ' ', curl_getinfo($ch, CURLINFO_RESPONSE_CODE);"
    ran = php(script.replace("// Close", f"{told}\n// Close"))
    assert ran.printed == printed
    assert (ran.code, ran.status) == (0, 101)


def test_the_response_code_tells_the_switch():
    """What to ask is CURLINFO_RESPONSE_CODE, not the body."""
    script = repaired("curl_setopt($ch, CURLOPT_TIMEOUT_MS, 300);")
    script = script.replace('strpos($response, "HTTP/1.1 101 Switching Protocols") !== false',
                            "curl_getinfo($ch, CURLINFO_RESPONSE_CODE) === 101")  # fmt: skip
    assert php(script).printed == "Protocol successfully upgraded.\n"


def test_a_header_function_ends_it_at_once():
    """A header function that returns -1 at the blank line gives the head at once: errno 23, code 101."""
    lines = [
        "$head = '';",
        "curl_setopt($ch, CURLOPT_HEADERFUNCTION, function ($ch, $line) use (&$head) {",
        '$head .= $line; return $line === "\\r\\n" ? -1 : strlen($line); });',
    ]
    script = repaired(*lines).replace("// Close", "echo curl_errno($ch), ' ', strtok($head, \"\\r\");\n// Close")
    ran = php(script)
    assert ran.printed.endswith("\n23 HTTP/1.1 101 Switching Protocols")
    assert (ran.code, ran.status) == (0, 101)


# Sockets, and PHP's own http://


@pytest.mark.parametrize(
    "opened", ["stream_socket_client('tcp://example.com:80', $no, $text, 2)", "fsockopen('example.com', 80)"]
)
def test_a_socket_speaks_frames(opened: str):
    """After the 101 a masked Hello comes back unmasked, and the closing handshake is answered (RFC 6455, 5.5.1)."""
    ran = php(f"<?php $s = {opened};{SAY}")
    assert ran.printed.startswith("HTTP/1.1 101 Switching Protocols\n")
    assert ran.printed.endswith("810548656c6c6f\n880203e8\n")
    assert ran.status == 101
    assert not ran.errors


@pytest.mark.parametrize("context", ["", ", false, stream_context_create(['http' => ['header' => 'X-A: b']])"])
def test_php_s_own_http_reaches_the_lab(context: str):
    """The request names example.com, in the form for a server; a context of the script's own is kept."""
    ran = php(f"<?php echo strlen(file_get_contents('http://example.com/a?b'{context})), $http_response_header[0];")
    assert ran.printed.endswith("HTTP/1.1 200 OK")
    assert sent(ran).startswith(b"GET /a?b HTTP/1.1\r\n")
    assert b"\r\nHost: example.com\r\n" in sent(ran)
    assert (b"X-A: b\r\n" in sent(ran)) is bool(context)


def test_named_arguments_and_results_are_php_s_own():
    """An argument may be given by its name, and what is handed back by reference arrives."""
    ran = php(
        "<?php declare(strict_types=1);\n"
        "$s = stream_socket_client(address: 'tcp://127.0.0.1:1', error_code: $code, timeout: 1.0);\n"
        "var_dump($s, $code > 0, curl_init(url: null) instanceof CurlHandle, fsockopen('unix:///none', error_code: $c));"
    )
    assert ran.printed == "bool(false)\nbool(true)\nbool(true)\nbool(false)\n"


# Which host is whose


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_loopback_goes_where_it_says(name: str):
    """A URL, or a socket, of this machine's reaches its own port, not the lab."""
    with UpgradeServer() as lab, UpgradeServer() as other:
        ran = php(
            f"<?php $c = curl_init('http://{name}:{other.port}/curl'); curl_exec($c);"
            f"$s = stream_socket_client('tcp://{name}:{other.port}'); fwrite($s, \"GET /socket HTTP/1.1\\r\\n\\r\\n\");"
            f"fgets($s); $f = fsockopen('{name}', {other.port}); fwrite($f, \"GET /f HTTP/1.1\\r\\n\\r\\n\"); fgets($f);",
            to=lab,
        )
        assert ran.traces == ()
        assert [each.stream(Direction.TO_SERVER).split()[1] for each in other.traces] == [b"/curl", b"/socket", b"/f"]


def test_loopback_over_ipv6_goes_where_it_says():
    """So does [::1]; and a lab that listens there is reached there."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    with UpgradeServer() as lab, UpgradeServer(host="::1") as other:
        assert php(f"<?php $c = curl_init('http://[::1]:{other.port}/'); curl_exec($c);", to=lab).traces == ()
        assert len(other.traces) == 1
        everything = (
            "<?php $c = curl_init('http://example.com/'); curl_exec($c); fgets(fsockopen('example.com', 80));"
            "fgets(stream_socket_client('tcp://[2001:db8::1]:80')); file_get_contents('http://example.com/');"
        )
        with UpgradeServer(host="::1", limits=lab.limits) as six:
            assert len(php(everything.replace("fgets", "fclose"), to=six).traces) == 4


@pytest.mark.parametrize(
    "line",
    [
        "curl_reset($c); curl_setopt($c, CURLOPT_URL, 'http://a.example/');",
        "$c = curl_copy_handle($c);",
        "$n = 'curl_init'; $c = $n('http://a.example/');",
        "[$c] = array_map('curl_init', ['http://a.example/']);",
        "$f = curl_init(...); $c = $f('http://a.example/');",
        "$c = (function () { return \\CURL_INIT /* as it may be written */ ('http://a.example:8080/'); })();",
    ],
)
def test_every_handle_leads_to_the_lab(line: str):
    """A handle that was reset or copied, and one made through a callable."""
    ran = php(f"<?php $c = curl_init('http://a.example/'); {line} curl_exec($c);")
    assert [dissect(trace).status for trace in ran.traces] == [200]


def test_several_handles_at_once_lead_to_the_lab():
    """curl_multi needs nothing of its own."""
    ran = php(
        "<?php $m = curl_multi_init(); foreach (['a', 'b'] as $n) curl_multi_add_handle($m, curl_init(\"http://$n.example/\"));"
        "do { curl_multi_exec($m, $on); curl_multi_select($m, 0.1); } while ($on);"
    )
    assert len(ran.traces) == 2


def test_a_request_for_loopback_by_php_s_own_http_is_named():
    """It comes to the lab, which the result says."""
    ran = php("<?php file_get_contents('http://127.0.0.1:9/');")
    assert ran.notes == (
        "a request for 127.0.0.1:9 came to the lab, as all of PHP's own http:// do: take cURL or a socket there",
    )
    with UpgradeServer() as lab:
        assert php(f"<?php file_get_contents('{lab.url}');").notes == ()


@pytest.mark.parametrize(
    "get", ["curl_exec(curl_init('https://a.example/'))", "@file_get_contents('https://a.example/')"]
)
def test_tls_is_named(get: str):
    """The lab speaks none; the script's own error says little."""
    assert php(f"<?php {get};").notes == ("the lab's server speaks no TLS: write http:// in place of https://",)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    """Settings that would lead elsewhere change nothing."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert php(DOCUMENT).status == 400


def test_the_server_is_the_one_that_runs():
    """One that runs is taken; of several one has to be named; where none runs one is started, and ended."""
    with UpgradeServer() as first:
        php(DOCUMENT)
        assert len(first.traces) == 1
        with UpgradeServer(), pytest.raises(WrongUse, match="say which is meant with to="):
            php(DOCUMENT)
    with pytest.raises(WrongUse, match="to is a running"):
        php(DOCUMENT, to=first)


def test_two_runs_at_once_are_kept_apart():
    """Each has its own folder, and its own server's trace."""

    def one(path: str) -> bytes:
        with UpgradeServer() as server:
            return sent(php(DOCUMENT.replace("/path", path), to=server)).split()[1]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, ["/one", "/two"])) == [b"/one", b"/two"]


# A machine without


def without(folder: Path, monkeypatch: pytest.MonkeyPatch, flags: str) -> None:
    """Put a php before the real one that loads no extensions but those of the flags."""
    (folder / "php").write_text(f'#!/bin/sh\nexec {find("php").path} -n {flags} "$@"\n')
    (folder / "php").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(programs, "_SBIN", ())


def test_no_php_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The package is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", ())
    with pytest.raises(Absent, match="sudo apt install php-cli php-curl"):
        php(DOCUMENT)


def test_no_curl_is_named_where_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A script that calls no function of it runs all the same."""
    without(tmp_path, monkeypatch, "-d extension=tokenizer")
    ran = php("<?php echo 'no curl_init()';")
    if "libcurl" in ran.program:
        pytest.skip("this php has cURL built in")
    assert (ran.printed, ran.program) == ("no curl_init()", f"PHP {find('php').version}")
    with pytest.raises(Absent, match=r"this php has no cURL, and the script calls for it; .*php-curl"):
        php("<?php echo curl_version()['version'];")


@pytest.mark.parametrize(
    ("says", "error"), [("PHP 7.4.33 (cli)", "the lab needs PHP 8.0 or newer; .*php is 7.4.33"), ("", "is unknown")]
)
def test_an_old_php_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, error: str):
    """The tokenizer that reads the script came with PHP 8."""
    (tmp_path / "php").write_text(f"#!/bin/sh\necho '{says}'\n")
    (tmp_path / "php").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Absent, match=error):
        php("<?php echo 1;")


def test_no_tokenizer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without it no script can be read."""
    without(tmp_path, monkeypatch, "")
    if "tokenizer" in run_child([find("php").path, "-m"], patience=5).out.decode().split():
        pytest.skip("this php has its tokenizer built in")
    with pytest.raises(Absent, match="this php has no tokenizer; install it: sudo apt install php-common"):
        php("<?php echo 1;")


def test_a_php_that_makes_no_sense_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What it said instead of an answer is told."""
    (tmp_path / "php").write_text("#!/bin/sh\necho 'PHP 8.2.0'; echo 'no memory' >&2; exit 7\n")
    (tmp_path / "php").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failed, match="php could not read the script: no memory"):
        php("<?php echo 1;")


@pytest.mark.parametrize("script", [b"<?php echo 1;", None, Path("script.php")])
def test_a_script_is_a_text(script):
    """Bytes, nothing, and a path are told so."""
    with pytest.raises(WrongUse, match="script is the text of a PHP script, not"):
        php(script)


@pytest.mark.parametrize(
    ("script", "patience", "error"),
    [
        ("<?php\necho '\ud83d';", 5.0, "line 2 of the script has half a character in it"),
        ("x" * (1 << 20) + "x", 5.0, "the script has 1048577 bytes; the lab runs at most 1048576"),
        ("<?php", 0, "patience is above 0 and at most 3600 seconds, not 0"),
        ("<?php", "5", "patience is above 0"),
    ],
)
def test_what_cannot_be_run_is_wrong_use(script: str, patience, error: str):
    """Half a surrogate pair, a script without measure, a wait that is none."""
    with pytest.raises(WrongUse, match=error):
        php(script, patience=patience)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No file, though the script wrote some and made them unreadable, and no process, though it was ended."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ran = php("<?php mkdir('a'); touch('a/b'); chmod('a', 0); echo getmypid(); sleep(60);", patience=0.3)
    assert ran.code is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(ran.printed), 0)
    assert list(tmp_path.iterdir()) == []
