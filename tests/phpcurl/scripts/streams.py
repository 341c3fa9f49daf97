# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import io
import json

from labkit.phpcurl import *

head = io.BytesIO()
body = io.BytesIO()
ch = curl_init("http://example.com/path")
curl_setopt(ch, CURLOPT_WRITEHEADER, head)
curl_setopt(ch, CURLOPT_FILE, body)
response = curl_exec(ch)
print(json.dumps({"exec": response, "head": head.getvalue().decode(), "body": body.getvalue().decode()}))
