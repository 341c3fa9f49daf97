# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
import json

from labkit.phpcurl import *

ch = curl_init()
escaped = curl_escape(ch, "a b~ü/?&=\0")
print(
    json.dumps(
        {
            "escaped": escaped,
            "back": curl_unescape(ch, escaped).encode("latin-1").hex(),
            "broken": curl_unescape(ch, "%zz%4"),
            "error": [
                curl_strerror(0),
                curl_strerror(7),
                curl_strerror(28),
                curl_strerror(52),
                curl_strerror(999),
                curl_multi_strerror(0),
                curl_multi_strerror(999),
            ],
            "version": list(curl_version())[:9],
        }
    )
)
