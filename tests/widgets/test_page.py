from __future__ import annotations

import base64
import json
import re
from hashlib import sha256

from labkit.render.inspected import inspected
from labkit.widgets.page import page, script, style
from labkit.wire.websocket import TEXT
from tests.render.exchanges import BAD_KEY, REQUEST, asked, declined, echo, switched

EVIL = b"</script><img src=x onerror=alert(1)><!--"


def document(text: str):
    (data,) = re.findall(r'<script type="application/json" id="document">(.*?)</script>', text)
    return json.loads(data)


def test_the_page_holds_the_document_and_the_notebooks_script():
    """A page is the inspector of the notebook with the same document."""
    trace = echo(b"Hello")
    text = page(trace)
    assert document(text) == inspected(trace)
    assert script() in text
    assert style() in text


def test_the_page_needs_no_network():
    """Nothing in the page is fetched from anywhere, and nothing in it imports."""
    text = page(echo(b"Hello"))
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert not re.search(r"\bimport\b[^(]*from|\bfetch\(|@import|url\(", script() + style())
    assert "default-src 'none'" in text


def test_the_policy_lets_the_one_script_run():
    """The policy names the script by its digest; nothing else that stands in the page can run."""
    text = page(echo(b"Hello"))
    (run,) = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    digest = base64.b64encode(sha256(run.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in text


def test_hostile_bytes_stay_text():
    """Markup that crossed the wire, in a head, a message, a title or a note, ends no script and begins no element."""
    head = REQUEST[:-2] + b"X: " + EVIL + b"\r\n\r\n"
    for trace in (declined(BAD_KEY, head), switched(asked(TEXT, EVIL), title=EVIL.decode())):
        text = page(trace)
        assert "<img src=x" not in text
        assert text.count("</script>") == 2
        assert document(text)["steps"]


def test_secrets_are_starred_out_unless_they_are_to_be_kept():
    """A page that is passed on holds no cookie, not in any form."""
    trace = declined(BAD_KEY, REQUEST[:-2] + b"Cookie: id=correct-horse\r\n\r\n")
    assert "correct-horse" not in page(trace)
    assert b"correct-horse".hex() not in page(trace)
    assert "correct-horse" in page(trace, keep_secrets=True)


def test_a_reader_without_scripts_finds_picture_and_findings():
    """The page holds the picture with its description, and the table of findings, for those without scripts."""
    (without,) = re.findall(r"<noscript>(.*?)</noscript>", page(echo(b"Hello")), re.DOTALL)
    assert 'alt="Switched to websocket (101).' in without
    assert "<table>" in without


def test_the_style_has_every_colour_in_light_dark_and_on_paper():
    """One table of colours feeds JupyterLab's themes, the page's and the paper."""
    text = style()
    used = set(re.findall(r"var\((--lk-[a-z-]+)\)", text + inspected(echo(b"Hello"))["svg"]))
    blocks = re.findall(r"\{\n((?:--lk-[^\n]+\n)+)\}", text)
    assert len(blocks) == 4
    for block in blocks:
        assert used <= set(re.findall(r"^(--lk-[a-z-]+):", block, re.MULTILINE))
