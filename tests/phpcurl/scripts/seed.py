# ruff: noqa: F403, F405, T201  the names of PHP, and echo, as a PHP script has them
from labkit.phpcurl import *

# Initialize cURL session
ch = curl_init("http://example.com/path")
# Set cURL options for protocol upgrade
curl_setopt(ch, CURLOPT_HTTPHEADER, ["Upgrade: websocket", "Connection: Upgrade"])
curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
# Execute cURL session
response = curl_exec(ch)
# Check for HTTP 101 Switching Protocols response
if strpos(response, "HTTP/1.1 101 Switching Protocols") is not False:
    print("Protocol successfully upgraded.")
else:
    print("Failed to upgrade protocol.")
# Close cURL session
curl_close(ch)
