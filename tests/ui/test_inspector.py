"""The inspector in JupyterLab: by mouse and by keyboard, what the page shows and what the kernel saw."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.ui.rig import KEPT
from tests.ui.test_pictures import CONTRASTS, ENOUGH, MOST, THEMES

SOURCES = ("import labkit; trace = labkit.simulate(labkit.Scenario())", "seen = labkit.inspect(trace); seen")
SIZE = (1400, 1500)
TOLD = re.compile(r"^Switched to websocket \(101\)\.")
CELLS = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell"


def opened(lab, *more: str):
    """Return the page of a new notebook whose second cell is an inspector, and the inspector in it."""
    page = lab.open("inspected.ipynb", *SOURCES, *more, size=SIZE)
    page.run_all()
    live = page.cell(1).locator(".lk")
    expect(live.locator(".lk-row").first).to_be_visible()
    return page, live


@pytest.fixture(scope="module")
def shared(lab):
    """Open one inspector for all tests that leave it as it was but for its step."""
    return opened(lab)


@pytest.fixture
def seen(shared):
    _, live = shared
    live.get_by_role("button", name="take back all edits").evaluate("button => button.click()")
    live.get_by_role("button", name="rewind").evaluate("button => button.click()")
    live.locator(".lk-title").hover()
    return shared


def byte(live, offset: int):
    return live.get_by_role("gridcell", name=re.compile(rf"^byte {offset},"))


def piece(live):
    return live.locator(".lk-piece.lk-on strong").first


def test_an_arrow_a_field_and_a_byte_lead_to_each_other(seen):
    """Whatever is clicked in one of the three, the other two show the same bytes."""
    _, live = seen
    live.get_by_role("option", name='client to server: text "Hello"').click()
    expect(live.locator(".lk-where")).to_have_text("client → server, bytes 157 to 167")
    expect(live.locator(".lk-what")).to_have_text("frame: text")
    byte(live, 158).click()
    expect(piece(live)).to_have_text("MASK, length")
    live.get_by_role("option", name=re.compile("^masking key")).click()
    expect(live.locator(".lk-cell.lk-on")).to_have_text(["37", "fa", "21", "3d"])
    live.locator("[data-row='0'] [data-start]").first.click()
    expect(piece(live)).to_have_text("field line Host")
    expect(live.locator(".lk-cell.lk-on").first).to_have_text("48")
    expect(live.locator("[data-row='0'].lk-on .lk-line-on")).to_have_count(1)
    live.screenshot(path=KEPT / "inspector-field.png")


def test_pointing_is_for_a_moment(seen):
    """What is pointed at is shown until the pointer leaves; what was chosen comes back."""
    _, live = seen
    live.get_by_role("option", name="server to client: HTTP/1.1 101 Switching Protocols").hover()
    expect(live.locator(".lk-now")).to_contain_text("step 2 of 7")
    live.locator(".lk-title").hover()
    expect(live.locator(".lk-now")).to_contain_text("step 1 of 7")
    byte(live, 0).hover()
    expect(live.locator(".lk-piece.lk-on strong")).to_have_text("method")


def test_the_keyboard_reaches_everything(seen):
    """Steps, bytes and pieces are one stop of Tab each; arrows move in them, and every stop has a name."""
    page, live = seen
    live.get_by_role("button", name="one step on").focus()
    page.tab.keyboard.press("Enter")
    expect(live.locator(".lk-now")).to_contain_text("step 2 of 7: server to client: HTTP/1.1 101")
    page.tab.keyboard.press("Tab")  # to the last step
    page.tab.keyboard.press("Tab")
    expect(live.locator("[data-row='1']")).to_be_focused()
    page.tab.keyboard.press("ArrowDown")
    expect(live.locator("[data-row='3']")).to_be_focused()
    expect(live.locator(".lk-now")).to_contain_text('step 3 of 7: client to server: text "Hello"')
    page.tab.keyboard.press("Tab")
    expect(byte(live, 157)).to_be_focused()
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("ArrowRight")
    expect(piece(live)).to_have_text("masking key")
    page.tab.keyboard.press("ArrowDown")
    expect(byte(live, 167)).to_be_focused()  # the last one: there is none right below
    for _ in range(3):
        page.tab.keyboard.press("Tab")  # hex, text, undo or reset are disabled until something is edited
        if live.locator(".lk-pieces").evaluate("list => list.contains(document.activeElement)"):
            break
    expect(live.locator(".lk-piece:focus")).to_contain_text("payload, masked")
    page.tab.keyboard.press("Home")
    expect(live.locator(".lk-piece:focus")).to_contain_text("FIN, RSV, opcode")
    expect(byte(live, 157)).to_have_class(re.compile("lk-on"))


def test_a_byte_is_typed_over_and_the_findings_change(seen):
    """Typing on a byte reaches the kernel, the verdict follows, and undo takes it back."""
    page, live = seen
    live.get_by_role("option", name='client to server: text "Hello"').click()
    byte(live, 158).click()
    page.tab.keyboard.type("05")
    expect(live.locator(".lk-finding")).to_contain_text("a frame without a mask")
    page.wait_kernel(
        "[(*spot, value) for spot, value in seen.edits.items()]", "[(0, <Direction.TO_SERVER: 'server'>, 158, 5)]"
    )
    assert page.kernel("seen.trace.check().ids[0]") == "'X01'"
    expect(live.locator(".lk-editor .lk-warn")).to_contain_text("nobody answers anew")
    expect(live.get_by_label("byte, hexadecimal")).to_be_focused()
    live.screenshot(path=KEPT / "inspector-edited.png")
    live.get_by_role("button", name="take back the last edit").click()
    expect(live.locator(".lk-finding")).to_contain_text("Nothing broken")
    page.wait_kernel("len(seen.edits)", "0")


def test_what_is_typed_is_none_of_the_notebooks_business(seen):
    """Keys that JupyterLab has a meaning for do nothing to the notebook while a byte has the focus."""
    page, live = seen
    before = page.tab.locator(CELLS).count()
    byte(live, 0).click()
    for key in ("d", "Escape", "b", "Escape", "x", "z", "ArrowDown", "m"):
        page.tab.keyboard.press(key)
    byte(live, 8).click()
    page.tab.keyboard.press("x")
    assert page.tab.locator(CELLS).count() == before
    expect(page.cell(1)).to_have_class(re.compile("jp-CodeCell"))


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_in_either_theme(seen, theme):
    """Every text of the inspector has a contrast of 4.5 to 1 with what is behind it."""
    page, live = seen
    page.theme(THEMES[theme])
    try:
        notes = live.locator("details").first
        notes.evaluate("notes => { notes.open = true; }")
        live.locator("[data-row='0'] [data-start]").nth(3).click()
        assert [each for each in page.ask(CONTRASTS) if each[0] < ENOUGH] == []
        notes.evaluate("notes => { notes.open = false; }")
        live.get_by_role("option", name='client to server: text "Hello"').click()
        byte(live, 158).click()
        page.show(1)
        assert page.picture(f"inspector-{theme}", live).stat().st_size < MOST
    finally:
        page.theme(THEMES["light"])


def test_it_prints(seen):
    """On paper nothing scrolls and nothing waits to be pressed."""
    page, live = seen
    page.tab.emulate_media(media="print")
    try:
        expect(live.locator(".lk-button").first).to_be_hidden()
        for pane in (".lk-diagram", ".lk-grid", ".lk-pieces"):
            assert live.locator(pane).evaluate("pane => pane.scrollHeight <= pane.clientHeight + 1"), pane
    finally:
        page.tab.emulate_media(media="screen")


def test_the_last_verdict_stays_until_the_next_is_there(lab):
    """While the kernel is busy the old verdict stays, the page says what it waits for, and then what it got."""
    page, live = opened(lab, "import time; time.sleep(7)")
    byte(live, 0).click()
    page.cell(2).locator(".jp-InputArea-editor").click()
    page.tab.keyboard.press("Control+Enter")
    byte(live, 0).click()
    page.tab.keyboard.type("50")
    expect(live.locator(".lk-status")).to_have_text("checking …")
    expect(live.locator(".lk-title")).to_have_text("Switched to websocket (101)")
    expect(byte(live, 0)).to_have_text("50")
    expect(live.locator(".lk-status")).to_contain_text("The kernel is busy, or gone", timeout=9000)
    expect(live.locator(".lk-finding")).to_contain_text("Nothing broken")
    expect(live.locator(".lk-finding")).not_to_contain_text("Nothing broken", timeout=12000)
    expect(live.locator(".lk-status")).to_have_text("")


def test_a_lost_kernel_is_said_and_stepping_goes_on(lab):
    """When the kernel is shut down, the page says so and edits no more; everything else works."""
    page, live = opened(lab)
    byte(live, 0).click()
    page.ask("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    expect(live.locator(".lk-status")).to_contain_text("The kernel is gone", timeout=15000)
    expect(live.get_by_label("byte, hexadecimal")).to_be_disabled()
    live.get_by_role("button", name="one step on").click()
    expect(live.locator(".lk-now")).to_contain_text("step 2 of 7")
    live.screenshot(path=KEPT / "inspector-lost.png")


def test_a_restarted_kernel_is_said_too(lab):
    """A new kernel knows nothing of the inspector of the old one."""
    page, live = opened(lab)
    page.ask("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(live.locator(".lk-status")).to_contain_text("The kernel is gone", timeout=15000)


def test_two_views_of_one_inspector_show_the_same(lab):
    """What is typed in one view is seen in the other."""
    page, live = opened(lab, "seen")
    other = page.cell(2).locator(".lk")
    expect(other.locator(".lk-row").first).to_be_visible()
    byte(live, 0).click()
    page.tab.keyboard.type("50")
    expect(byte(other, 0)).to_have_text("50")
    byte(other, 1).click()
    page.tab.keyboard.type("55")
    expect(byte(live, 1)).to_have_text("55")
    page.wait_kernel("seen.trace.stream(labkit.Direction.TO_SERVER)[:3]", "b'PUT'")
    assert page.cell(2).locator(".lk-twin").is_hidden()


def test_the_saved_notebook_shows_the_twin(lab):
    """Reopened without the kernel that made it, the notebook shows diagram, findings and bytes, and no complaint."""
    page, _ = opened(lab)
    assert page.cell(1).locator(".lk-twin").is_hidden()
    page.ask("() => jupyterapp.commands.execute('docmanager:save')")
    page = lab.open("inspected.ipynb", size=SIZE)
    twin = page.cell(1).locator(".lk-twin")
    expect(twin).to_be_visible()
    expect(twin.locator("img").first).to_have_attribute("alt", TOLD)
    page.tab.wait_for_timeout(1500)  # time for the widget's own output to find no model
    assert "model not found" not in page.cell(1).inner_text()
    assert "Loading widget" not in page.cell(1).inner_text()
    page.tab.screenshot(path=KEPT / "inspector-twin.png")
    page.errors = [error for error in page.errors if "model not found" not in error]  # JupyterLab's, of the widget


def test_a_copy_that_nobody_trusts_shows_the_twin(lab):
    """A notebook that came from elsewhere runs no script and has no style, and shows the same exchange."""
    saved = json.loads((lab.folder / "inspected.ipynb").read_text(encoding="utf-8"))  # by the test before
    saved["cells"][1]["source"] = "labkit.inspect( trace )"  # what is trusted is known by its content
    saved["cells"][1]["metadata"].pop("trusted", None)
    page = lab.open(saved, size=SIZE)
    shown = page.cell(1)
    expect(shown.locator("img").first).to_have_attribute("alt", TOLD)
    assert "masking key" in page.text(1)
    assert shown.locator(".lk").count() == 0
    page.tab.screenshot(path=KEPT / "inspector-untrusted.png")
