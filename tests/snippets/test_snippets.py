from __future__ import annotations

import re
from itertools import pairwise

import pytest

from labkit.commandlines.curl_line import read_curl
from labkit.commandlines.words import words
from labkit.errors import WrongUse
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import FORMS, Snippet, snippet
from labkit.snippets.curl import arguments
from labkit.snippets.wanted import dialled
from labkit.wire.upgrade import SAMPLE_KEY
from tests.snippets.offers import OFFERS, REFUSED
from tests.snippets.running import check_same, execute, stream

SENT = [(name, form) for name in OFFERS for form in FORMS if (name, form) not in REFUSED and form != "javascript"]


@pytest.fixture(scope="module")
def declining():
    """Run a server that never switches: no client waits for the end of a 101."""
    with UpgradeServer(protocols={}) as server:
        yield server


@pytest.mark.parametrize(("name", "form"), SENT)
def test_what_is_printed_sends_what_is_offered(name, form, declining, tmp_path):
    """Each form is executed; what arrives is the offer, but for the key and what the snippet says it adds."""
    offer = OFFERS[name]
    printed = snippet(offer, form, declining.url, key="AAAAAAAAAAAAAAAAAAAAAA==")
    watch = declining.watch()
    execute(printed, tmp_path)
    [trace] = watch.traces()
    check_same(offer, printed, stream(trace))


@pytest.mark.parametrize("name", [name for name, form in SENT if form == "curl"])
def test_a_command_line_can_be_pasted(name):
    """The lab reads its own command lines again, with the arguments that it would start curl with."""
    text = snippet(OFFERS[name], "curl", "http://127.0.0.1:8101/").text
    given = arguments(OFFERS[name], "http://127.0.0.1:8101/")
    assert words(text) == ["curl", *given]
    read = read_curl(text)
    assert read.url == given[-1]
    assert [value for option, value in read.options if option == "header"] == [
        value for option, value in pairwise(given) if option == "-H"
    ]


@pytest.mark.parametrize(("name", "form"), REFUSED)
def test_what_a_form_cannot_say_is_refused(name, form):
    """A refusal names what cannot be said, and a form that can say it: the raw socket always can."""
    with pytest.raises(WrongUse, match=REFUSED[name, form]) as caught:
        snippet(OFFERS[name], form, "http://127.0.0.1:8101/")
    able = str(caught.value).rpartition("; copy it as ")[2].split(" or ")
    assert "socket" in able
    assert [other for other in able if (name, other) in REFUSED] == []


@pytest.mark.parametrize("form", FORMS)
def test_only_a_command_line_carries_a_key(form):
    """The RFC's own key is drawn anew by every program, and by whoever asks for a command line (RFC 6455, 4.1)."""
    text = snippet(Offer.websocket(), form, key="AAAAAAAAAAAAAAAAAAAAAA==").text
    assert SAMPLE_KEY not in text
    assert ("AAAAAAAAAAAAAAAAAAAAAA==" in text) is (form == "curl")
    assert (SAMPLE_KEY in snippet(Offer.websocket(), form).text) is (form == "curl")


@pytest.mark.parametrize("form", FORMS)
def test_the_offers_own_host_is_dialled(form):
    """Where no URL is told the host of the Host field is dialled, and no second one is named."""
    text = snippet(Offer.websocket("/chat", host="example.com:8080"), form).text
    assert text.count("example.com") == (2 if form == "socket" else 1)
    assert "8080" in text


@pytest.mark.parametrize("form", FORMS)
def test_tls(form):
    """A wss URL is dialled with TLS, and HTTP/2, in which there is no Upgrade, is kept away (RFC 9113, 8.6)."""
    text = snippet(Offer.websocket(), form, "wss://server.example.com/").text
    wanted = {
        "curl": "--http1.1",
        "php": "CURL_HTTP_VERSION_1_1",
        "socket": "ssl.",
        "websockets": "wss://",
        "javascript": "wss://",
    }
    assert wanted[form] in text


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("ws://127.0.0.1:8101/x", "127.0.0.1:8101"),
        ("https://example.com:443", "example.com"),
        ("http://[::1]:81/", "[::1]:81"),
        ("WSS://Example.com", "Example.com"),
    ],
)
def test_where_a_url_leads(url, authority):
    """The port of the scheme itself is left out, as clients leave it out of Host (RFC 9110, 7.2)."""
    assert dialled(Offer.bare(), url).authority == authority


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "x", "http://a:b/", "http://a:0/", "http://u@a/", "http://a$(b)/", "http://[::1/", 5]
)
def test_a_url_that_is_none(url):
    """What cannot be dialled is refused before it is printed anywhere."""
    with pytest.raises(WrongUse, match=r"no URL|url is a text"):
        snippet(Offer.bare(), "curl", url)


@pytest.mark.parametrize(
    "offer", [Offer.bare().without("Host"), Offer.bare(host="a b"), Offer.bare(host=""), Offer.bare().twice("Host")]
)
def test_no_host_to_dial(offer):
    """Where the offer names no host the URL has to be told."""
    with pytest.raises(WrongUse, match="url="):
        snippet(offer, "socket")


@pytest.mark.parametrize(
    ("what", "form", "match"),
    [
        ("offer", "curl", "an Offer or a Scenario"),
        (Offer.bare(), "wget", "curl, php, websockets, socket, javascript"),
        (Offer.bare().with_field("X", "x" * 40_000), "socket", "too many to print"),
        (Scenario(say=["x" * 40_000]), "socket", "too many to print"),
        (Scenario(say=["\ud800"]), "socket", "UTF-8"),
        (Scenario(say=[()]), "socket", "a message is"),
        (Scenario(say=[5]), "socket", "a message is"),
        (Scenario(say=[("a", b"b")]), "socket", "a message is"),
    ],
)
def test_bad_input(what, form, match):
    """What is no offer, no form, too long, or no message is told."""
    with pytest.raises(WrongUse, match=match):
        snippet(what, form)


def test_how_a_snippet_draws_itself():
    """As a text it is the program alone; drawn, it has what is added and left out beneath, in Markdown too."""
    printed = snippet(Scenario(), "curl")
    assert str(printed) == printed.text
    assert repr(printed) == "<Snippet curl: 6 lines>"
    drawn = printed._repr_mimebundle_()
    assert drawn["text/plain"].endswith(
        "Added by curl:\n  User-Agent: curl/…\n  Accept: */*\n\n"
        "Left out:\n  what is said after the 101: curl sends no frames by itself"
    )
    assert drawn["text/markdown"].startswith("```bash\ncurl -i --max-time 2 \\\n")
    assert "- `Accept: */*`" in drawn["text/markdown"]
    assert Snippet("socket", "x\n")._repr_mimebundle_() == {"text/plain": "x", "text/markdown": "```python\nx\n```"}


def test_a_fence_is_longer_than_what_it_holds():
    """Backticks in a value cannot end the block of code."""
    text = snippet(Offer.bare().with_field("X", "````"), "curl")._repr_mimebundle_()["text/markdown"]
    assert re.match(r"`{5}bash\n", text)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_said_is_kept_or_listed(form):
    """What a form does not carry over is listed; a handler's words are Python code that none can print."""

    async def handler(stream):
        await stream.send("x")

    left = snippet(Scenario(say=["x"]), form, "http://server.example.com/").leaves_out
    assert bool(left) is (form in ("curl", "php"))
    assert snippet(Scenario(say=handler), form).leaves_out
    if form in ("curl", "php", "socket"):
        assert snippet(Scenario(Offer.plain()), form).leaves_out == ()
