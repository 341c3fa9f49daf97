"""What cannot be done in a browser says so in one sentence, and names what works there."""

from __future__ import annotations

import pytest

from labkit.net.machine import NOT_IN_BROWSER
from tests.pyodide.inside import Pyodide

FOR_REAL = [
    "labkit.UpgradeServer().start()",
    "labkit.run(labkit.Scenario())",
    "labkit.run(labkit.Scenario(labkit.Offer.websocket('/ws/'), via=[labkit.Nginx('location / { proxy_pass http://b; }')]))",
    "labkit.ask('ws://127.0.0.1:8765/')",
    "labkit.ask('wss://127.0.0.1:8765/')",
    "labkit.why('ws://127.0.0.1:8765/')",
    "labkit.Tap('127.0.0.1:8765').start()",
    "labkit.curl('http://127.0.0.1:8765/')",
    "labkit.curl('curl -i http://example.com/')",
    "labkit.php('<?php echo 1;')",
    "labkit.browse('ws://127.0.0.1:8765/')",
    "labkit.phpcurl.curl_init('http://example.com/')",
    "labkit.net.process.run_child(['/bin/true'], patience=1)",
    "labkit.net.run.run(labkit.Scenario(client='websockets'))",
]


@pytest.mark.parametrize("call", FOR_REAL)
def test_it_is_one_sentence(inside: Pyodide, call: str):
    """Whatever takes a socket, a thread or a program raises the one LabError, and nothing else."""
    told = inside.run(
        f"""
import labkit, labkit.net.process, labkit.net.run
try:
    told = ["no error", str({call})]
except BaseException as error:
    told = [type(error).__name__, str(error)]
told
"""
    )
    assert told == ["Absent", NOT_IN_BROWSER]


def test_the_sentence_is_one_and_names_what_works():
    """It says why, and what to do instead."""
    assert "runs in a browser" in NOT_IN_BROWSER
    assert "labkit.simulate(" in NOT_IN_BROWSER
    assert "\n" not in NOT_IN_BROWSER


def test_looking_around_is_no_error(inside: Pyodide):
    """`doctor` and `kernel_upgrade` say in words that there is a browser; a program that is not there is false."""
    verdict, channel, found, note = inside.run(
        "import labkit\nfrom labkit.net.programs import find\ncurl = find('curl')\n"
        "[str(labkit.doctor()), str(labkit.kernel_upgrade()), bool(curl), curl.note]"
    )
    assert "The lab can work here. Absent, and not needed to begin: 127.0.0.1" in verdict
    assert "this Python runs in a browser: simulate works" in verdict
    assert "sudo" not in verdict
    assert channel.startswith("This notebook's kernel runs in the browser itself")
    assert (found, note) == (False, "in a browser no programs run")


def test_every_name_is_there(inside: Pyodide):
    """Every public name can be imported, so that a notebook's first cell works."""
    assert inside.run("import labkit\n[name for name in labkit.__all__ if not getattr(labkit, name).__doc__]") == []
