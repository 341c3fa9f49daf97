"""Numbers that no C function takes are one sentence, not a traceback."""

from __future__ import annotations

import pytest

from labkit.errors import WrongUse
from labkit.phpcurl import (
    CURLOPT_URL,
    curl_init,
    curl_multi_init,
    curl_multi_select,
    curl_multi_setopt,
    curl_multi_strerror,
    curl_pause,
    curl_setopt,
    curl_strerror,
    curl_ws_send,
)

LARGE = 1 << 70


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: curl_strerror(LARGE), "too large"),
        (lambda: curl_multi_strerror(LARGE), "too large"),
        (lambda: curl_pause(curl_init(), LARGE), "too large"),
        (lambda: curl_ws_send(curl_init(), "x", LARGE), "too large"),
        (lambda: curl_ws_send(curl_init(), "x", -1), "flags"),
        (lambda: curl_setopt(curl_init(), CURLOPT_URL, 10**5000), "64 bits"),
        (lambda: curl_multi_select(curl_multi_init(), "1"), "must be of type float, string given"),
        (lambda: curl_multi_select(curl_multi_init(), None), "must be of type float, null given"),
        (lambda: curl_multi_setopt(curl_multi_init(), [], 1), "not a valid cURL multi option"),
    ],
)
def test_what_is_no_number_for_libcurl(call, said: str):
    """Too large, negative or no number at all: the text says what is meant."""
    with pytest.raises(WrongUse, match=said):
        call()
