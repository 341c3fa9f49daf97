"""The script for a browser, run by node with a WebSocket that only takes notes; a real browser is in tests/net."""

from __future__ import annotations

import json
import subprocess

import pytest

from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import snippet
from tests.snippets.running import PATIENCE, need

# an echo, or silence; what the script does is written down, and printed at the end with the alarms that are left
STUB = """
const notes = [], alarms = new Set(), after = globalThis.setTimeout;
globalThis.setTimeout = (call, time = 0) => {
  if (time < 1000) return after(call);
  alarms.add(call);
  if (SILENT) after(call);
  return call;
};
globalThis.clearTimeout = (call) => alarms.delete(call);
globalThis.WebSocket = class extends EventTarget {
  constructor(...given) { super(); notes.push(["new", ...given]); this.protocol = ""; this.extensions = "";
    after(() => this.dispatchEvent(new Event("open"))); }
  send(data) { notes.push(["send", typeof data === "string" ? data : [...data]]);
    if (!SILENT) after(() => this.dispatchEvent(Object.assign(new Event("message"), { data }))); }
  close(code) { notes.push(["close", code]);
    after(() => this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "", wasClean: true }))); }
};
process.on("exit", () => console.log(JSON.stringify([...notes, ["alarms", alarms.size]])));
"""


def notes(what, url="http://127.0.0.1:8101/", *, silent=False):
    """Return what the script printed, and what it did; no alarm may be left."""
    need("node")
    text = f"const SILENT = {str(silent).lower()};{STUB}{snippet(what, 'javascript', url).text}"
    done = subprocess.run(["node", "-"], input=text.encode("ascii"), capture_output=True, timeout=PATIENCE, check=True)
    *printed, last = done.stdout.decode().splitlines()
    *seen, alarms = json.loads(last)
    assert alarms == ["alarms", 0]
    return printed, seen


def test_one_message_after_the_other():
    """Each message is sent once the one before was answered; then the socket is closed."""
    printed, seen = notes(
        Scenario(Offer.websocket("/chat", subprotocols=("a", "b")), ["one", b"\x00\xff", ("t", "wo"), ""])
    )
    assert seen == [
        ["new", "ws://127.0.0.1:8101/chat", ["a", "b"]],
        ["send", "one"], ["send", [0, 255]], ["send", "two"], ["send", ""],
        ["close", 1000],
    ]  # fmt: skip
    assert [line.split()[0] for line in printed] == ["open", *["message"] * 4, "close"]


def test_nothing_to_say():
    """An offer alone is opened and closed."""
    assert notes(Offer.websocket())[1] == [["new", "ws://127.0.0.1:8101/"], ["close", 1000]]


def test_a_silent_server():
    """Where no answer comes the socket is closed after a few seconds."""
    assert notes(Scenario(), silent=True)[1] == [["new", "ws://127.0.0.1:8101/"], ["send", "Hello"], ["close", 1000]]


def test_a_host_in_capitals():
    """A browser writes the host in small letters, and the snippet says that the offer's is not kept."""
    assert snippet(Offer.websocket(host="Example.com"), "javascript").leaves_out == (
        "the Host of this offer: a browser names the host of the URL",
    )


@pytest.mark.parametrize("url", ["https://example.com/", "wss://example.com:443/"])
def test_tls(url):
    """With TLS the address begins with wss."""
    assert notes(Offer.websocket("/x"), url)[1][0] == ["new", "wss://example.com/x"]


def test_what_a_browser_does_its_own_way_is_listed():
    """A browser names the host of the URL, draws its own key and cuts no message; it offers compression by itself."""
    what = Scenario(Offer.websocket(key="AQIDBAUGBwgJCgsMDQ4PEA==", deflate=True), [("a", "b")])
    printed = snippet(what, "javascript", "http://127.0.0.1:8101/")
    assert [line.partition(":")[0] for line in printed.leaves_out] == [
        "the key of this offer", "the Host of this offer", "fragments",
    ]  # fmt: skip
    assert "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits" in printed.adds
