from __future__ import annotations

import re

import pytest

from labkit.errors import WrongUse
from labkit.net.copying import copy_as
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import FORMS
from labkit.wire.upgrade import SAMPLE_KEY, is_key
from tests.snippets.running import execute, received


def test_a_command_line_has_a_fresh_key():
    """The RFC's own key is never copied: each command line has one of its own (RFC 6455, 4.1 (7))."""
    keys = [re.search("Sec-WebSocket-Key: ([^']*)", copy_as(Offer.websocket()).text)[1] for _ in range(2)]
    assert all(is_key(key) for key in keys)
    assert len({*keys, SAMPLE_KEY}) == 3


def test_a_key_of_ones_own_stays():
    """Only the RFC's own key is replaced; a wrong one is the point of a lesson."""
    assert "'Sec-WebSocket-Key: AAAA'" in copy_as(Offer.websocket(key="AAAA")).text


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form):
    """An offer and a scenario are copied in every form, without the RFC's own key."""
    for what in (Offer.websocket(), Scenario()):
        printed = copy_as(what, form, "http://127.0.0.1:8101/")
        assert printed.form == form
        assert "127.0.0.1" in printed.text
        assert SAMPLE_KEY not in printed.text


def test_a_copy_runs(tmp_path):
    """What is copied switches at the lab's server, with another key each time."""
    with UpgradeServer() as server:
        out = execute(copy_as(Scenario(), "socket", server.url), tmp_path)
        assert SAMPLE_KEY.encode() not in received(server)
    assert "Switched: the Accept is right." in out


def test_an_unknown_form():
    """A form that is not there is refused, and those that are there are named."""
    with pytest.raises(WrongUse, match="curl, php, websockets, socket, javascript"):
        copy_as(Offer.websocket(), "java")
