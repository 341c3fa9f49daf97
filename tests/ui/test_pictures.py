"""How a lesson looks, in JupyterLab's light and dark: the pictures for the documentation, and that all can be read."""

from __future__ import annotations

import pytest

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
ENOUGH = 4.5  # WCAG 2.2, 1.4.3: contrast of text
MOST = 150_000  # bytes of a picture that is committed
WINDOW = (1100, 900)

# The contrast of every text in an output with what is painted behind it. What is half transparent is laid over
# what is behind it.
CONTRASTS = """() => {
    const numbers = colour => {
        const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
        return [red, green, blue, alpha];
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const light = colour => colour.slice(0, 3).map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = element => {
        const own = numbers(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, element.parentElement ? behind(element.parentElement) : [255, 255, 255]);
    };
    const found = new Map();
    document.querySelectorAll(".jp-OutputArea-output details").forEach(each => each.open = true);
    for (const output of document.querySelectorAll(".jp-OutputArea-output")) {
        const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const words = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
            if (!words || /^(STYLE|SCRIPT)$/.test(element.nodeName)) continue;
            const back = behind(element), front = over(numbers(getComputedStyle(element).color), back);
            const [low, high] = [light(front), light(back)].sort((one, other) => one - other);
            const key = `${element.nodeName} ${front} on ${back}`;
            if (!found.has(key)) found.set(key, [(high + 0.05) / (low + 0.05), words.slice(0, 40), key]);
        }
    }
    return [...found.values()];
}"""


@pytest.fixture(params=THEMES)
def themed(lab, copies, request):
    page = lab.open(f"{copies}/01-one-upgrade.ipynb", size=WINDOW)
    page.ask("() => jupyterapp.commands.execute('application:toggle-left-area')")  # the list of files
    page.theme(THEMES[request.param])
    page.run_all()
    yield page, request.param
    page.theme(THEMES["light"])


def test_a_lesson_can_be_read_and_photographed(themed):
    """The text of every output has a contrast of 4.5 to 1 in either theme, and its picture is a small file."""
    page, theme = themed
    contrasts = page.ask(CONTRASTS)
    assert len(contrasts) > 3
    assert [each for each in contrasts if each[0] < ENOUGH] == []
    page.show(2)
    assert page.picture(f"notebook-{theme}").stat().st_size < MOST
