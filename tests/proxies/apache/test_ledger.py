from __future__ import annotations

from labkit.proxies.apache.editing import apply
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.reading import directives, read
from labkit.wire.fields import Fields


def test_lines_are_changed_as_httpd_changes_its_tables():
    """Set drops the others of the name, merge goes to the first."""
    ledger = Ledger.of(Fields.of([("A", "1"), ("B", "2"), ("a", "3")]))
    ledger.merge("a", "4", "me")
    assert list(ledger.fields()) == [("A", "1, 4"), ("B", "2"), ("a", "3")]
    ledger.set("A", "5", "me")
    assert list(ledger.fields()) == [("A", "5"), ("B", "2")]
    ledger.first("B")
    assert list(ledger.fields()) == [("B", "2"), ("A", "5")]


def test_a_line_that_is_added_and_dropped_is_no_change():
    """It neither came nor went."""
    ledger = Ledger()
    ledger.add("A", "1", "me")
    ledger.unset("A", "me")
    ledger.again("A", "1", "me")
    assert [change.name for change in ledger.changes()] == ["A"]


def test_mod_headers_edits_lines():
    """As measured: add makes a line of its own, append and merge go to the first."""
    ledger = Ledger.of(Fields.of([("X", "up")]))
    apply(
        ledger,
        directives(read("Header set X a\nHeader append X b\nHeader merge X b\nHeader add X c\nHeader setifempty X d")),
    )
    assert list(ledger.fields()) == [("X", "a, b"), ("X", "c")]
