"""What this machine has: the report, its verdict, and how it is drawn."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from labkit.lessons import doctor as room
from labkit.lessons.doctor import Doctor, Row, doctor
from labkit.net.programs import KNOWN, Program


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a machine without programs and proxies."""
    monkeypatch.setattr(room, "_version", lambda name: "1.0")
    monkeypatch.setattr(room, "find", lambda name: Program(name, note=f"sudo apt install {KNOWN[name].apt}"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def row(report: Doctor, what: str) -> Row:
    return next(row for row in report.rows if row.what == what)


def test_this_machine_can_run_the_lab():
    """Here, where the tests run, nothing that is needed is missing, and every known thing is reported."""
    report = doctor()
    assert report.ok
    names = [row.what for row in report.rows]
    assert names[:6] == ["Python", "system", "127.0.0.1", "h11", "websockets", "crossplane"]
    assert set(KNOWN) <= set(names)


@pytest.mark.usefixtures("bare")
def test_absent_programs_do_not_count():
    """What is absent is listed with the command that installs it, and the lab works all the same."""
    report = doctor()
    assert report.ok
    assert row(report, "nginx") == Row(
        "nginx", "absent", "", "the real nginx, in 06; without it, a model: sudo apt install nginx"
    )
    assert report.verdict.startswith("The lab can work here. Absent, and not needed to begin: curl, php")


@pytest.mark.usefixtures("bare")
def test_missing_package_is_wrong(monkeypatch: pytest.MonkeyPatch):
    """Without a core package the lab cannot work; without Jupyter it can, and the note says what to install."""
    monkeypatch.setattr(room, "_version", lambda name: "")
    report = doctor()
    assert not report.ok
    assert report.verdict.startswith("The lab cannot work here yet: see h11, websockets, crossplane. What begins with")
    assert row(report, "jupyterlab").note == (
        'opens the notebooks: python -m pip install -c constraints.txt ".[notebooks]"'
    )
    assert row(report, "h11").note == "reads HTTP/1.1: python -m pip install -c constraints.txt ."


def test_each_command_installs_what_is_missing():
    """The extra that a note names brings the package, and every package of the core is needed."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for name, (_, extra) in room._CHOSEN.items():
        brought = " ".join(extras[extra])
        brought = brought.replace("http101-labkit[lessons]", " ".join(extras.get("lessons", ())))
        # jupyterlab brings the kernel and the notebook format
        assert re.search(rf"\b{name}\b", brought) or (name in ("ipykernel", "nbformat") and "jupyterlab" in brought), (
            name
        )
    assert {re.match(r"\w+", each)[0] for each in project["dependencies"]} == set(room._NEEDED)


def test_a_purpose_names_notebooks_that_are_there():
    """Where a note says that a notebook uses a program, a cell of that notebook does."""
    for name, purpose in room._BROUGHT.items():
        for number in re.findall(r"\b\d\d\b", purpose):
            (path,) = (Path(__file__).parents[2] / "notebooks").glob(f"{number}-*.ipynb")
            assert re.search(rf'find\(\\"{name}\\"\)|!{name} ', path.read_text()), (name, number)


@pytest.mark.usefixtures("bare")
def test_loopback_that_cannot_be_bound_is_wrong(monkeypatch: pytest.MonkeyPatch):
    """Where no port of 127.0.0.1 can be had, the report says so with the system's reason."""
    monkeypatch.setattr(room, "can_listen", lambda: "Permission denied")
    assert row(doctor(), "127.0.0.1").state == "wrong"
    assert row(doctor(), "127.0.0.1").found == "Permission denied"


@pytest.mark.usefixtures("bare")
def test_old_python_is_wrong(monkeypatch: pytest.MonkeyPatch):
    """A Python older than 3.11 is named."""
    monkeypatch.setattr(room.sys, "version_info", (3, 10, 9))
    assert row(doctor(), "Python").state == "wrong"


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_proxy_is_noted_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str):
    """A proxy setting is noted as ignored; its value, which may hold a password, is not shown."""
    monkeypatch.setenv(name, "http://user:secret@proxy.example:3128")
    report = doctor()
    assert row(report, name.lower()) == Row(name.lower(), "note", "is set", "ignored by the lab's own clients")
    assert "secret" not in str(report._repr_mimebundle_())


def test_text_is_a_table():
    """The text has aligned columns, no blanks at line ends, and the verdict at its foot."""
    text = str(Doctor((Row("curl", "ok", "8.14.1", "asks"), Row("nginx", "absent"))))
    assert text.splitlines() == [
        "what   state   found   note",
        "curl   ok      8.14.1  asks",
        "nginx  absent",
        "",
        "The lab can work here. Absent, and not needed to begin: nginx.",
    ]
    assert repr(Doctor(())) == "<Doctor: The lab can work here.>"


def test_html_is_a_table_with_headings():
    """In Jupyter it is one table with a caption, column and row headings, and everything escaped."""
    bundle = Doctor((Row("a<b", "ok", "&", "<script>"),))._repr_mimebundle_(include=None, exclude=None)
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(f"{tag} {dict(attrs).get('scope', '')}".strip())

    Reader().feed(bundle["text/html"])
    assert [each for each in seen if each != "div"] == [
        "table", "caption", "thead", "tr", *["th col"] * 4, "tbody", "tr", "th row", "td", "td", "td",
    ]  # fmt: skip
    assert "&lt;script&gt;</div></td>" in bundle["text/html"]
    assert bundle["text/plain"].startswith("what")


def test_report_holds_no_path():
    """The report can be shown to others: no path of this machine is in it."""
    assert "/usr" not in str(doctor())
    assert "/home" not in str(doctor())
