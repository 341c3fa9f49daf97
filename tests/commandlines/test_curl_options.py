"""The table of curl's options holds every option of curl, as curl itself has it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from labkit.commandlines.curl_options import LETTERS, OPTIONS, found
from labkit.commandlines.curl_values import LEFT_OUT, VALUES

CURL = shutil.which("curl")
# Options since curl 7.88 that the manual of 8.22 has.
NEWER = [
    "ca-native",
    "dump-ca-embed",
    "ech",
    "follow",
    "haproxy-clientip",
    "httpsig-algo",
    "httpsig-headers",
    "httpsig-key",
    "httpsig-keyid",
    "ip-tos",
    "ipfs-gateway",
    "keepalive-cnt",
    "knownhosts",
    "mptcp",
    "out-null",
    "parallel-max-host",
    "proxy-ca-native",
    "proxy-http2",
    "proxy-http3",
    "show-headers",
    "sigalgs",
    "skip-existing",
    "ssl-sessions",
    "tls-earlydata",
    "trace-config",
    "trace-ids",
    "upload-flags",
    "variable",
    "vlan-priority",
]


def listed() -> list[tuple[str, str, bool]]:
    """Return what the installed curl lists: letter, name, whether a value follows; skip where there is none."""
    if CURL is None and os.environ.get("CI"):
        pytest.fail("CI has to have curl")
    if CURL is None:
        pytest.skip("needs curl")
    done = subprocess.run([CURL, "-q", "--help", "all"], capture_output=True, text=True, timeout=20, check=True)
    rows = re.findall(r"^ *(?:-(.), +|)--(\S+)( [<\[]\S*)?", done.stdout, re.MULTILINE)
    assert len(rows) > 200
    return [(letter, name, bool(value)) for letter, name, value in rows]


def test_every_option_of_the_installed_curl():
    """Every option that `curl --help all` lists stands in the table, with its letter and its value."""
    wrong = []
    for letter, name, takes in listed():
        row = OPTIONS.get(name)
        if row is None or row.takes != takes or (letter and LETTERS[letter].name not in (name, "include")):
            wrong.append((letter, name, takes, row))
    assert wrong == []


def test_newer_options_are_known():
    """The options of curl 8 stand in the table too, whatever the installed curl is."""
    assert [name for name in NEWER if name not in OPTIONS] == []


def test_names_and_letters_are_well_formed():
    """No name stands twice, and every letter is one that leads to a name."""
    assert all(re.fullmatch(r"[a-z][a-z0-9.-]+", name) for name in OPTIONS)
    assert all(len(letter) == 1 and OPTIONS[row.name] is row for letter, row in LETTERS.items())
    assert LETTERS["i"].name == "include"


def test_rules_of_values_are_of_options_that_are_allowed():
    """What is said of values is said of options that take one and may stand in a line."""
    assert [name for name in VALUES if OPTIONS[name].refused or not OPTIONS[name].takes] == []
    assert [name for name in LEFT_OUT if OPTIONS[name].refused] == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("include", "include"),
        ("no-include", "include"),
        ("no-buffer", "no-buffer"),
        ("buffer", "no-buffer"),
        ("no-netrc", "netrc"),
        ("no-request", None),
        ("no-no-buffer", None),
        ("inclu", None),
        ("Include", None),
        ("", None),
        ("no-", None),
        ("expand-url", None),
    ],
)
def test_lookup(name, row):
    """Names are exact; no- stands before what takes no value."""
    known = found(name)
    assert (known and known[1].name) == row
    assert known is None or known[0] == name
