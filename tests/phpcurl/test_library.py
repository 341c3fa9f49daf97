import sys

import pytest

from labkit import phpcurl
from labkit.errors import Absent


def test_without_pycurl(monkeypatch):
    """Where pycurl is absent the names are there all the same, and the first call says what to install."""
    monkeypatch.setitem(sys.modules, "pycurl", None)
    assert phpcurl.CURLOPT_URL == 10002
    with pytest.raises(Absent, match=r'python -m pip install "http101-labkit\[phpcurl\]"'):
        phpcurl.curl_init("http://example.com/")
    with pytest.raises(Absent):
        phpcurl.curl_multi_init()


def test_star_import():
    """`from labkit.phpcurl import *` brings PHP's names and a few more, and nothing of Python's."""
    names = {}
    exec("from labkit.phpcurl import *", names)
    brought = set(names) - {"__builtins__"}
    assert {name for name in brought if not name.lower().startswith("curl")} == {"answered_by", "strpos"}
    assert brought == set(phpcurl.__all__)
