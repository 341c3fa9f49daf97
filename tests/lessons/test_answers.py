import pytest

from labkit.lessons.answers import SEED_DIAGRAM, review_mermaid
from labkit.render.diagram import diagram
from labkit.scenario import Scenario
from labkit.simulation import simulate

MENDED = """\
sequenceDiagram
    participant Client
    participant Server
    Client->>+Server: GET /socket HTTP/1.1, Host, Upgrade: websocket, Connection: Upgrade
    Note over Client: Sec-WebSocket-Key, Sec-WebSocket-Version: 13
    Server-->>-Client: HTTP/1.1 101 Switching Protocols, Upgrade, Connection, Sec-WebSocket-Accept: …
    Server->>Client: text
    Client->>Server: text
    Client->>Server: Close
    Server->>Client: Close
"""


def missing(source: str) -> list[str]:
    return [point.what for point in review_mermaid(source).points if not point.holds]


def test_the_well_known_diagram_lacks_six_points():
    """Of the diagram that most pages show, the fields and the end are wanting."""
    assert len(missing(SEED_DIAGRAM)) == 6
    assert "✗ the request is one arrow" in str(review_mermaid(SEED_DIAGRAM))


@pytest.mark.parametrize("source", [MENDED, diagram(simulate(Scenario())).mermaid()])
def test_a_mended_diagram_has_every_point(source: str):
    """One drawn by hand, and the one that the lab draws, hold."""
    assert review_mermaid(source).ok
    assert missing(source) == []


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        ("GET", "POST", "the request is a GET"),
        ("Host, ", "", "the request has a Host"),
        (", Connection: Upgrade", "", "the request has Upgrade and Connection"),
        ("Sec-WebSocket-Key, ", "", "the request has a key and a version"),
        ("Sec-WebSocket-Accept: …", "", "the 101 has an Accept"),
        ("Protocols, Upgrade,", "Protocols,", "the 101 has Upgrade and Connection"),
        ("Server-->>-Client: HTTP/1.1 101", "Client-->>Server: HTTP/1.1 101", "the 101 goes from the server to the client"),
        ("    Client->>Server: text\n", "", "after the 101 both parties send"),
        ("    Client->>Server: Close\n", "", "at the end each party sends one Close"),
        ("Close", "do not stop", "at the end each party sends one Close"),
        ("    Server-->>", "    Client->>Server: fields\n    Server-->>", "the request is one arrow"),
    ],
)  # fmt: skip
def test_each_point_is_missed_where_it_is_not_drawn(was: str, becomes: str, what: str):
    """Taking one thing out of a right diagram loses that point."""
    assert what in missing(MENDED.replace(was, becomes))


@pytest.mark.parametrize("source", ["", "sequenceDiagram", "->>: 101", "\x00" * 50, "a->>b: #1114111;#999999;"])
def test_anything_can_be_looked_at(source: str):
    """What is no diagram gets a review, and no error."""
    assert not review_mermaid(source).ok
    assert review_mermaid(source)._repr_mimebundle_()["text/html"].startswith("<table>")
