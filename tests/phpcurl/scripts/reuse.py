# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

ch = curl_init("http://example.com/one")
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
first = curl_exec(ch)
curl_setopt(ch, CURLOPT_URL, "http://example.com/two")
second = curl_exec(ch)
curl_setopt(ch, CURLOPT_POSTFIELDS, "a=b")
third = curl_exec(ch)
curl_setopt(ch, CURLOPT_HTTPGET, True)
fourth = curl_exec(ch)
print(json.dumps({0: first, 1: second, 2: third, 3: fourth, "connects": curl_getinfo(ch, CURLINFO_NUM_CONNECTS)}))
