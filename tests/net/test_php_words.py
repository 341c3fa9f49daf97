"""Which words of a script the lab changes, and which it leaves alone."""

from __future__ import annotations

import os

import pytest

from labkit.net.php import Changed, PhpRan, php
from labkit.net.programs import find

pytestmark = pytest.mark.skipif(not find("php") and not os.environ.get("CI"), reason="needs php-cli and php-curl")

NOW = "\\labkit\\curl_init"


def changed(script: str) -> list[tuple[int, str, str]]:
    return [(each.line, each.was, each.now) for each in php(script).changed]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("<?php\n\ncurl_init('x');", [(3, "curl_init", NOW)]),
        ("<?php curl_init # a comment\n ('x');", [(1, "curl_init", NOW)]),
        ("<?php \\curl_init(); CURL_INIT();", [(1, "\\curl_init", NOW), (1, "CURL_INIT", NOW)]),
        ("<?php namespace Foo; curl_init();", [(1, "curl_init", NOW)]),
        ("<b>\n<?= curl_init('x') ? 1 : 0 ?>\ncurl_init()", [(2, "curl_init", NOW)]),
        ("<?php $a = 1; echo \"{${curl_init('x') ? 'a' : 'b'}}\";", [(1, "curl_init", NOW)]),
        ("<?php $f = curl_init(...);", [(1, "curl_init", NOW)]),
        ("<?php declare(strict_types=1);\r\n$c = curl_init();\r\ncurl_reset($c);",
         [(2, "curl_init", NOW), (3, "curl_reset", "\\labkit\\curl_reset")]),
        ("<?php @fsockopen('127.0.0.1', 1); @stream_socket_client('tcp://127.0.0.1:1'); stream_context_create();",
         [(1, word, f"\\labkit\\{word}") for word in ("fsockopen", "stream_socket_client", "stream_context_create")]),
        ("<?php namespace Foo; use function curl_exec, curl_init as ci; ci('x');",
         [(1, "curl_init", "labkit\\curl_init")]),
        ("<?php use function Foo\\bar as curl_init;", []),
        ("<?php array_map('curl_init', ['x']);", [(1, "'curl_init'", "'labkit\\curl_init'")]),
        ('<?php $f = "\\curl_init"; $f();', [(1, '"\\curl_init"', "'labkit\\curl_init'")]),
    ],
)  # fmt: skip
def test_what_calls_it_is_changed(script: str, words: list[tuple[int, str, str]]):
    """Calls in any spelling, imports, and a text that is handed on as a callable; each in its line."""
    ran = php(script)
    assert [(each.line, each.was, each.now) for each in ran.changed] == words
    assert (ran.code, ran.errors) == (0, "")


@pytest.mark.parametrize(
    "script",
    [
        "// curl_init()\n# curl_init()\n/* curl_init() */",
        "echo 'curl_init', \"curl_init()\", 'a ' . 'curl_init';",
        "echo <<<X\ncurl_init('a')\nX;",
        "echo <<<'X'\ncurl_init('a')\nX;",
        "$a = ['curl_init' => 1]; echo $a['curl_init'];",
        (
            "class A { function curl_init() { return 1; } static function &fsockopen() { static $x; return $x; } }"
            "$a = new A; $a->curl_init(); $a?->curl_init(); A::fsockopen(); call_user_func([$a, 'curl_init']);"
        ),
        "const curl_init = 1; echo curl_init;",
        "class fsockopen {} new fsockopen();",
    ],
)
def test_what_does_not_call_it_stays(script: str):
    """Comments, texts, keys, methods, constants and classes."""
    ran = php(f"<?php\n{script}")
    assert (ran.changed, ran.code, ran.errors) == ((), 0, "")


def test_a_method_may_call_the_function_of_its_name():
    """A class about cURL: its method stays, and what the method calls is changed."""
    script = "<?php\nclass A {\n function curl_init() {\n  return curl_init();\n }\n}\n(new A)->curl_init();"
    assert changed(script) == [(4, "curl_init", NOW)]


def test_a_script_with_an_error_is_read_all_the_same():
    """Its words are changed, and PHP says what is wrong with it."""
    ran = php("<?php\n$c = curl_init(;\n")
    assert [each.line for each in ran.changed] == [2]
    assert ran.meaning == 'the script has a syntax error: line 2: unexpected token ";"'


def test_what_is_outside_php_is_printed():
    """HTML before `<?php` stands in the output as it is."""
    ran = php("<b>\r\n<?php echo 1;")
    assert ran.out == b"<b>\r\n1"
    assert ran.notes == ()


@pytest.mark.parametrize("script", ["hello\n", "$c = curl_init();\n", "<? echo 1; ?>\n"])
def test_a_script_without_php_is_named(script: str):
    """It is printed, and the result says why."""
    ran = php(script)
    assert ran.printed == script
    assert ran.notes == ("no <?php in it: PHP prints it as it is",)
    assert ran.changed == ()


def test_an_empty_script_prints_nothing():
    """Nothing is wrong with it."""
    ran = php("")
    assert (ran.out, ran.err, ran.code, ran.notes) == (b"", b"", 0, ())


def test_nothing_of_the_lab_s_is_in_the_script_s_way():
    """It finds no variable, and no argument, that is not its own."""
    script = "<?php echo implode(' ', array_keys(get_defined_vars())), ' ', implode(' ', $argv), basename(__FILE__);"
    assert php(script).printed == "_GET _POST _COOKIE _FILES argv argc _SERVER script.phpscript.php"


def test_many_changes_are_shown_in_part():
    """The first twenty, and how many there are more; all of them are in `changed`."""
    ran = PhpRan("PHP", "php script.php", 0, "done", changed=(Changed(1, "a", "b"),) * 25)
    assert str(ran).count("[changed: line 1: a -> b]") == 20
    assert str(ran).endswith("[changed: 5 more]")


@pytest.mark.parametrize(
    ("piece", "code", "changes"), [(";", 0, 0), ("#\n", 0, 0), ("fsockopen(", 255, 104_855)]
)  # fmt: skip
def test_the_longest_scripts_are_read_in_time(piece: str, code: int, changes: int):
    """A million tokens, half a million comments, and a hundred thousand changes do not keep the lab."""
    script = "<?php exit('read');"
    script += piece * (((1 << 20) - len(script)) // len(piece))
    ran = php(script, patience=30)
    assert (ran.code, len(ran.changed)) == (code, changes)
    assert (ran.printed == "read") is (code == 0)
