# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

fields = [
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Connection: Upgrade",
]
ch = curl_init()
taken = curl_setopt_array(
    ch,
    {
        CURLOPT_URL: "http://example.com/path",
        CURLOPT_HTTPHEADER: fields,
        CURLOPT_RETURNTRANSFER: True,
        CURLOPT_TIMEOUT_MS: 300,
    },
)
response = curl_exec(ch)
errno = curl_errno(ch)
refused = curl_setopt_array(ch, {CURLOPT_TIMEOUT: -1, CURLOPT_URL: "http://example.com/other"})
print(
    json.dumps(
        {
            "taken": taken,
            "exec": response,
            "errno": errno,
            "refused": refused,
            "now": curl_errno(ch),
            "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE),
        }
    )
)
