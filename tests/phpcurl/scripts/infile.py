# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import io
import json

from labkit.phpcurl import *

file = io.BytesIO()
file.write(b"some content\n")
file.seek(0)
ch = curl_init("http://example.com/path")
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
curl_setopt(ch, CURLOPT_UPLOAD, True)
curl_setopt(ch, CURLOPT_CUSTOMREQUEST, "POST")
curl_setopt(ch, CURLOPT_INFILE, file)
curl_setopt(ch, CURLOPT_INFILESIZE, 13)
curl_setopt(ch, CURLOPT_HTTPHEADER, ["Expect:"])
response = curl_exec(ch)
print(json.dumps({"exec": response, "errno": curl_errno(ch), "code": curl_getinfo(ch, CURLINFO_RESPONSE_CODE)}))
