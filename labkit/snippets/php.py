"""An offer as a PHP script, with what PHP's cURL needs to see a 101 at all."""

from __future__ import annotations

from labkit.parties.offer import Offer
from labkit.snippets import literals
from labkit.snippets.libcurl import Instructions, instructions
from labkit.snippets.wanted import KEY, PATIENCE, Wanted, Written
from labkit.wire.upgrade import SAMPLE_KEY

__all__ = ["ALWAYS", "write"]

ALWAYS = ("Accept: */*",)
"""What PHP's cURL adds, unless the offer has its own."""

_SAID = "what is said after the 101: PHP's cURL sends no frames"
_KEY_LINE = f"{KEY}: {SAMPLE_KEY}"

_SCRIPT = """<?php
{draw}$head = [];
$ch = curl_init({url});
curl_setopt_array($ch, [
{options}
    CURLOPT_TIMEOUT => {patience},
    CURLOPT_RETURNTRANSFER => true,
    // Behind a 101 comes no end that cURL knows of: -1 at the blank line stops it there (error 23).
    CURLOPT_HEADERFUNCTION => function ($ch, $line) use (&$head) {{
        $head[] = $line;
        $status = curl_getinfo($ch, CURLINFO_RESPONSE_CODE);
        return $status === 101 && rtrim($line) === '' ? -1 : strlen($line);
    }},
]);
$content = curl_exec($ch);  // false is no failure where the status is 101
echo implode('', $head);
if (curl_getinfo($ch, CURLINFO_RESPONSE_CODE) === 101) {{
    echo "Switched.\\n";
}} elseif ($content !== false) {{
    echo $content, "\\n";
}} else {{
    echo 'Failed: ', curl_error($ch), "\\n";
}}
"""

_DRAW = "$key = base64_encode(random_bytes(16));  // fresh for each connection (RFC 6455, 4.1)\n"


def write(wanted: Wanted) -> Written:
    """Print an offer as a script."""
    how = instructions("php", wanted.offer, wanted.to, ALWAYS)
    options = [*_lines(how), *_request(wanted.offer, how, tls=wanted.to.tls)]
    text = _SCRIPT.format(
        draw=_DRAW if _KEY_LINE in how.lines else "",
        url=literals.php(how.url.encode("latin-1")),
        options="\n".join(f"    {option}" for option in options),
        patience=PATIENCE,
    )
    return Written(text, how.adds, (_SAID,) if wanted.speaks else ())


def _lines(how: Instructions) -> list[str]:
    lines = [f"    {_line(line)}," for line in how.lines]
    return ["CURLOPT_HTTPHEADER => [", *lines, "],"] if lines else []


def _line(line: str) -> str:
    return f"'{KEY}: ' . $key" if line == _KEY_LINE else literals.php(line.encode("latin-1"))


def _request(offer: Offer, how: Instructions, *, tls: bool) -> list[str]:
    """Return the options for the request line and the content."""
    options = []
    if offer.version == "HTTP/1.0" or tls:  # in HTTP/2 there is no Upgrade (RFC 9113, 8.6)
        options.append(f"CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_{offer.version[-3:].replace('.', '_')},")
    if how.head:
        options.append("CURLOPT_NOBODY => true,")
    if how.method:
        options.append(f"CURLOPT_CUSTOMREQUEST => {literals.php(how.method.encode('latin-1'))},")
    if how.target is not None:
        options.append(f"CURLOPT_REQUEST_TARGET => {literals.php(how.target.encode('latin-1'))},")
    if offer.content:
        options.append(f"CURLOPT_POSTFIELDS => {literals.php(offer.content)},")
    return options
