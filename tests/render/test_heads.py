from __future__ import annotations

from labkit.render.heads import MOST_FIELDS, field_details


def told(lines, two=""):
    return [(detail.step, detail.text) for detail in field_details(lines, two)]


def test_fields_that_decide_something_are_shown_and_others_counted():
    """Host and what concerns the upgrade are shown; the step stands at the first field of the offer."""
    lines = [("Host", "h"), ("Accept", "*/*"), ("Upgrade", "h2c"), ("Connection", "Upgrade")]
    assert told(lines, "2") == [
        ("", "Host: h"),
        ("2", "Upgrade: h2c"),
        ("", "Connection: Upgrade"),
        ("", "+ 1 more field line"),
    ]


def test_where_none_is_shown_all_are_counted():
    """A head without any of them says how many field lines it has."""
    assert told([("Accept", "*/*"), ("Via", "x")]) == [("", "2 field lines")]
    assert told([]) == []


def test_no_more_than_a_few_are_shown():
    """A head of a thousand cookies stays short."""
    assert len(told([("cookie", "a=b")] * 1000)) == MOST_FIELDS + 1


def test_what_stands_in_http2_for_host_is_shown():
    """:authority is what Host is in HTTP/1.1 (RFC 9113, 8.3.1)."""
    assert told([(":authority", "h"), (":scheme", "http")]) == [("", ":authority: h"), ("", "+ 1 more field line")]
