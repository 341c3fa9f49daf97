"""The source alone; that JupyterLab's own Mermaid draws it is tested in tests/ui."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.render.diagram import diagram
from labkit.trace import Hop, Trace
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import asked, chain, declined, echo, switched, talk


def lines(trace: Trace) -> list[str]:
    return [line.strip() for line in diagram(trace).mermaid().splitlines()]


def test_every_row_is_a_line_of_the_source():
    """Parties, messages with their steps, field lines and bands as notes."""
    source = lines(echo(b"Hello"))
    assert source[0] == "sequenceDiagram"
    assert source[1] == "title Switched to websocket (101)"
    assert source[4:7] == ["participant P0 as client", "participant P1 as server", "P0->>P1: (1) GET /chat HTTP/1.1"]
    assert source[7].startswith("Note over P0,P1: Host#58; server.example.com<br/>(2) Upgrade#58; websocket<br/>")
    assert "P1->>P0: (5) text #34;Hello#34;" in source
    assert "P0-->>P1: (4) close 1000 (normal closure)" in source
    assert source[-1] == "Note over P0,P1: server closed first (FIN), then client<br/>(FIN)"


def test_three_parties_have_three_columns():
    """Arrows name their columns, whatever the parties are called."""
    assert "P1->>P2: (1b) GET /chat HTTP/1.1" in lines(chain("client", "proxy", "server"))


def test_a_tunnel_is_an_active_party_that_arrows_pass():
    """Between two lines of the source the proxy is active, and what it relayed goes from end to end."""
    source = lines(chain("client", "proxy", "server"))
    begin, end = source.index("activate P1"), source.index("deactivate P1")
    assert "from here on" in source[begin - 1]
    assert [line.split(": ")[0] for line in source[begin + 1 : end]] == ["P0->>P2", "P2->>P0", "P0-->>P2", "P2-->>P0"]
    assert "hop a" in source[end + 1]


def test_mermaids_own_words_are_no_orders():
    """A label that begins with a word of the language is written so that it is not read as one."""
    trace = Trace(tuple(talk(b"", b"")), (Hop("end", "wrapper"),), "nowrap")
    assert lines(trace)[1] == "title #110;owrap — nothing crossed".replace("—", "#8212;")
    assert lines(trace)[4:6] == ["participant P0 as #101;nd", "participant P1 as #119;rapper"]


def test_faults_and_declines_carry_their_sign():
    """Words and a sign, as in every form."""
    assert any("#10007; a client must mask" in line for line in lines(switched(frame(TEXT, b"x"))))
    assert any("#9632; steps 4 and 5 were" in line for line in lines(declined(b"HTTP/1.1 403 Forbidden\r\n\r\n")))


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=60), st.text(max_size=20))
def test_nothing_but_harmless_signs_and_codes_leaves_a_label(content, name):
    """Semicolons, hashes, percents, brackets and line ends exist as entity codes alone."""
    trace = Trace(switched(asked(TEXT, content.encode("utf-8", "replace"))).events, (Hop(name, "server"),), content)
    for line in lines(trace)[1:]:
        label = re.sub(
            r"^(title|accTitle:|accDescr:|participant P\d+ as|P\d+-?->>P\d+:|Note over P\d+(,P\d+)?:) ?", "", line
        )
        rest = re.sub(r"#[0-9]+;|<br/>", "", label)
        assert all(char.isalnum() or char in " .,/-_()'" for char in rest), line
