import pytest

from labkit.lessons.answers import SEED_DIAGRAM, review_mermaid
from labkit.render.diagram import diagram
from labkit.scenario import Scenario
from labkit.simulation import simulate

MENDED = """\
sequenceDiagram
    participant Client
    participant Server
    Client->>Server: GET /socket HTTP/1.1, Host: server.example.com, Upgrade, Connection, Sec-WebSocket-Key: …
    Note over Client: Sec-WebSocket-Version: 13
    Server->>Client: HTTP/1.1 101 Switching Protocols, Sec-WebSocket-Accept: …
    Server->>Client: text
    Client->>Server: text
    Client->>Server: Close
    Server->>Client: Close
"""


def missing(source: str) -> list[str]:
    return [point.what for point in review_mermaid(source).points if not point.holds]


def test_the_well_known_diagram_lacks_five_points():
    """Of the diagram that most pages show, only the 101's direction and the two ways of data are right."""
    assert len(missing(SEED_DIAGRAM)) == 5
    assert "✗ one arrow stands before the answer" in str(review_mermaid(SEED_DIAGRAM))


@pytest.mark.parametrize("source", [MENDED, diagram(simulate(Scenario())).mermaid()])
def test_a_mended_diagram_has_every_point(source: str):
    """One drawn by hand, and the one that the lab draws, hold."""
    assert review_mermaid(source).ok
    assert missing(source) == []


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        ("Host: server.example.com, ", "", "the request has a Host"),
        ("Sec-WebSocket-Key: …", "", "the request has a key and a version"),
        ("Sec-WebSocket-Accept: …", "", "the 101 has an Accept"),
        ("Server->>Client: HTTP/1.1 101", "Client->>Server: HTTP/1.1 101", "the 101 goes from the server to the client"),
        ("Client->>Server: text\n    Client->>Server: Close\n", "", "after the 101 both parties send"),
        ("Close", "end", "the connection is closed with a Close frame"),
        ("    Server->>Client: HTTP", "    Client->>Server: fields\n    Server->>Client: HTTP",
         "one arrow stands before the answer"),
    ],
)  # fmt: skip
def test_each_point_is_missed_where_it_is_not_drawn(was: str, becomes: str, what: str):
    """Taking one thing out of a right diagram loses that point."""
    assert what in missing(MENDED.replace(was, becomes))


@pytest.mark.parametrize("source", ["", "sequenceDiagram", "->>: 101", "\x00" * 50])
def test_anything_can_be_looked_at(source: str):
    """What is no diagram gets a review, and no error."""
    assert not review_mermaid(source).ok
    assert review_mermaid(source)._repr_mimebundle_()["text/html"].startswith("<table>")
