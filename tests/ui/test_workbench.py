"""The workbench by mouse and by keyboard: what the page shows, and what the kernel saw."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

import pytest

from labkit.net.programs import find
from tests.ui.test_pictures import CONTRASTS, ENOUGH, MOST, THEMES

WIDE = (1400, 900)
ALT = ".labkit-workbench figure img"
# Clicks a box, and tells how many milliseconds later the page has another picture, drawn.
TURN = """async name => {
    const box = [...document.querySelectorAll(".labkit-lines label")].find(each => each.textContent.trim() === name);
    const picture = () => document.querySelector(".labkit-workbench figure img")?.src;
    const before = picture(), since = performance.now();
    box.querySelector("input").click();
    while (picture() === before) await new Promise(again => setTimeout(again, 1));
    await document.querySelector(".labkit-workbench figure img").decode();
    return performance.now() - since;
}"""
FOCUSED = """() => {
    const here = document.activeElement;
    const label = here.labels?.[0]?.textContent.trim();
    return [here.tagName, label || here.getAttribute("aria-label") || here.title || here.textContent.trim()];
}"""
FAR = """name => {
    const alert = [...document.querySelectorAll("[role=alert]")].find(each => each.textContent.includes(name));
    const knob = alert.closest(".labkit-knob");
    return knob?.querySelector("label").textContent.trim() ?? "";
}"""


@pytest.fixture
def bench(lab):
    """Return a function that opens a workbench, named `bench` in the kernel, and waits for its picture."""

    def opened(start: str = "", size: tuple[int, int] = WIDE):
        page = lab.open("workbench.ipynb", f"import labkit; bench = labkit.Workbench({start}); bench", size=size)
        page.run_all()
        page.tab.wait_for_selector(".labkit-workbench .labkit-panels")
        return page

    return opened


def expect(locator):
    from playwright.sync_api import expect as waiting

    return waiting(locator)


def shown(page) -> list[str]:
    """Return the titles of the pictures that can be seen."""
    return [
        each.split(".")[0] for each in page.tab.locator(f"{ALT}:visible").evaluate_all("all => all.map(i => i.alt)")
    ]


def wait_shown(page, *titles: str) -> None:
    for _ in range(100):
        if shown(page) == list(titles):
            return
        page.tab.wait_for_timeout(100)
    assert shown(page) == list(titles)


def test_a_knob_is_turned_by_mouse(bench):
    """A box that is clicked changes the picture at once, and the kernel's variation; a row is kept when it is asked for."""
    page = bench()
    wait_shown(page, "Switched to websocket (101)")
    page.tab.get_by_label("Connection", exact=True).click()
    wait_shown(page, "Declined: ignored (200)")
    page.wait_kernel("print([each.name for each in bench.variation.lines if not each.on][0])", "Connection\n")
    page.tab.get_by_role("button", name="Predict", exact=True).click()
    page.tab.wait_for_selector(".labkit-history td:has-text('Declined: ignored (200)')")
    page.wait_kernel("bench.history.rows[0].predicted", "'Declined: ignored (200)'")


def test_a_text_counts_when_a_button_is_pressed_next(bench):
    """Who types and clicks at once, without Enter, predicts what was typed."""
    page = bench('"nginx, nothing set"')
    wait_shown(page, "Declined: upgrade required (426)")
    text = page.tab.get_by_label("Configuration of proxy 1")
    text.fill("location / { return 404; }\nlocation /ws/ { proxy_pass http://a; }")
    page.tab.get_by_role("button", name="Predict", exact=True).click()
    page.wait_kernel("[each.predicted for each in bench.history.rows]", "['Declined: refused (404)']")


def test_a_run_stands_beside_the_prediction(bench):
    """Both pictures are side by side, and what the client adds is marked with a sign and words."""
    if not find("curl"):
        pytest.skip("needs curl")
    page = bench()
    wait_shown(page, "Switched to websocket (101)")
    page.tab.get_by_label("Client, when run for real").select_option(label="curl")
    page.tab.get_by_role("button", name="Run for real").click()
    row = page.tab.locator(".labkit-results tr", has_text="user-agent")
    assert row.text_content(timeout=30_000).split("the server saw")[0].strip() == "+ added by curl"
    wait_shown(page, *["Switched to websocket (101)"] * 2)
    boxes = [each.bounding_box() for each in page.tab.locator(f"{ALT}:visible").all()]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert "✓ No difference but what the client does by itself" in page.tab.locator("[role=status]").text_content()
    page.wait_kernel("bench.history.rows[-1].differences", "0")


def test_a_knob_is_fast(bench):
    """From a click to the picture that it comes to, drawn: under 150 ms, half of the time at least."""
    page = bench('"nginx as in the snippet"')
    wait_shown(page, "Switched to websocket (101)")
    took = [page.ask(TURN, name) for name in ["Upgrade", "Connection"] * 10]
    assert statistics.median(took) < 150, f"{sorted(took)} ms"


def test_everything_is_reached_and_named_by_tab(bench):
    """Tab goes through every control in the order of the page, and each has a name of its own."""
    page = bench()
    wait_shown(page, "Switched to websocket (101)")
    page.tab.get_by_label("Begin from").focus()
    found = [page.tab.evaluate(FOCUSED)]
    while len(found) < 60 and "Load a saved history" not in found[-1][1]:
        page.tab.keyboard.press("Tab")
        found.append(page.tab.evaluate(FOCUSED))
    names = [name for _, name in found]
    assert all(names), found
    wanted = ["Begin from", "Predict", "Run for real", "Ask me first what will come", "Client, when run for real",
              "Method", "Target", "Version", "Host", "Value of Host", "Upgrade", "Value of Upgrade", "More field lines, one a line",
              "Says after the switch, a message a line", "How many", "To an offer, the server", "Faults on purpose"]  # fmt: skip
    assert [name for name in names if name in wanted] == wanted
    assert len(set(names)) == len(names)


def test_a_variation_is_made_by_keyboard_alone(bench):
    """Space, Enter, arrows and letters work the knobs, and never the notebook around them."""
    page = bench('"nginx, nothing set"')
    wait_shown(page, "Declined: upgrade required (426)")
    keys = page.tab.keyboard
    page.tab.get_by_label("Ask me first what will come").focus()
    for letter in "xadb":  # in a notebook: cut, insert above, delete, insert below
        keys.press(letter)
    assert page.tab.locator(".jp-Notebook .jp-Cell").count() == 1
    page.tab.get_by_label("To an offer, the server").focus()
    keys.press("ArrowUp")
    page.wait_kernel("bench.variation.answer", "'ignore'")
    wait_shown(page, "Declined: ignored (200)")
    page.tab.get_by_label("Upgrade", exact=True).focus()
    keys.press("Space")
    wait_shown(page, "No upgrade was offered (200)")
    page.tab.get_by_label("Target").focus()
    keys.press("ControlOrMeta+a")
    keys.type("/chat")
    keys.press("Enter")
    page.wait_kernel("bench.variation.target", "'/chat'")
    page.tab.get_by_role("button", name="Predict", exact=True).focus()
    keys.press("Enter")
    page.wait_kernel("len(bench.history.rows)", "1")
    page.tab.get_by_role("button", name="Faults on purpose").focus()
    keys.press("Space")
    page.tab.get_by_label("close: closes without an answer").focus()
    keys.press("Space")
    page.wait_kernel("bench.variation.faults", "('close',)")
    assert page.tab.locator(".jp-Notebook .jp-Cell").count() == 1


def test_what_is_wrong_stands_beside_its_knob(bench):
    """A configuration that nobody can read is told under its text, as an alert, with its line; mended, it is gone."""
    page = bench('"nginx as in the snippet"')
    wait_shown(page, "Switched to websocket (101)")
    text = page.tab.get_by_label("Configuration of proxy 1")
    good = text.input_value()
    text.fill("location / {\n  proxy_pass http://a\n}")
    text.press("Tab")
    page.tab.wait_for_selector("[role=alert]:has-text('line 2')")
    assert page.ask(FAR, "line 2") == "Configuration of proxy 1"
    assert "Traceback" not in page.text(0)
    page.tab.get_by_role("button", name="Predict", exact=True).click()
    page.tab.wait_for_selector("[role=alert]:has-text('mended first')")
    text.fill(good)
    text.press("Tab")
    page.tab.wait_for_selector("[role=alert]:has-text('line 2')", state="detached")
    page.wait_kernel("bench.troubles", "{}")


def test_the_learner_is_asked_first(bench):
    """Nothing is shown before the learner has said what will come; then both are told, and recorded."""
    page = bench('"nginx, nothing set", ask_first=True')
    assert shown(page) == []
    page.tab.get_by_role("button", name="Predict", exact=True).click()
    page.tab.wait_for_selector("[role=alert]:has-text('say first')")
    page.tab.get_by_label("What will the client get?").select_option(label="101, the switch")
    page.tab.get_by_role("button", name="Predict", exact=True).click()
    page.tab.wait_for_selector("[role=status]:has-text('✗ You said 101; it is 426')")
    wait_shown(page, "Declined: upgrade required (426)")
    recorded = "[each.value for each in labkit.lessons.record.entries() if each.kind == 'prediction'][-1]"
    page.wait_kernel(f"import labkit.lessons.record; {recorded}", "'101'")


def test_a_row_is_saved_reopened_compared_and_copied(bench, tmp_path):
    """What a link saves is what the kernel can read; rows come back, are held side by side, and leave as programs."""
    page = bench()
    tab = page.tab
    tab.get_by_role("button", name="Predict", exact=True).click()
    page.wait_kernel("len(bench.history.rows)", "1")
    tab.get_by_label("Upgrade", exact=True).click()
    wait_shown(page, "No upgrade was offered (200)")
    tab.get_by_role("button", name="Predict", exact=True).click()
    page.wait_kernel("len(bench.history.rows)", "2")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Save the history").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert len(json.loads(file.read_text("utf-8"))["rows"]) == 2
    tab.get_by_role("button", name="Compare", exact=True).click()
    tab.wait_for_selector(".labkit-history :text('without Upgrade') >> nth=0")
    tab.wait_for_selector(".labkit-history tr:has-text('start-line') >> text=HTTP/1.1 200 OK")
    tab.get_by_label("Copy as").select_option(label="nginx's text")
    tab.wait_for_selector("[role=alert]:has-text('no nginx')")
    tab.get_by_label("Copy as").select_option(label="PHP")
    copy = tab.get_by_label("The copy, to be selected and taken elsewhere")
    expect(copy).to_have_value(re.compile(r"^<\?php"))
    tab.get_by_label("Row", exact=True).select_option(label="1")
    tab.get_by_role("button", name="Reopen").click()
    wait_shown(page, "Switched to websocket (101)")
    page.kernel("bench.panel.keep(type(bench.history)())")
    tab.wait_for_selector(".labkit-history :text('Nothing kept yet')")
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Load a saved history").click()
    chooser.value.set_files(file)
    tab.wait_for_selector(".labkit-history .labkit-chosen th:text('2')")
    page.wait_kernel("[each.predicted for each in bench.history.rows][1]", "'No upgrade was offered (200)'")


def test_one_of_widget_and_twin_is_seen(bench):
    """The live widget hides its static twin; where the kernel is gone and the page is loaded again, the twin is seen."""
    page = bench('"nginx, nothing set"')
    wait_shown(page, "Declined: upgrade required (426)")
    twin = page.tab.locator(".labkit-twin")
    assert twin.count() == 1
    assert not twin.is_visible()
    page.ask("() => jupyterapp.commands.execute('docmanager:save')")
    folder = page.kernel("print(__import__('os').getcwd())").strip()
    saved = json.loads(Path(folder, "workbench.ipynb").read_text("utf-8"))
    kinds = [sorted(output["data"]) for output in saved["cells"][0]["outputs"]]
    assert kinds == [
        ["text/html", "text/plain"], ["application/vnd.jupyter.widget-view+json"]
    ]  # fmt: skip
    text = "".join(saved["cells"][0]["outputs"][0]["data"]["text/plain"])
    assert "server {" in text
    assert "HTTP/1.1 426" in text


def test_the_twin_is_seen_where_the_widget_is_dead(lab, bench):
    """Saved, and opened again without the kernel that it lived in, the notebook shows the twin, and no error of a widget."""
    page = bench('"nginx, nothing set"')
    wait_shown(page, "Declined: upgrade required (426)")
    page.ask("() => jupyterapp.commands.execute('docmanager:save')")
    page = lab.open("workbench.ipynb", size=WIDE)
    page.tab.wait_for_selector(".labkit-twin img")
    page.tab.wait_for_selector(".jp-OutputArea-child :text('model not found')", state="attached")
    page.errors = [each for each in page.errors if "widget model not found" not in each]  # it is what is tested
    assert page.tab.locator(".labkit-twin").is_visible()
    assert page.tab.locator(".labkit-workbench").count() == 0
    assert page.tab.locator(".jp-OutputArea-child:visible").count() == 1
    page.picture("workbench-twin")


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_and_photographed(bench, theme):
    """In either theme every text has a contrast of 4.5 to 1, nothing sticks out on a small screen, and it looks well."""
    page = bench('"nginx as in the snippet"', size=(1200, 1500))
    page.theme(THEMES[theme])
    page.tab.get_by_label("Target").fill("/a b")
    page.tab.get_by_label("Target").press("Enter")
    page.tab.wait_for_selector("[role=alert]:has-text('one word')")
    assert [each for each in page.ask(CONTRASTS) if each[0] < ENOUGH] == []
    page.tab.get_by_label("Target").fill("/")
    page.tab.get_by_label("Target").press("Enter")
    page.tab.wait_for_selector("[role=alert]:has-text('one word')", state="detached")
    page.wait_kernel("bench.troubles", "{}")
    page.tab.get_by_role("button", name="Run for real").click()
    page.wait_kernel("len(bench.history.rows)", "1" if find("nginx") else "0", seconds=30)
    wide = "() => { const e = document.querySelector('.labkit-workbench'); return e.scrollWidth - e.clientWidth }"
    assert page.ask(wide) <= 0
    assert page.picture(f"workbench-{theme}").stat().st_size < MOST
    page.theme(THEMES["light"])
