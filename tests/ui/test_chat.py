"""The page of `labkit serve --chat`, in two tabs that talk to each other."""

import pytest

from labkit.cli.chat_page import chat_page
from labkit.net.server import UpgradeServer
from labkit.parties.chat import Chat
from tests.ui.rig import PATIENCE


class Tab:
    """A tab with the chat's page, in a context of its own, as of another person."""

    def __init__(self, browser, url: str, **options) -> None:
        self.context = browser.new_context(viewport={"width": 900, "height": 700}, **options)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)

    def enter(self, name: str) -> None:
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Come in").click()

    def say(self, text: str) -> None:
        self.page.get_by_label("Your message").fill(text)
        self.page.keyboard.press("Enter")

    def hears(self, *lines: str) -> None:
        """Wait for the last lines of the log."""
        script = "lines => [...document.querySelectorAll('#log li')].slice(-lines.length)\
            .map(line => line.textContent).join('|') === lines.join('|')"
        self.page.wait_for_function(script, arg=list(lines))

    def state(self, text: str) -> None:
        self.page.get_by_role("status").filter(has_text=text).wait_for()


@pytest.fixture
def server():
    with UpgradeServer(protocols={"websocket": Chat()}, page=chat_page()) as running:
        yield running


@pytest.fixture
def tabs(browser, server):
    """Open tabs, close them, and fail where the console of one had an error to tell."""
    opened: list[Tab] = []

    def tab(path: str = "", **options) -> Tab:
        opened.append(Tab(browser, server.url + path, **options))
        return opened[-1]

    yield tab
    for each in opened:
        each.context.close()
    assert [error for each in opened for error in each.errors if "WebSocket connection" not in error] == []


def test_two_tabs_talk(tabs, request):
    """What one says the other reads, as text and never as HTML; who comes and goes is told."""
    ada, bob = tabs("tea"), tabs("tea", color_scheme="dark")
    ada.enter("Ada")
    ada.hears("* Ada came in")
    bob.enter("Bob")
    bob.hears("* here: Ada", "* Bob came in")
    bob.say("<b>hello</b>, Ada: <script>alert(1)</script>")
    ada.hears("* Ada came in", "* Bob came in", "Bob: <b>hello</b>, Ada: <script>alert(1)</script>")
    ada.say("hello, Bob 👋")
    bob.hears("Ada: hello, Bob 👋")
    folder = request.config.getoption("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for name, tab in (("chat", ada), ("chat-dark", bob)):
        tab.page.screenshot(path=folder / f"{name}.png")
    bob.context.close()
    ada.hears("* Bob left")


def test_a_name_that_is_taken(tabs):
    """The page says so, and asks for another; the keyboard is where it is needed."""
    ada, bob = tabs(), tabs()
    ada.enter("Ada")
    ada.hears("* Ada came in")
    bob.enter("ada")
    bob.state("somebody here has that name.")
    assert bob.page.evaluate("document.activeElement.id") == "name"
    bob.enter("Bob")
    bob.hears("* here: Ada", "* Bob came in")
    assert bob.page.evaluate("document.activeElement.id") == "text"


def test_it_comes_back(tabs, server):
    """Where the server is gone the page says so, and comes back by itself when the server does."""
    ada = tabs()
    ada.enter("Ada")
    ada.hears("* Ada came in")
    port = server.port
    server.stop()
    ada.state("Not connected: the server is stopping.")
    with UpgradeServer(protocols={"websocket": Chat()}, page=chat_page(), port=port):
        ada.state("You are here as Ada.")
        ada.say("back")
        ada.hears("* Ada came in", "Ada: back")


def test_only_its_own_script_runs(tabs):
    """Its policy lets nothing in but its own script and style, and its own server (CSP Level 3)."""
    ada = tabs()
    blocked = (
        "() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1'; document.body.append(s);\
        return window.bad === undefined; }"
    )
    assert ada.page.evaluate(blocked)
    assert "violates the following Content Security Policy" in ada.errors.pop()
