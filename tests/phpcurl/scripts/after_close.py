# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

ch = curl_init("http://example.com/one")
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
first = curl_exec(ch)
curl_close(ch)
told = [
    curl_errno(ch),
    curl_error(ch),
    curl_getinfo(ch, CURLINFO_RESPONSE_CODE),
    curl_getinfo(ch, CURLINFO_CONTENT_TYPE),
]
second = curl_exec(ch)
print(json.dumps({"first": first, "second": second, "told": told}))
