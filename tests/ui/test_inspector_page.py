"""The inspector as a page of its own: no Jupyter, no network, no kernel."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import labkit
from labkit.widgets.page import page as page_of
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import ANSWER, ASK, BAD_KEY, REPLY, REQUEST, asked, closed, declined, echo, switched
from tests.ui.rig import KEPT
from tests.ui.test_pictures import CONTRASTS, ENOUGH

NGINX = labkit.Nginx("""
location /ws/ {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}
""")
EVIL = b"</script><img src=x onerror=document.title='broken'>"
TRACES = {
    "switched": labkit.simulate(labkit.Scenario()),
    "refused": labkit.simulate(labkit.Scenario(labkit.Offer.websocket().without("Sec-WebSocket-Key"))),
    "hops": labkit.simulate(labkit.Scenario(labkit.Offer.websocket("/ws/"), via=[NGINX])),
    "faulty": switched(frame(TEXT, b"unmasked") + asked(3, b"x"), frame(TEXT, b"\xff\xfe")),
    "many": echo(*(b"message %d" % number for number in range(100))),
    "unread": labkit.Trace(
        (
            labkit.trace.Transfer(0, ASK, REQUEST),
            labkit.trace.Transfer(0, REPLY, ANSWER + frame(TEXT, b"greetings")),
            *closed(),
        )
    ),
    "hostile": declined(BAD_KEY, REQUEST[:-2] + b"Origin: " + EVIL + b"\r\n\r\n"),
    "empty": labkit.Trace(),
}
TOO_WIDE = """() => [...document.querySelectorAll(".lk, .lk *")]
    .filter(each => !each.matches(".lk-diagram *"))  // that pane scrolls where there is no room
    .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(each => each.className)"""


@pytest.fixture
def show(browser, tmp_path):
    """Open the page of a trace, and hold at the end that nothing was asked of a network and nothing complained."""
    tabs, noted = [], []

    def opened(name, *, size=(1400, 900), dark=False):
        file = tmp_path / f"{name}.html"
        file.write_text(page_of(TRACES[name]), encoding="utf-8")
        tab = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light")
        tab.on("console", lambda message: noted.append(message.text))
        tab.on("pageerror", lambda error: noted.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or noted.append(request.url))
        tab.goto(file.as_uri())
        tabs.append(tab)
        return tab

    yield opened
    for tab in tabs:
        tab.close()
    assert noted == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 900, 480])
@pytest.mark.parametrize("name", TRACES)
def test_nothing_is_too_wide_and_everything_can_be_read(show, name, width, dark):
    """At every width nothing runs off, and every text has a contrast of 4.5 to 1, light and dark."""
    tab = show(name, size=(width, 900), dark=dark)
    if name != "empty":
        tab.get_by_role("button", name="one step on").click()
    assert tab.evaluate(TOO_WIDE) == []
    contrasts = tab.evaluate(CONTRASTS.replace(".jp-OutputArea-output", ".lk"))
    assert len(contrasts) > 1
    assert [each for each in contrasts if each[0] < ENOUGH] == []
    KEPT.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=KEPT / f"page-{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)


def test_it_steps_through_and_back(show):
    """Every step says where it is, how each party stands, and ends with the connection."""
    tab = show("hops")
    expect(tab.locator(".lk-party")).to_have_text(
        ["client · awaiting the answer", "nginx · has the request", "server · waiting for a request"]
    )
    steps = [tab.locator(".lk-now").text_content()]
    while tab.get_by_role("button", name="one step on").is_enabled():
        tab.get_by_role("button", name="one step on").click()
        steps.append(tab.locator(".lk-now").text_content())
    assert [step.split(":")[0] for step in steps] == [f"step {number} of 9" for number in range(1, 10)]
    expect(tab.locator(".lk-party").first).to_have_text("client · closed its side")
    tab.get_by_role("button", name="one step back").click()
    expect(tab.locator(".lk-now")).to_contain_text("step 8 of 9")
    tab.get_by_role("button", name="rewind").click()
    expect(tab.locator(".lk-now")).to_contain_text("step 1 of 9")


def test_unread_bytes_are_told_with_their_place(show):
    """Bytes that came with the 101 lie behind its blank line until their step."""
    tab = show("unread")
    tab.get_by_role("button", name="one step on").click()
    expect(tab.locator(".lk-unread")).to_have_text(
        "11 bytes unread (bytes 129 to 139): behind the blank line of the 101: these are websocket already"
    )
    tab.get_by_role("button", name="one step on").click()
    expect(tab.locator(".lk-unread")).to_have_count(0)


def test_arrow_field_and_byte_are_linked(show):
    """Without a kernel all pointing and choosing works."""
    tab = show("faulty")
    tab.get_by_role("button", name="X16").click()
    expect(tab.locator(".lk-where")).to_have_text("client → server, bytes 191 to 197")
    expect(tab.locator(".lk-cell.lk-broken")).to_have_count(7)
    tab.locator("[data-row='0'] [data-start]").nth(1).hover()
    expect(tab.locator(".lk-piece.lk-on strong").first).to_have_text("field line Upgrade")
    tab.locator(".lk-title").hover()
    expect(tab.locator(".lk-where")).to_have_text("client → server, bytes 191 to 197")


def test_a_folded_row_is_stepped_through(show):
    """Messages that the diagram counts are steps like all others, and their row is marked."""
    tab = show("many")
    row = tab.locator("[data-row='12']")
    row.click()
    expect(tab.locator(".lk-now")).to_contain_text("step 12 of 205")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".lk-now")).to_contain_text("step 13 of 205")
    expect(tab.locator(".lk-row.lk-on")).to_have_attribute("data-row", "12")
    assert tab.locator(".lk-diagram").evaluate("pane => pane.scrollTop") > 0  # it was brought into view


def test_it_says_why_nothing_can_be_edited(show):
    """There is no kernel, and the page says what has one."""
    tab = show("switched")
    expect(tab.locator(".lk-editor")).to_contain_text("Editing needs a kernel, and this page has none")
    assert tab.locator("input").count() == 0
    tab.locator(".lk-cell").first.click()
    tab.keyboard.type("50")
    expect(tab.locator(".lk-cell").first).to_have_text("47")


def test_hostile_bytes_run_nothing(show):
    """Markup that crossed the wire stands on the page as text."""
    tab = show("hostile")
    tab.get_by_role("option", name="field line Origin").click()
    expect(tab.locator(".lk-diagram")).to_contain_text("</script><img src=x onerror=")
    assert tab.locator("img").count() == 0
    assert tab.title() == "Declined: refused (400)"


def test_what_can_be_reached_has_a_role_and_a_name(show):
    """A screen reader finds a region, lists of messages and pieces, a grid of bytes, and every name in them."""
    tab = show("hops")
    expect(tab.get_by_role("region", name="inspector: Switched to websocket (101)")).to_be_visible()
    messages = tab.get_by_role("listbox", name="messages in the order of cause").get_by_role("option")
    assert messages.count() == 9
    assert all(each.get_attribute("aria-label") for each in messages.all())
    expect(tab.get_by_role("option", selected=True).first).to_have_attribute(
        "aria-label", "client to nginx: GET /ws/ HTTP/1.1"
    )
    expect(tab.get_by_role("grid", name="bytes, 8 in a row").get_by_role("row").first).to_be_visible()
    assert tab.get_by_role("listbox", name="pieces of this message").get_by_role("option").count() > 5
    stops = tab.evaluate("() => [...document.querySelectorAll('[tabindex=\"0\"]')].length")
    assert stops == 3  # one for the messages, one for the bytes, one for the pieces


def test_it_prints_in_ink_on_white(show, tmp_path):
    """On paper the page is light, whole, and without what is to be pressed."""
    tab = show("hops", dark=True)
    tab.emulate_media(media="print")
    assert tab.locator(".lk").evaluate("root => getComputedStyle(root).backgroundColor") == "rgb(255, 255, 255)"
    expect(tab.locator(".lk-button").first).to_be_hidden()
    for pane in (".lk-diagram", ".lk-grid", ".lk-pieces"):
        assert tab.locator(pane).evaluate("pane => pane.scrollHeight <= pane.clientHeight + 1"), pane
    KEPT.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=KEPT / "page-print.png", full_page=True)
    assert tab.pdf(path=KEPT / "page.pdf", format="A4", print_background=True).startswith(b"%PDF")
