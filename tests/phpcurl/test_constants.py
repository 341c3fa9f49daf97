import json
import os
import shutil

import pytest

from labkit import phpcurl
from labkit.net.process import run_child
from labkit.phpcurl.library import libcurl

OURS = {name: value for name, value in vars(phpcurl).items() if name.startswith("CURL") and name.isupper()}
PHP_LACKS = {name for name in OURS if name.startswith("CURLWS_")} | {
    "CURLE_AGAIN", "CURLINFO_ACTIVESOCKET", "CURLOPT_WS_OPTIONS", "CURLPROTO_WS", "CURLPROTO_WSS",
}  # fmt: skip
PYCURL = [("CURLOPT_", ""), ("CURLINFO_", "INFO_"), ("CURLINFO_", ""), ("CURLE_", "E_"), ("CURLM_", "E_MULTI_"),
          ("CURLAUTH_", "HTTPAUTH_"), ("CURLPROTO_", "PROTO_"), ("CURLPAUSE_", "PAUSE_"), ("CURL_", ""), ("CURLWS_", "WS_"),
          ("CURLMOPT_", "M_"), ("CURLPIPE_", "PIPE_"), ("CURL_HTTP_VERSION_", "CURL_HTTP_VERSION_")]  # fmt: skip
OTHERWISE = {  # pycurl's number is that of the _LARGE option, or the same bits without a sign
    "CURLAUTH_ANY", "CURLAUTH_ANYSAFE", "CURLOPT_INFILESIZE", "CURLOPT_MAXFILESIZE", "CURLOPT_RESUME_FROM", "CURLPROTO_ALL",
}  # fmt: skip


@pytest.mark.skipif(not shutil.which("php") and not os.environ.get("CI"), reason="needs php-cli and php-curl")
def test_php_has_the_same_numbers():
    """Each name has the number that PHP gives it, as far as this PHP has it; and the lab lacks no option of PHP 8.2."""
    script = 'echo json_encode([PHP_VERSION_ID, get_defined_constants(true)["curl"]]);'
    version, theirs = json.loads(run_child(["php", "-r", script], patience=10).out)
    common = OURS.keys() & theirs.keys()
    assert {name: OURS[name] for name in common} == {name: theirs[name] for name in common}
    assert len(common) > 400
    if 80200 <= version < 80300:
        assert OURS.keys() - theirs.keys() <= PHP_LACKS
        assert {name for name in theirs if name.startswith(("CURLOPT_", "CURLE_", "CURLM_"))} <= OURS.keys()


def test_pycurl_has_the_same_numbers():
    """What libcurl is told and asked by number is what pycurl calls by the same name."""
    pytest.importorskip("pycurl")
    lib, checked = libcurl(), 0
    for name, value in OURS.items():
        for prefix, other in PYCURL:
            theirs = getattr(lib, other + name.removeprefix(prefix), None) if name.startswith(prefix) else None
            if isinstance(theirs, int) and name not in OTHERWISE:
                assert (name, value) == (name, theirs)
                checked += 1
                break
    assert checked > 300
