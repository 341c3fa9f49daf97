# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

fields = [
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Connection: Upgrade",
]
ch = curl_init("http://example.com/path")
curl_setopt(ch, CURLOPT_HTTPHEADER, fields)
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
curl_setopt(ch, CURLOPT_FOLLOWLOCATION, True)
curl_setopt(ch, CURLOPT_MAXREDIRS, 2)
curl_setopt(ch, CURLOPT_HEADER, True)
curl_setopt(ch, CURLINFO_HEADER_OUT, True)
response = curl_exec(ch)
print(
    json.dumps(
        {
            "exec": response,
            "errno": curl_errno(ch),
            "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE),
            "head": curl_getinfo(ch, CURLINFO_HEADER_OUT),
        }
    )
)
curl_close(ch)
