import re

import pytest

import labkit
from labkit.errors import WrongUse
from labkit.net.programs import find
from labkit.parties.offer import Offer
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.variations.presets import PRESETS
from labkit.variations.variation import MOST_MIDDLES
from labkit.widgets import workbench
from labkit.widgets.workbench import Workbench


@pytest.fixture
def noted():
    return []


@pytest.fixture
def bench(noted):
    return Workbench(note=lambda *entry: noted.append(entry))


def turn(bench: Workbench, knob: str, value: object) -> None:
    """Turn a knob as the page does."""
    bench.knobs[knob].widget.value = value


@pytest.mark.parametrize("name", PRESETS)
def test_it_begins_as_it_is_told(name):
    """The knobs show the very variation of a preset, and nothing is wrong with it."""
    made = Workbench(name)
    assert made.variation == PRESETS[name]
    assert made.troubles == {}
    assert made.verdict is not None


def test_it_begins_with_a_scenario():
    """A scenario of one's own is laid out on the knobs, and comes to the same."""
    scenario = Scenario(Offer.bare("/chat"), server=labkit.Server(require=True), patience=2.0)
    assert Workbench(scenario).verdict.trace == simulate(scenario)


@pytest.mark.parametrize("start", ["nginx", 5, Offer.bare()])
def test_another_beginning_is_told(start):
    """What it can begin with is named."""
    with pytest.raises(WrongUse, match="'nginx as in the snippet'"):
        Workbench(start)


def test_every_knob_simulates(bench):
    """A turned knob changes what is predicted, at once, and the line that says so."""
    bench.lines["Connection"].widget.value = False
    assert bench.verdict.outcome == "Declined: ignored (200)"
    assert "Declined: ignored (200)" in bench.told
    turn(bench, "answer", "require")
    assert bench.verdict.outcome == "Declined: upgrade required (426)"
    turn(bench, "count", MOST_MIDDLES)
    assert bench.verdict.trace.hops[0].server == "nginx"
    assert len(bench.verdict.trace.hops) == 3


def test_a_fault_with_its_argument(bench):
    """A fault is ticked in the list; its argument appears, and counts."""
    turn(bench, "fault:cut", True)
    assert bench.variation.faults == ("cut=20",)
    assert bench.verdict.outcome.startswith("No answer")
    assert bench.knobs["faults"].widget.description == "Faults on purpose (1)"


def test_what_no_knob_can_show_is_told(bench):
    """A variation from a file that asks for more than there are knobs is not changed in silence."""
    bench.open(PRESETS["A whole handshake"].but(faults=("interim=103", "nonsense")))
    assert bench.variation.faults == ("interim=103",)
    assert bench.trouble.endswith("without the fault nonsense")


def test_a_preset_is_chosen_while_at_work(bench):
    """All knobs are set at once."""
    turn(bench, "begin", "nginx before Apache")
    assert bench.variation == PRESETS["nginx before Apache"]


def test_a_program_is_changed_with_its_first_text(bench):
    """A text that nobody wrote is exchanged with the program; a text of one's own stays."""
    turn(bench, "count", 1)
    turn(bench, "program:0", "apache")
    assert bench.variation.middles[0].text.startswith("ProxyPass")
    turn(bench, "middles:0", 'ProxyPass "/" "ws://a/"')
    turn(bench, "program:0", "nginx")
    assert bench.variation.middles[0].text == 'ProxyPass "/" "ws://a/"'
    assert list(bench.troubles) == ["middles:0"]


@pytest.mark.parametrize(
    ("turned", "said"),
    [
        ({"target": "a b"}, "one word"),
        ({"free": "nonsense"}, "line 1"),
        ({"lines:1": "☃"}, "Upgrade"),
        ({"say": "\n" * 9}, "at most 8"),
        ({"count": 1, "middles:0": "location / {"}, "line"),
        ({"fault:cut": True, "faults:cut": "x"}, "cut=20"),
        ({"protocols": "a b"}, "protocol"),
        ({"answer": "absent"}, "nothing listens"),
    ],
)
def test_what_is_wrong_is_told_beside_its_knob(bench, turned, said):
    """The knob that caused it tells it, nothing is raised, and the picture says that it is of before; mended, all is well."""
    before = bench.variation
    for knob, value in turned.items():
        turn(bench, knob, value)
    assert list(bench.troubles) == [knob]
    assert said in bench.troubles[knob]
    assert "of before" in bench.told
    bench.predict_button.click()
    assert "mended first" in bench.trouble
    bench.run_button.click()
    assert bench.run_button.disabled is False
    assert bench.history.rows == () or knob == "answer"
    bench.open(before)
    assert bench.troubles == {}
    assert bench.trouble == ""


def test_a_text_that_is_too_long_is_told(bench):
    """What is beyond the limits of a variation is told where it was typed."""
    turn(bench, "target", "/" + "x" * 5000)
    assert "at most 2000" in bench.troubles["target"]


def test_a_fault_of_the_labs_own_is_one_line(bench, monkeypatch):
    """What nobody expected is told too, and never a traceback."""
    monkeypatch.setattr(workbench, "check", lambda _: 1 / 0)
    turn(bench, "target", "/new")
    assert bench.troubles["target"].startswith("a fault in labkit itself: ZeroDivisionError")


def test_predicting_keeps_a_row(bench, noted):
    """A row says what was turned and what came, and the record has it."""
    bench.predict_button.click()
    bench.lines["Upgrade"].widget.value = False
    bench.predict_button.click()
    assert [each.predicted for each in bench.history.rows] == [
        "Switched to websocket (101)",
        "No upgrade was offered (200)",
    ]
    assert bench.history.changed(2) == ("without Upgrade",)
    assert [entry[:2] for entry in noted] == [("variation", "workbench 1"), ("variation", "workbench 2")]
    assert noted[1][2] == bench.variation.as_json()


def test_a_run_of_the_labs_own_client_is_as_predicted(bench):
    """Nothing differs, and one row has both; a turned knob takes the run away."""
    bench.predict_button.click()
    bench.run_button.click()
    assert bench.differences == ()
    assert bench.observed.trace == bench.verdict.trace
    [row] = bench.history.rows
    assert (row.predicted, row.observed, row.differences) == (*["Switched to websocket (101)"] * 2, 0)
    assert bench.told.endswith("✓ No difference")
    turn(bench, "target", "/other")
    assert bench.observed is None


def test_what_a_client_adds_is_no_difference(bench):
    """The lines of curl's own are marked, and count as none."""
    if not find("curl"):
        pytest.skip("curl is not on this machine")
    turn(bench, "begin", "The two lines of the curl example")
    turn(bench, "client", "curl")
    bench.run_button.click()
    assert {row.mark for row in bench.differences} == {"added"}
    assert bench.history.rows[0].differences == 0


def test_a_program_that_is_absent_is_told_beside_the_button(bench, monkeypatch):
    """What would have to be installed is said, and the button can be pressed again."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("labkit.net.programs.KNOWN", {})
    turn(bench, "client", "curl")
    bench.run_button.click()
    assert "curl" in bench.trouble
    assert not bench.run_button.disabled
    assert bench.history.rows == ()


def test_what_a_client_cannot_say_is_told_beside_the_button(bench):
    """A browser takes no other method."""
    turn(bench, "client", "browser")
    turn(bench, "method", "POST")
    bench.run_button.click()
    assert "browser" in bench.trouble or "JavaScript" in bench.trouble or "javascript" in bench.trouble


def test_what_no_model_answers_can_be_run(bench):
    """The run stands alone, and the row says that there was no prediction."""
    if not find("nginx"):
        pytest.skip("nginx is not on this machine")
    turn(bench, "count", 1)
    turn(bench, "middles:0", "location / { proxy_pass http://a; proxy_method POST; }")
    assert "run it for real" in bench.troubles["middles:0"]
    bench.run_button.click()
    assert bench.observed is not None
    assert (bench.history.rows[0].predicted, bench.history.rows[0].differences) == ("no model answers", None)


def test_the_learner_says_first(noted):
    """Nothing is shown or kept before; then it is told whether it was right, and recorded."""
    bench = Workbench("nginx, nothing set", ask_first=True, note=lambda *entry: noted.append(entry))
    assert bench.verdict is None
    for button in (bench.predict_button, bench.run_button):
        button.click()
        assert "say first" in bench.trouble
    assert bench.history.rows == ()
    turn(bench, "guess", "426")
    bench.predict_button.click()
    assert "✓ You said 426" in bench.told
    assert bench.history.rows[0].guess == "426"
    assert noted[:2] == [("prediction", "workbench 1", "426"), ("came", "workbench 1", "426")]
    bench.lines["Host"].widget.value = False
    assert bench.verdict is None
    assert bench.knobs["guess"].value == ""


def test_no_secret_is_shown_or_recorded(monkeypatch):
    """What is typed into a field, the target or a configuration is starred out in print, twin and record."""
    secrets = ("sid1", "bear2", "tok3", "conf4")
    noted: list[object] = []
    shown: list[object] = []
    monkeypatch.setattr(workbench, "publish", lambda *bundles: shown.append(bundles[0]))
    offer = Offer.websocket("/?token=tok3").with_field("Cookie", "a=sid1").with_field("Authorization", "Bearer bear2")
    proxy = Nginx("location / { proxy_set_header Authorization 'Bearer conf4'; proxy_pass http://a; }")
    made = Workbench(Scenario(offer, via=[proxy]), note=lambda *what: noted.append(what))
    made.predict_button.click()
    made._ipython_display_()
    told = f"{made}{noted}{shown}"
    assert [each for each in secrets if each in told] == []
    assert made.variation.target == "/?token=tok3"


def test_a_record_that_is_full_is_told(bench):
    """The longest configurations fit into the record; what it refuses is told beside the buttons, and the row is kept."""
    turn(bench, "count", 2)
    for place in (0, 1):
        turn(bench, f"middles:{place}", f"location / {{ proxy_pass http://a; }} #{'x' * 19_000}")
    kept = Workbench(Scenario())
    kept.open(bench.variation)
    kept.predict_button.click()
    assert kept.trouble == ""

    def full(*_):
        raise WrongUse("the record is full")

    refused = Workbench(Scenario(), note=full)
    refused.predict_button.click()
    assert refused.trouble == "the record is full"
    assert len(refused.history.rows) == 1


def test_print_shows_the_setting_and_the_picture():
    """Without widgets, the state of now is a text, with the diagram."""
    bench = Workbench("nginx, nothing set")
    turn(bench, "fault:reason", True)
    assert re.search(r"proxy 1 +nginx\n", str(bench))
    assert "\n    location / {\n" in str(bench)
    assert "wrong on purpose: reason=UPGRADED" in str(bench)
    assert "HTTP/1.1 426" in str(bench)
    turn(bench, "target", "")
    assert "cannot be told" in str(bench)
    assert repr(bench) == "<Workbench 0 rows>"


def test_a_cell_shows_the_twin_and_the_widget(bench, monkeypatch):
    """The first output is what a viewer without widgets sees, the second is alive."""
    shown = []
    monkeypatch.setattr(workbench, "publish", lambda *bundles: shown.extend(data for data, _ in bundles))
    bench._ipython_display_()
    assert [sorted(each) for each in shown] == [
        ["text/html", "text/plain"],
        ["application/vnd.jupyter.widget-view+json"],
    ]
    assert "<img " in shown[0]["text/html"]
    assert shown[0]["text/plain"] == str(bench)
