r"""PHP's cURL functions in Python, on libcurl itself: a PHP script can be written here line by line, and does the same.

    from labkit.phpcurl import *

    ch = curl_init("http://example.com/path")                    # $ch = curl_init('http://example.com/path');
    curl_setopt(ch, CURLOPT_HTTPHEADER, ["Upgrade: websocket", "Connection: Upgrade"])
    curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    response = curl_exec(ch)
    if strpos(response, "HTTP/1.1 101 Switching Protocols") is not False:
        print("Protocol successfully upgraded.")
    else:
        print("Failed to upgrade protocol.")
    curl_close(ch)

Arrays are lists and dictionaries, false is False, null is None; what PHP gives by reference is the second of two
values. Strings go in as UTF-8 and come out with one character for each byte: see `labkit.phpcurl.strings`.

Hosts of loopback are dialled as they are written; every other host is answered by the lab's server that runs in this
process, without a changed byte in the request (`answered_by` says which, where several run). A transfer without a
limit of time gets `labkit.phpcurl.PATIENCE` seconds; where PHP would wait for ever, an error says so.

Beside PHP's functions there are `curl_easy_send`, `curl_easy_recv`, `curl_ws_send` and `curl_ws_recv`, under libcurl's
own names: PHP has nothing for what comes after a 101.
"""

from labkit.phpcurl.answering import answered_by
from labkit.phpcurl.codes import *  # noqa: F403  a table of names
from labkit.phpcurl.easy import (
    curl_close,
    curl_copy_handle,
    curl_errno,
    curl_error,
    curl_escape,
    curl_exec,
    curl_init,
    curl_pause,
    curl_reset,
    curl_strerror,
    curl_unescape,
    curl_version,
)
from labkit.phpcurl.handle import CurlHandle
from labkit.phpcurl.info import curl_getinfo
from labkit.phpcurl.info_names import *  # noqa: F403  a table of names
from labkit.phpcurl.multi import (
    CurlMultiHandle,
    curl_multi_add_handle,
    curl_multi_close,
    curl_multi_errno,
    curl_multi_exec,
    curl_multi_getcontent,
    curl_multi_info_read,
    curl_multi_init,
    curl_multi_remove_handle,
    curl_multi_select,
    curl_multi_setopt,
    curl_multi_strerror,
)
from labkit.phpcurl.option_names import *  # noqa: F403  a table of names
from labkit.phpcurl.setting import curl_setopt, curl_setopt_array
from labkit.phpcurl.strings import strpos
from labkit.phpcurl.values import *  # noqa: F403  a table of names
from labkit.phpcurl.websocket import curl_easy_recv, curl_easy_send, curl_ws_recv, curl_ws_send

PATIENCE = 5.0
"""Seconds that a transfer may take for which the script set neither CURLOPT_TIMEOUT nor CURLOPT_TIMEOUT_MS."""

__all__ = [  # noqa: PLE0604  and the names of the tables
    "CurlHandle", "CurlMultiHandle", "answered_by", "curl_close", "curl_copy_handle", "curl_easy_recv",
    "curl_easy_send", "curl_errno", "curl_error", "curl_escape", "curl_exec", "curl_getinfo", "curl_init",
    "curl_multi_add_handle", "curl_multi_close", "curl_multi_errno", "curl_multi_exec", "curl_multi_getcontent",
    "curl_multi_info_read", "curl_multi_init", "curl_multi_remove_handle", "curl_multi_select", "curl_multi_setopt",
    "curl_multi_strerror", "curl_pause", "curl_reset", "curl_setopt", "curl_setopt_array", "curl_strerror",
    "curl_unescape", "curl_version", "curl_ws_recv", "curl_ws_send", "strpos",
    *(name for name in globals() if name.startswith("CURL")),
]  # fmt: skip
