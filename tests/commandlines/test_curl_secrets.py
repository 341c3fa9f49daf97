"""What is secret in a command line is starred out where it is shown."""

from __future__ import annotations

import pytest

from labkit.commandlines.curl_line import read_words
from labkit.commandlines.curl_secrets import starred


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["-H", "Authorization: Bearer abc"], ["-H", "Authorization: Bearer ***"]),
        (["-H", "Host: server.example.com"], ["-H", "Host: server.example.com"]),
        (["-b", "id=7; theme=dark"], ["-b", "id=*; theme=****"]),
        (["-u", "me:secret"], ["-u", "me:******"]),
        (["--oauth2-bearer", "abc"], ["--oauth2-bearer", "***"]),
        (["-d", "password=abc&name=me"], ["-d", "password=***&name=me"]),
        (["--http2"], ["--http2"]),
    ],
)
def test_secrets_of_options(given: list[str], shown: list[str]):
    """Names, schemes and users stay readable; values that open a door do not."""
    assert starred(read_words([*given, "http://x/"])).arguments() == [*shown, "http://x/"]


def test_secrets_of_the_url():
    """Tokens and passwords in a URL are starred out, as in a diagram."""
    assert starred(read_words(["http://me:secret@x/?token=abc"])).url == "http://me:******@x/?token=***"
