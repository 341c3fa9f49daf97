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
curl_setopt(ch, CURLOPT_HEADER, True)
curl_setopt(ch, CURLOPT_TIMEOUT_MS, 300)
response = curl_exec(ch)
print(json.dumps({"exec": response, "errno": curl_errno(ch)}))
