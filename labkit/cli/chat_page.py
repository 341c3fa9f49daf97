"""The page of `labkit serve --chat`: HTML, style and script in one answer, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files

from labkit.parties.answer import Answer
from labkit.render.theme import DARK, LIGHT, variables

__all__ = ["chat_page"]


@cache
def chat_page() -> Answer:
    """Return the page: it joins the room of its own path, on the server that it came from.

    >>> answer = chat_page()
    >>> answer.status, "<h1>Chat" in answer.reason, dict(answer.fields)["Content-Type"]
    (200, True, 'text/html; charset=utf-8')
    """
    dark = f"@media (prefers-color-scheme: dark) {{\n:root {{\n{variables(DARK)}\n}}\n}}"
    style = f":root {{\n{variables(LIGHT)}\n}}\n{dark}\n{_text('chat.css')}"
    script = _text("chat.js")
    page = _text("chat.html").replace("/* style */", style).replace("/* script */", script)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    lines = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    )
    return Answer(200, page.rstrip("\n"), lines)


def _text(name: str) -> str:
    return files("labkit.cli").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return the source of an inline element as a policy names it (CSP Level 3, 2.3.1)."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
