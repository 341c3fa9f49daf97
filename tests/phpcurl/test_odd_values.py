"""Whatever a script says, it is told in a sentence: no error of pycurl's or Python's own comes through."""

import contextlib
import io
import math
import random
import warnings

import pytest

from labkit.errors import LabError
from labkit.net.server import UpgradeServer
from labkit.phpcurl import (
    curl_close,
    curl_copy_handle,
    curl_easy_recv,
    curl_easy_send,
    curl_error,
    curl_exec,
    curl_getinfo,
    curl_init,
    curl_reset,
    curl_setopt,
    curl_ws_recv,
    curl_ws_send,
)
from labkit.phpcurl.options import KINDS, NAMES

VALUES = [
    None, True, False, 0, 1, 2, 3, -1, -2, 1 << 31, 1 << 33, 1 << 63, 1 << 70, -(1 << 65), 1.5, math.nan, math.inf, "",
    "x", "1", "ü", "\ud800", b"\xff", b"a\0b", "x: y", [], ["a"], ["a: b", "c;"], ["a\0b"], [1, None], [["x"]],
    {"a": "b"}, {"a": 1, 2: b"\xff"}, {}, (), set(), object(), lambda *_: None, lambda *_: -1, io.StringIO("a"),
    "http://example.com/", "file:///etc/hostname", "a" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("option", KINDS, ids=NAMES.get)
def test_one_option(option):
    """Each option is set to each odd value, or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of CURLOPT_SSL_VERIFYHOST 1
        for value in VALUES:
            with contextlib.suppress(LabError):
                assert curl_setopt(curl_init(), option, value) in (True, False)


@pytest.mark.parametrize("seed", range(8))
def test_several_options_and_calls(seed, monkeypatch):
    """With whatever was set, the handle goes to work and is asked, copied, closed: each ends in a value or a sentence."""
    monkeypatch.setattr("labkit.phpcurl.PATIENCE", 0.1)
    draw = random.Random(seed)
    calls = [
        curl_exec, curl_getinfo, curl_reset, curl_close, curl_error, curl_copy_handle, lambda ch: curl_easy_recv(ch, 5),
        lambda ch: curl_easy_send(ch, "x"), curl_ws_recv, lambda ch: curl_ws_send(ch, "x"),
    ]  # fmt: skip
    quiet = io.StringIO()
    with UpgradeServer(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        for _ in range(50):
            ch = curl_init("http://example.com/path")
            for option in draw.choices(list(KINDS), k=4):
                with contextlib.suppress(LabError), warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    curl_setopt(ch, option, draw.choice(VALUES))
            for call in [curl_exec, *draw.choices(calls, k=3)]:
                with contextlib.suppress(LabError):
                    call(ch)
