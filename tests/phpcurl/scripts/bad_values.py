# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit import LabError
from labkit.phpcurl import *

said = []
ch = curl_init()
for option, value in [
    (CURLOPT_TIMEOUT, -1),
    (CURLOPT_HTTP_VERSION, 99),
    (CURLOPT_TIMEOUT, "abc"),
    (CURLOPT_MAXREDIRS, -2),
    (CURLOPT_URL, True),
    (CURLOPT_PORT, 70000),
    (CURLOPT_SSL_VERIFYHOST, 2),
    (CURLOPT_PRIVATE, "mine"),
]:
    said.append([curl_setopt(ch, option, value), curl_errno(ch)])
for option, value in [
    (999999, 1),
    (CURLOPT_HTTPHEADER, "x"),
    (CURLOPT_URL, "a\0b"),
    (CURLOPT_FILE, "abc"),
    (CURLOPT_SAFE_UPLOAD, False),
]:
    try:
        curl_setopt(ch, option, value)
    except LabError as error:
        said.append(str(error))
for options in [{999999: 1}, {"x": 1}]:
    try:
        curl_setopt_array(ch, options)
    except LabError as error:
        said.append(str(error))
try:
    curl_exec("x")
except LabError as error:
    said.append(str(error))
print(json.dumps({"said": said, "private": curl_getinfo(ch, CURLINFO_PRIVATE)}))
