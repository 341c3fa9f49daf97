import re
import subprocess
import sys
from pathlib import Path

import pytest

import labkit

COSTLY = ["matplotlib", "IPython", "h11", "websockets", "asyncio", "ipywidgets", "numpy", "labkit.net", "labkit.render"]


def loaded(script: str) -> set[str]:
    """Run a script in a fresh interpreter, and return which of the costly modules it loaded."""
    tell = f"; import sys; print([name for name in {COSTLY!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script + tell], capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"'([^']+)'", ran.stdout))


def test_importing_is_cheap():
    """`import labkit` loads nothing that costs: not the drawing, not the network, not asyncio."""
    assert loaded("import labkit") == set()


def test_describing_needs_no_network():
    """Scenarios are put together without sockets or event loops."""
    assert loaded("import labkit; labkit.Scenario(labkit.Offer.bare())") == {"h11", "websockets"}


def test_simulating_needs_no_network():
    """A simulation loads neither asyncio nor any room with sockets in it."""
    assert "labkit.net" not in loaded("import labkit; labkit.simulate(labkit.Scenario())")


@pytest.mark.parametrize(
    "call",
    [
        "trace.check(), trace.bytes(), labkit.diagram(trace).svg(), str(trace)",
        "trace.save('/dev/null'), trace.check().diagram(), labkit.evaluate(labkit.Server(), labkit.Offer.bare())",
        "labkit.xray(labkit.Scenario(via=[labkit.Nginx('location / { proxy_pass http://b; }')]))",
        "labkit.why('Unexpected response code: 400'), labkit.why(trace), labkit.catalogue(), labkit.faults()",
    ],
)
def test_looking_needs_no_network(call):
    """What is made of a trace needs no sockets, so that it works in a browser, too."""
    assert "labkit.net" not in loaded(f"import labkit; trace = labkit.simulate(labkit.Scenario()); {call}")


@pytest.mark.parametrize("name", labkit.__all__)
def test_every_public_name_is_there(name):
    """What `__all__` promises can be had, is documented, and is what its own room calls by that name."""
    value = getattr(labkit, name)
    assert value.__doc__
    assert value.__name__ == name
    assert not value.__doc__.startswith(f"{name}(")  # a dataclass that was not described


def test_the_face_is_complete():
    """`__all__`, the places where names come from, and what `dir` shows are one list, in order."""
    assert sorted(labkit.__all__) == sorted(labkit._WHERE)
    assert labkit.__all__ == sorted(labkit.__all__)
    assert set(labkit.__all__) <= set(dir(labkit))
    assert labkit.__version__[0].isdigit()


def test_type_checkers_see_the_same_face():
    """What is imported for type checkers alone is what is loaded for everybody."""
    text = Path(labkit.__file__).read_text()
    seen = dict(re.findall(r"    from labkit\.([\w.]+) import (.+)\n", text))
    named = {name.strip(): module for module, names in seen.items() for name in names.split(",")}
    assert named == labkit._WHERE


def test_another_name_is_told_so():
    """A name that is not there is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Upgrade'"):
        _ = labkit.Upgrade
