"""The slider over the cut, by keyboard: the picture follows, and says in words what it shows."""

from __future__ import annotations

from tests.ui.test_pictures import THEMES

SOURCE = """import labkit
greeting = labkit.simulate(labkit.Scenario(say=[], server=labkit.Server(faults=["early-frame"])))
labkit.seam(greeting).slider(130)"""
PICTURE = ".labkit-cut figure img:visible"


def test_the_cut_is_moved_by_keyboard(lab):
    """An arrow key moves the cut by a byte: where the first read ends at the seam, the naive reader has the frame."""
    page = lab.open("seam.ipynb", SOURCE)
    page.run_all()
    picture = page.tab.locator(PICTURE)
    picture.wait_for()
    assert "begins inside the frame" in picture.get_attribute("alt")
    page.tab.locator(".labkit-cut [role=slider]").focus()
    page.tab.keyboard.press("ArrowLeft")
    page.tab.locator(f'{PICTURE}[alt*="Reads of 129 and 7 bytes"]').wait_for()
    assert "naive: the frame arrives" in picture.get_attribute("alt")
    assert not page.tab.locator(".labkit-twin").is_visible()
    for name, theme in THEMES.items():
        page.theme(theme)
        assert picture.count() == 1
        page.picture(f"seam-{name}", page.tab.locator(".labkit-cut"))
