# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

lines = []
ch = curl_init("http://example.com/one")
curl_setopt(ch, CURLOPT_HTTPHEADER, ["X-One: 1"])
curl_setopt(ch, CURLOPT_POSTFIELDS, "a=b")
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
curl_setopt(ch, CURLOPT_HEADERFUNCTION, lambda ch, line: lines.append(line) or len(line))
copy = curl_copy_handle(ch)
curl_setopt(ch, CURLOPT_URL, "http://example.com/two")
first = curl_exec(copy)
heads = len(lines)
second = curl_exec(ch)
print(
    json.dumps(
        {
            "first": first,
            "second": second,
            "heads": heads,
            "lines": lines,
            "url": curl_getinfo(copy, CURLINFO_EFFECTIVE_URL),
        }
    )
)
