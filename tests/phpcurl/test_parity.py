import os
import re

import pytest

from labkit import phpcurl
from labkit.errors import Failed
from labkit.net.php import php
from labkit.net.programs import find
from labkit.net.server import UpgradeServer
from tests.phpcurl.parity import CHOSEN, DIFFERENCES, MEASURED, NAMES, NEWER, SCRIPTS, by_php, by_python, differences

pytestmark = pytest.mark.skipif(not find("php") and not os.environ.get("CI"), reason="needs php-cli and php-curl")
LISTED = {(row.script, row.what): row for row in DIFFERENCES}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_script_in_both_languages(name):
    """What it prints, returns and is told, each head line, and every byte it sends: equal but for what is listed."""
    ours, theirs = by_python(name), by_php(name)
    found = differences(theirs, ours)
    if (theirs.libcurl, ours.libcurl) != MEASURED:  # what is listed may differ or not
        allowed = LISTED.keys() | CHOSEN.keys() | NEWER.keys()
        assert {key: value for key, value in found.items() if (name, key) not in allowed} == {}
        return
    unlisted = {key: value for key, value in found.items() if (name, key) not in LISTED.keys() | CHOSEN.keys()}
    assert unlisted == {}
    assert set(found) == {key for script, key in LISTED.keys() | CHOSEN.keys() if script == name}
    for key, (php_had, we_had) in found.items():
        row = LISTED.get((name, key))
        assert row is None or (is_told(php_had, row.php) and is_told(we_had, row.python))


def is_told(had, told):
    """Of what was sent, a row of the table tells a part; of a result, all."""
    return told in b"".join(had) if isinstance(told, bytes) else told == had


@pytest.mark.parametrize("name", NAMES)
def test_every_script_has_its_twin(name):
    """Both call the same functions of PHP's, equally often, and set the same options."""
    texts = [(SCRIPTS / f"{name}{end}").read_text() for end in (".php", ".py")]
    for word in (r"\bcurl_\w+(?=\()", r"\bCURLOPT_\w+"):
        one, other = (re.findall(word, text) for text in texts)
        assert sorted(one) == sorted(other)


def test_where_php_never_returns():
    """A complete handshake without a limit of time: PHP waits for ever, and here an error says so, and the cure."""
    script = (SCRIPTS / "timeout.php").read_text().replace("curl_setopt($ch, CURLOPT_TIMEOUT, 1);", "")
    twin = (SCRIPTS / "timeout.py").read_text().replace("curl_setopt(ch, CURLOPT_TIMEOUT, 1)", "")
    with UpgradeServer() as server:
        ran = php(script, to=server, patience=1.0)
    assert ran.code is None
    assert ran.status == 101
    with UpgradeServer(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(phpcurl, "PATIENCE", 0.3)
        with pytest.raises(Failed, match="would never return: after a 101 libcurl waits for more; set CURLOPT_TIMEOUT"):
            exec(twin, {})
