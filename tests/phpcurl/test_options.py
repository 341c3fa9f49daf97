import warnings

import pytest

from labkit.phpcurl import option_names
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.options import KINDS, NAMES, REFUSED, Kind

VALUES = {Kind.NUMBER: 1, Kind.TEXT: b"x", Kind.ERASABLE: b"x", Kind.LIST: [b"X-Name: value"]}
PASSED_ON = sorted((number for number, kind in KINDS.items() if kind in VALUES), key=NAMES.get)


def test_every_option_is_taken_or_refused():
    """An option of PHP's stands in one of the two tables, and in one alone."""
    every = {number for name, number in vars(option_names).items() if name.startswith("CURLOPT_")}
    assert every <= KINDS.keys() | REFUSED.keys()
    assert not KINDS.keys() & REFUSED.keys()
    assert (KINDS.keys() | REFUSED.keys()) <= NAMES.keys()


@pytest.mark.parametrize("number", PASSED_ON, ids=NAMES.get)
def test_what_is_taken_can_be_set(number):
    """The library takes each such option, of that kind, and pycurl finds none of them out of date."""
    curl = libcurl().Curl()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curl.setopt(number, VALUES[KINDS[number]])
        if KINDS[number] in (Kind.ERASABLE, Kind.LIST):
            curl.unsetopt(number)


def test_what_names_files_or_ways_out_is_refused():
    """Nothing that is taken names a file, a proxy, a socket or an interface, whatever its name sounds like."""
    words = (
        "PROXY",
        "FILE",
        "CERT",
        "KEY",
        "PATH",
        "INTERFACE",
        "RESOLVE",
        "CONNECT_TO",
        "SOCKET",
        "DOH",
        "NETRC",
        "JAR",
    )
    suspicious = {NAMES[number] for number in KINDS if any(word in NAMES[number] for word in words)}
    assert suspicious == {
        "CURLOPT_CERTINFO", "CURLOPT_FILETIME", "CURLOPT_INFILESIZE", "CURLOPT_IPRESOLVE", "CURLOPT_MAXFILESIZE",
        "CURLOPT_MAXFILESIZE_LARGE", "CURLOPT_PATH_AS_IS",  # numbers
        "CURLOPT_FILE", "CURLOPT_INFILE",  # streams
        "CURLOPT_COOKIEFILE",  # takes "" alone
    }  # fmt: skip
