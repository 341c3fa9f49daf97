# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

fields = [
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Connection: Upgrade",
]
first = curl_init("http://example.com/one")
curl_setopt(first, CURLOPT_RETURNTRANSFER, True)
mh = curl_multi_init()
codes = [curl_multi_add_handle(mh, first), curl_multi_add_handle(mh, first), curl_multi_errno(mh)]
codes.append(curl_exec(first))
codes.append(curl_errno(first))
while True:
    status, running = curl_multi_exec(mh)
    curl_multi_select(mh, 0.1)
    if not running:
        break
ended = []
while True:
    message, queued = curl_multi_info_read(mh)
    if not message:
        break
    ended.append([message["msg"] == CURLMSG_DONE, message["result"], message["handle"] is first, queued])
second = curl_init("http://example.com/two")
curl_setopt(second, CURLOPT_HTTPHEADER, fields)
curl_setopt(second, CURLOPT_RETURNTRANSFER, True)
curl_setopt(second, CURLOPT_HEADER, True)
curl_setopt(second, CURLOPT_TIMEOUT_MS, 300)
codes.append(curl_multi_add_handle(mh, second))
while True:
    status, running = curl_multi_exec(mh)
    curl_multi_select(mh, 0.1)
    if not running:
        break
while True:
    message, _ = curl_multi_info_read(mh)
    if not message:
        break
    ended.append([message["msg"], message["result"], curl_errno(message["handle"])])
contents = [curl_multi_getcontent(first), curl_multi_getcontent(second)]
codes.append(curl_multi_remove_handle(mh, first))
codes.append(curl_multi_remove_handle(mh, first))
print(json.dumps({"status": status, "codes": codes, "ended": ended, "contents": contents}))
curl_multi_close(mh)
