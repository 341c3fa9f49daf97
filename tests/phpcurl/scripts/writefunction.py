# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

fields = [
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Connection: Upgrade",
]
got = []
ch = curl_init("http://example.com/path")
curl_setopt(ch, CURLOPT_HTTPHEADER, fields)
curl_setopt(ch, CURLOPT_HEADER, True)
curl_setopt(ch, CURLOPT_TIMEOUT, 5)


def on_data(ch, data):
    got.append(data)
    return len(data)


curl_setopt(ch, CURLOPT_WRITEFUNCTION, on_data)
response = curl_exec(ch)
print(
    json.dumps(
        {
            "exec": response,
            "errno": curl_errno(ch),
            "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE),
            "got": "".join(got).encode("latin-1").hex(),
        }
    )
)
