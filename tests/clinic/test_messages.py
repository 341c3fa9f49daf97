import pytest

from labkit.clinic.messages import of_message


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID", "certificate"),
        ("WebSocket connection to 'ws://a/' failed: WebSocket is closed before the connection is established.", "close()"),
        ("Error: WebSocket was closed before the connection was established", "close()"),
        ("Invalid command 'ProxyPass', perhaps misspelled or defined by a module not included", "not loaded"),
    ],
)  # fmt: skip
def test_what_fails_before_an_upgrade_is_no_fault_of_the_proxys(message, word):
    """The message of Chrome's that names a failed WebSocket has its reason behind it."""
    found = of_message(message)
    assert word in found.cause
    assert found.who != "proxy"


def test_the_cause_begins_with_what_goes_wrong():
    """The title first, and where there are lines to write, where they stand."""
    found = of_message("Unexpected response code: 403")
    assert found.cause.startswith("The server does not welcome this Origin. ")
    assert found.change[-1] == "the lines to write: labkit cases origin-refused"


def test_what_is_to_be_said_of_a_message_is_said():
    """A note stands behind the other causes."""
    assert of_message("code: 1006").others[-1].startswith("1006 is never sent")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Unexpected response code: 426", "proxy-drops-upgrade"), ("websocket: bad handshake", "proxy-drops-upgrade"),
        ('"Connection" must be "Upgrade".', "constant-connection"), ("ping timeout", "idle-timeout"),
        ("400 The plain HTTP request was sent to HTTPS port", "garbage-answer"),
        ("Invalid WebSocket frame: invalid status code 1006", "corrupt-frames"),
    ],
)  # fmt: skip
def test_the_likeliest_comes_first(message, name):
    """Who sees the message is a WebSocket client, so that a plain request is not the cause."""
    assert of_message(message).proof == f"labkit simulate {name}"
