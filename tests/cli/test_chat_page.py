import base64
import re
from hashlib import sha256

import pytest

from labkit.cli.chat_page import chat_page
from labkit.parties.answer import checked


@pytest.mark.parametrize("element", ["script", "style"])
def test_the_policy_names_what_is_in_the_page(element):
    """Script and style of the page are the ones that its policy lets in, by their hashes (CSP Level 3, 2.3.1)."""
    page = chat_page()
    [text] = re.findall(rf"<{element}>(.*)</{element}>", page.reason, re.DOTALL)
    digest = base64.b64encode(sha256(text.encode()).digest()).decode()
    assert f"{element}-src 'sha256-{digest}'" in dict(page.fields)["Content-Security-Policy"]


def test_the_page_can_be_sent():
    """It is an answer that a server can be told."""
    assert checked(chat_page()) == chat_page()


def test_every_input_has_a_label():
    """Each input is named by a label, and what is said is a log that is read out (WCAG 2.2, 4.1.2, 4.1.3)."""
    page = chat_page().reason
    inputs = re.findall(r'<input id="(\w+)"', page)
    assert inputs == re.findall(r'<label for="(\w+)"', page)
    assert 'role="log"' in page
    assert 'role="status"' in page


def test_nothing_is_put_into_the_page_as_html():
    """Its script shows text as text, whatever the text is."""
    page = chat_page().reason
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert name not in page
