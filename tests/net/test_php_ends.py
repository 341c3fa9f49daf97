"""How a script may end: by itself, by an error, by a signal, by the lab; and what it may not do."""

from __future__ import annotations

import os

import pytest

from labkit.net.php import php
from labkit.net.programs import find

pytestmark = pytest.mark.skipif(not find("php") and not os.environ.get("CI"), reason="needs php-cli and php-curl")

UNCAUGHT = "nothing caught an exception: line"


@pytest.mark.parametrize(
    ("script", "code", "meaning"),
    [
        ("echo 1;", 0, "the script ran to its end"),
        ("exit('bye');", 0, "the script ran to its end"),
        ("exit(3);", 3, "the script said exit(3)"),
        ("exit(255);", 255, "a fatal error ended it, or the script said exit(255)"),
        ("error_reporting(0); nix();", 255, "a fatal error ended it, or the script said exit(255)"),
        ("\nif (;", 255, 'the script has a syntax error: line 3: unexpected token ";"'),
        ("if (1) {\n", 255, "the script has a syntax error: line 3: Unclosed '{' on line 2"),
        ("\neval('1 1;');", 255, 'the script has a syntax error: line 1: unexpected integer "1"'),
        ("echo 1;\0", 255, "the script has a syntax error: line 2: unexpected character 0x00, expecting end of file"),
        ("throw new Exception('a\nb');", 255, f"{UNCAUGHT} 2: Exception: a b"),
        ("throw new Exception(str_repeat('a ', 999));", 255, None),
        ("echo 1;\r\nnix();", 255, f"{UNCAUGHT} 3: Error: Call to undefined function nix()"),
        (
            "\nfsockopen([]);",
            255,
            f"{UNCAUGHT} 3: TypeError: labkit\\fsockopen(): Argument #1 ($hostname) must be of type string, array given",
        ),
        ("trigger_error('enough', E_USER_ERROR);", 255, "a fatal error ended it: line 2: enough"),
        ("posix_kill(getmypid(), 9);", -9, "SIGKILL ended it"),
        ("posix_kill(getmypid(), 40);", -40, "signal 40 ended it"),
    ],
)
def test_the_code_has_a_meaning(script: str, code: int, meaning: str | None):
    """Each with the line that its author knows; PHP's own errors give 255."""
    ran = php(f"<?php\n{script}")
    assert ran.code == code
    if meaning is None:
        assert len(ran.meaning) <= 300
        assert ran.meaning.endswith("a …")
    else:
        assert ran.meaning == meaning
    assert "/tmp" not in str(ran)


@pytest.mark.parametrize(
    ("script", "meaning"),
    [
        (
            "$a = 'x'; while (true) $a .= $a;",
            "line 1: it asked for more memory than the 134217728 bytes that it may have",
        ),
        (
            "ini_set('memory_limit', '-1'); $a = 'x'; while (true) $a .= $a;",
            "Out of memory",
        ),
    ],
)
def test_memory_has_a_bound(script: str, meaning: str):
    """PHP's own, and where the script lifts that, the system's; newer ones then say exit 1."""
    ran = php(f"<?php {script}")
    assert ran.code in ((255,) if "-1" not in script else (255, 1))
    assert meaning in ran.meaning


@pytest.mark.parametrize("script", ["sleep(60);", "while (true);", "for (;;) echo curl_errno(curl_init());"])
def test_time_has_a_bound(script: str):
    """Whatever it does, it is ended; what it printed is there."""
    ran = php(f"<?php echo 'begun'; {script}", patience=0.3)
    assert (ran.code, ran.meaning) == (None, "it had not ended after 0.3 s")
    assert ran.printed.startswith("begun")
    assert repr(ran) == "<PhpRan PHP: no answer, ended by the lab>"


def test_output_has_a_bound():
    """The first MiB of 100 MB is kept; the script is ended on its way, or counted to its end."""
    ran = php("<?php for ($i = 0; $i < 100; $i++) echo str_repeat('x', 1000000);", patience=30)
    assert len(ran.out) == 1 << 20
    assert ran.dropped > 60_000_000
    assert (ran.code, ran.meaning) in [(None, "it wrote more than 64 MiB"), (0, "the script ran to its end")]


def test_files_have_a_bound():
    """A file that grows without end is cut short by the system."""
    ran = php("<?php while (true) file_put_contents('f', str_repeat('x', 10000000), FILE_APPEND);", patience=30)
    assert ran.meaning == "it wrote more than it may into one file, its output or another: 128 MiB"


def test_output_that_is_no_text_stays_bytes():
    """Bytes of frames, say; they can be read all the same."""
    ran = php('<?php echo "\\x81\\x05Hello\\xff"; fwrite(STDERR, "\\xfe");')
    assert (ran.out, ran.err) == (b"\x81\x05Hello\xff", b"\xfe")
    assert ran.printed == "\\x81\\x05Hello\\xff"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("`ls`", "shell_exec"),
        ("exec('ls')", "exec"),
        ("proc_open('ls', [], $p)", "proc_open"),
        ("pcntl_fork()", "pcntl_fork"),
    ],
)
def test_it_starts_no_programs(call: str, name: str):
    """Such functions are not there, which is said in the code's meaning."""
    ran = php(f"<?php echo {call};")
    assert (ran.code, ran.out) == (255, b"")
    assert ran.meaning == f"line 1: the lab's PHP starts no programs, and has no {name}"


def test_it_opens_no_files_outside():
    """Neither by PHP nor by cURL; its own folder, and files of its own making, are open to it."""
    ran = php(
        "<?php echo json_encode([@file_get_contents('/etc/passwd'), @scandir('/')]);"
        "$c = curl_init('file:///etc/passwd'); echo json_encode([curl_exec($c), curl_errno($c)]);"
        "file_put_contents('own', 'mine'); echo json_encode([file_get_contents(__DIR__ . '/own'), (bool) tmpfile()]);"
    )
    assert ran.printed == '[false,false][false,1]["mine",true]'


def test_it_calls_no_foreign_functions():
    """Debian's PHP has FFI, by which a script could do anything."""
    assert php("<?php FFI::cdef('int getpid();');").code == 255


def test_messages_do_not_name_the_folder():
    """The script is script.php, in what it prints too."""
    ran = php("<?php echo __FILE__, ' ', __DIR__, ' ', basename(getcwd()) === basename(__DIR__); fopen('/x', 'r');")
    assert ran.printed == "script.php . 1"
    assert ran.errors.endswith("Failed to open stream: Operation not permitted in script.php on line 1\n")
