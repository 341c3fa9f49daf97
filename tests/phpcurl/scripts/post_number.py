# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

ch = curl_init("http://example.com/path")
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
curl_setopt(ch, CURLOPT_POSTFIELDS, 0)
response = curl_exec(ch)
print(json.dumps({"exec": response, "errno": curl_errno(ch), "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE)}))
curl_close(ch)
