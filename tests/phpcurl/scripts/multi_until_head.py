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
curl_setopt(ch, CURLOPT_HEADER, True)
mh = curl_multi_init()
curl_multi_add_handle(mh, ch)
while True:
    status, running = curl_multi_exec(mh)
    curl_multi_select(mh, 0.1)
    content = curl_multi_getcontent(ch)
    if not (running and not content.endswith("\r\n\r\n")):
        break
print(
    json.dumps(
        {
            "status": status,
            "running": running,
            "content": content,
            "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE),
            "errno": curl_errno(ch),
        }
    )
)
curl_multi_remove_handle(mh, ch)
curl_multi_close(mh)
