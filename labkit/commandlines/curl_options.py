"""Curl's options: how each is written, whether it takes a value, and whether a pasted line may have it.

Every long option of curl 7.88 to 8.22 stands here under its verdict (curl's manual, and the names in its
tool_getparam.c). A row is as in `curl --help all`: the letter, the name, a word for the value. What is true
of a value alone is in `curl_values`: a row that is allowed may still be refused for its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LETTERS", "OPTIONS", "CurlOption", "found"]


class CurlOption(NamedTuple):
    """An option of curl: its long name, whether it takes a value, its letter, and the verdict.

    Args:
        name: the long name, without dashes, as its manual has it.
        takes: whether a value follows.
        letter: the short form; empty where it has none.
        refused: why a pasted line may not have it; empty where it may.
    """

    name: str
    takes: bool
    letter: str = ""
    refused: str = ""


_ALLOWED = """
    -#, --progress-bar
    -0, --http1.0
    -1, --tlsv1
    -2, --sslv2
    -3, --sslv3
    -4, --ipv4
    -6, --ipv6
    -A, --user-agent NAME
    -C, --continue-at OFFSET
    -D, --dump-header FILE
    -F, --form FIELD
    -G, --get
    -H, --header LINE
    -I, --head
    -L, --location
    -N, --no-buffer
    -S, --show-error
    -T, --upload-file FILE
    -X, --request METHOD
    -Y, --speed-limit SPEED
    -b, --cookie DATA
    -c, --cookie-jar FILE
    -d, --data DATA
    -e, --referer URL
    -f, --fail
    -g, --globoff
    -i, --show-headers
    -i, --include
    -j, --junk-session-cookies
    -k, --insecure
    -m, --max-time SECONDS
    -o, --output FILE
    -q, --disable
    -r, --range RANGE
    -s, --silent
    -u, --user USER:PASSWORD
    -v, --verbose
    -w, --write-out FORMAT
    -y, --speed-time SECONDS
    --anyauth
    --aws-sigv4 PROVIDER
    --basic
    --ca-native
    --cert-status
    --ciphers LIST
    --compressed
    --connect-timeout SECONDS
    --crlf
    --curves LIST
    --data-ascii DATA
    --data-binary DATA
    --data-raw DATA
    --data-urlencode DATA
    --digest
    --disallow-username-in-url
    --expect100-timeout SECONDS
    --fail-early
    --fail-with-body
    --false-start
    --follow
    --form-escape
    --form-string FIELD
    --happy-eyeballs-timeout-ms MILLISECONDS
    --http0.9
    --http1.1
    --http2
    --http2-prior-knowledge
    --ignore-content-length
    --ip-tos VALUE
    --json DATA
    --keepalive-cnt COUNT
    --keepalive-time SECONDS
    --limit-rate SPEED
    --local-port RANGE
    --location-trusted
    --max-filesize BYTES
    --max-redirs COUNT
    --mptcp
    --no-alpn
    --no-keepalive
    --no-npn
    --no-progress-meter
    --no-sessionid
    --noproxy HOSTS
    --ntlm
    --oauth2-bearer TOKEN
    --out-null
    --path-as-is
    --pinnedpubkey HASHES
    --post301
    --post302
    --post303
    --proto PROTOCOLS
    --proto-default PROTOCOL
    --proto-redir PROTOCOLS
    --raw
    --request-target PATH
    --retry COUNT
    --retry-all-errors
    --retry-connrefused
    --retry-delay SECONDS
    --retry-max-time SECONDS
    --sigalgs LIST
    --ssl-allow-beast
    --ssl-no-revoke
    --ssl-revoke-best-effort
    --stderr FILE
    --styled-output
    --suppress-connect-headers
    --tcp-fastopen
    --tcp-nodelay
    --tls-earlydata
    --tls-max VERSION
    --tls13-ciphers LIST
    --tlsauthtype TYPE
    --tlspassword TEXT
    --tlsuser NAME
    --tlsv1.0
    --tlsv1.1
    --tlsv1.2
    --tlsv1.3
    --tr-encoding
    --trace FILE
    --trace-ascii FILE
    --trace-config WORDS
    --trace-ids
    --trace-time
    --url URL
    --url-query DATA
    --vlan-priority PRIORITY
"""

_REFUSED = {
    "it writes a file": """
        -J, --remote-header-name
        -O, --remote-name
        -R, --remote-time
        --create-dirs
        --create-file-mode MODE
        --etag-save FILE
        --libcurl FILE
        --no-clobber
        --output-dir FOLDER
        --remote-name-all
        --remove-on-error
        --skip-existing
        --xattr
    """,
    "it reads a file": """
        -E, --cert FILE
        -K, --config FILE
        --cacert FILE
        --capath FOLDER
        --cert-type TYPE
        --crlfile FILE
        --egd-file FILE
        --engine NAME
        --etag-compare FILE
        --httpsig-algo NAME
        --httpsig-headers NAMES
        --httpsig-key FILE
        --httpsig-keyid NAME
        --key FILE
        --key-type TYPE
        --pass PHRASE
        --random-file FILE
        --ssl-auto-client-cert
    """,
    "it reads and writes a file": """
        --alt-svc FILE
        --hsts FILE
        --ssl-sessions FILE
    """,
    "it may read a file's time; write a field line instead: -H 'If-Modified-Since: …'": """
        -z, --time-cond TIME
    """,
    "it sends passwords or tickets that this machine keeps": """
        -n, --netrc
        --delegation LEVEL
        --krb LEVEL
        --krb4 LEVEL
        --negotiate
        --netrc-file FILE
        --netrc-optional
        --ntlm-wb
        --service-name NAME
    """,
    "it reads this machine's environment or a file; write the text itself": """
        --variable NAME
    """,
    "it asks another host, or goes by another way than the lab's": """
        -U, --proxy-user USER:PASSWORD
        -p, --proxytunnel
        -x, --proxy HOST
        --abstract-unix-socket PATH
        --connect-to HOSTS
        --dns-interface NAME
        --dns-ipv4-addr ADDRESS
        --dns-ipv6-addr ADDRESS
        --dns-servers ADDRESSES
        --doh-cert-status
        --doh-insecure
        --doh-url URL
        --ech CONFIG
        --haproxy-clientip ADDRESS
        --haproxy-protocol
        --http3
        --http3-only
        --interface NAME
        --ipfs-gateway URL
        --preproxy HOST
        --proxy-anyauth
        --proxy-basic
        --proxy-ca-native
        --proxy-cacert FILE
        --proxy-capath FOLDER
        --proxy-cert FILE
        --proxy-cert-type TYPE
        --proxy-ciphers LIST
        --proxy-crlfile FILE
        --proxy-digest
        --proxy-header LINE
        --proxy-http2
        --proxy-http3
        --proxy-insecure
        --proxy-key FILE
        --proxy-key-type TYPE
        --proxy-negotiate
        --proxy-ntlm
        --proxy-pass PHRASE
        --proxy-pinnedpubkey HASHES
        --proxy-service-name NAME
        --proxy-ssl-allow-beast
        --proxy-ssl-auto-client-cert
        --proxy-tls13-ciphers LIST
        --proxy-tlsauthtype TYPE
        --proxy-tlspassword TEXT
        --proxy-tlsuser NAME
        --proxy-tlsv1
        --proxy1.0 HOST
        --resolve HOSTS
        --socks4 HOST
        --socks4a HOST
        --socks5 HOST
        --socks5-basic
        --socks5-gssapi
        --socks5-gssapi-nec
        --socks5-gssapi-service NAME
        --socks5-hostname HOST
        --unix-socket PATH
    """,
    "it is for several transfers; the lab makes one": """
        -:, --next
        -Z, --parallel
        --metalink
        --parallel-immediate
        --parallel-max COUNT
        --parallel-max-host COUNT
        --rate RATE
    """,
    "it makes no request": """
        -M, --manual
        -V, --version
        -h, --help CATEGORY
        --dump-ca-embed
    """,
    "it is for FTP, mail, SSH, Telnet or TFTP; the lab speaks HTTP": """
        -B, --use-ascii
        -P, --ftp-port ADDRESS
        -Q, --quote COMMAND
        -a, --append
        -l, --list-only
        -t, --telnet-option OPTION
        --compressed-ssh
        --disable-eprt
        --disable-epsv
        --ftp-account DATA
        --ftp-alternative-to-user COMMAND
        --ftp-create-dirs
        --ftp-method METHOD
        --ftp-pasv
        --ftp-pret
        --ftp-skip-pasv-ip
        --ftp-ssl
        --ftp-ssl-ccc
        --ftp-ssl-ccc-mode MODE
        --ftp-ssl-control
        --ftp-ssl-reqd
        --eprt
        --epsv
        --hostpubmd5 HASH
        --hostpubsha256 HASH
        --knownhosts FILE
        --login-options OPTIONS
        --mail-auth ADDRESS
        --mail-from ADDRESS
        --mail-rcpt ADDRESS
        --mail-rcpt-allowfails
        --pubkey FILE
        --sasl-authzid NAME
        --sasl-ir
        --ssl
        --ssl-reqd
        --tftp-blksize SIZE
        --tftp-no-options
        --upload-flags FLAGS
    """,
}


def _rows(text: str, refused: str) -> Iterator[CurlOption]:
    for line in text.strip().splitlines():
        row = re.fullmatch(r"\s*(?:-(.), )?--(\S+)( \S+)?", line)
        assert row is not None, line
        yield CurlOption(row[2], row[3] is not None, row[1] or "", refused)


_TABLE = [*_rows(_ALLOWED, ""), *(row for reason, text in _REFUSED.items() for row in _rows(text, reason))]

OPTIONS: dict[str, CurlOption] = {row.name: row for row in _TABLE}
"""Every option by its long name."""

LETTERS: dict[str, CurlOption] = {row.letter: row for row in _TABLE if row.letter}
"""Every option that has one by its letter; where two names share it, the older, which every curl knows."""


def found(name: str) -> tuple[str, CurlOption] | None:
    """Look an option up by what stands behind its two dashes, and by nothing shorter than its name.

    Args:
        name: a long name; ``no-`` may stand before one that takes no value.

    Returns:
        The name as curl is to be given it, and the row; None where curl's manual has no such option.

    >>> found("no-location")
    ('no-location', CurlOption(name='location', takes=False, letter='L', refused=''))
    >>> found("locat")
    """
    if name in OPTIONS:
        return name, OPTIONS[name]
    positive = OPTIONS.get(name.removeprefix("no-")) or OPTIONS.get(f"no-{name}")
    if positive is None or positive.takes or name.startswith("no-no-"):
        return None
    return name, positive
