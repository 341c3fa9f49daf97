from datetime import UTC, datetime

import pytest

from labkit.errors import Unreadable, WrongUse
from labkit.parties.offer import Offer
from labkit.variations.history import History
from labkit.variations.variation import Middle, Variation
from labkit.widgets.tried import FORMS, Panel, copied

WHOLE = Variation.offering(Offer.websocket())
OFF = WHOLE.switched("Upgrade", on=False)
NGINX = WHOLE.but(
    middles=(Middle("nginx", "location / { proxy_pass http://a; }"), Middle("apache", "ProxyPass / http://b/"))
)


@pytest.fixture
def reopened():
    return []


@pytest.fixture
def panel(reopened):
    made = Panel(reopened.append)
    made.keep(History().kept(WHOLE, predicted="A").kept(OFF, predicted="B").kept(NGINX, predicted="C"))
    return made


@pytest.mark.parametrize("form", FORMS)
def test_a_row_leaves_as_a_program(form):
    """Every form prints; nginx and Apache are the texts of the row's own proxies."""
    text = copied(NGINX, form)
    assert text.strip()
    if form in ("nginx", "apache"):
        assert text == next(each.text for each in NGINX.middles if each.program == form)


@pytest.mark.parametrize(
    ("variation", "form", "said"),
    [
        (WHOLE, "nginx", "no nginx between"),
        (WHOLE.but(target=""), "curl", "mended: the target"),
        (WHOLE.but(method="POST"), "javascript", "copy it as"),
    ],
)
def test_what_cannot_be_copied_is_told(variation, form, said):
    """The reason is one sentence."""
    with pytest.raises(WrongUse, match=said):
        copied(variation, form)


def test_the_newest_row_is_chosen(panel):
    """The last row is chosen, the one before it is what it is compared with."""
    assert panel.row.number == 3
    assert "row 3" in panel.saved
    panel.choose(2)
    assert panel.row.variation == OFF


def test_a_row_is_reopened(panel, reopened):
    """Its variation goes back onto the knobs."""
    panel.choose(2)
    panel.again.click()
    assert reopened == [OFF]


def test_two_rows_are_compared(panel):
    """What was turned and what it came to stand in one table."""
    panel.choose(2, 1)
    panel.compare.click()
    assert "Turned from row 1 to row 2:</strong> without Upgrade" in panel.comparison
    assert "HTTP/1.1 200 OK" in panel.comparison
    assert "HTTP/1.1 101 Switching Protocols" in panel.comparison
    panel.choose(1)
    assert panel.comparison == ""


def test_secrets_are_starred_out_of_comparisons():
    """A token in a header is not shown in a table that is projected."""
    panel = Panel(lambda _: None)
    panel.keep(History().kept(WHOLE).kept(WHOLE.but(free="Authorization: Bearer s3cret-token")))
    panel.compare.click()
    assert "authorization" in panel.comparison
    assert "s3cret" not in panel.comparison.partition("</p>")[2]


def test_a_row_that_cannot_be_predicted_is_told(panel):
    """The alert names the row and what is wrong with it."""
    panel.keep(History().kept(WHOLE).kept(WHOLE.but(target="")))
    panel.compare.click()
    assert panel.alert.text.startswith("row 2 cannot be predicted: the target")


def test_a_copy_is_shown_and_refused(panel):
    """The text is shown; what cannot be copied is told, and takes the last text away."""
    panel.choose(1, form="curl")
    panel.copy.click()
    assert panel.text.startswith("curl -i")
    panel.choose(1, form="apache")
    panel.copy.click()
    assert "no apache" in panel.alert.text


def test_a_saved_history_is_taken_in(panel):
    """What was saved is there again in another workbench; what is none changes nothing."""
    other = Panel(lambda _: None)
    other.read(panel.history.written().encode())
    assert other.history == panel.history
    other.load.value = (
        {"name": "x.json", "type": "", "size": 1, "content": memoryview(b"\xff"), "last_modified": datetime.now(UTC)},
    )
    assert "UTF-8" in other.alert.text
    assert other.history == panel.history
    with pytest.raises(Unreadable, match="holds no row"):
        other.read(History().written().encode())
    assert other.history == panel.history


def test_an_empty_history_has_no_actions():
    """Nothing can be pressed before there is a row."""
    panel = Panel(lambda _: None)
    panel.again.click()
    assert "empty" in panel.alert.text
    assert panel.saved == ""
