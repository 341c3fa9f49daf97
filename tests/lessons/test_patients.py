import pytest

from labkit.errors import WrongUse
from labkit.lessons.patients import _KNOWN, Patient, patient

NUMBERS = {Patient(number)._failure.name: number for number in reversed(range(400))}


def test_every_case_has_a_patient():
    """Each of the failures that are drawn comes up."""
    assert set(NUMBERS) == set(_KNOWN)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_right_diagnosis_is_among_the_choices_and_holds(name):
    """Of five, one; and the right party."""
    one = patient(NUMBERS[name])
    assert len(set(one.choices)) == 5
    assert name in one.choices
    assert one.diagnose(name, one._failure.party).ok
    wrong = next(each for each in one.choices if each != name)
    assert not one.diagnose(wrong).ok


def test_what_is_not_answered_yet_is_still_open():
    """The learner's `...`, and a party that is none, get the names to choose from."""
    review = str(patient(16).diagnose(..., "backend"))
    assert "the cause is still open" in review
    assert "client, proxy, server, operator" in review
    assert patient(16).diagnose("answer-loses-upgrade", "Server").ok


def test_the_choices_say_what_they_are():
    """A name alone tells a newcomer nothing."""
    assert "proxy-drops-upgrade       The proxy does not pass Upgrade and Connection on" in str(patient(31))


def test_the_complaint_does_not_tell():
    """What a browser says names no cause."""
    assert "1006" in patient(16).complaint
    assert "426" in patient(31).complaint


def test_the_same_number_is_the_same_patient():
    """A class can look at the same one."""
    assert patient(7) == patient(7)
    assert patient(7).choices == patient(7).choices
    assert str(patient(7)).startswith("Patient 7\n")


def test_the_mended_run_is_another():
    """Beside the broken run stands the fixed one."""
    one = patient(31)
    assert one.trace != one.fixed


@pytest.mark.parametrize("number", [-1, "7", 1.5, True, 10**9])
def test_what_is_no_number(number):
    """A patient has a number; anything else is refused."""
    with pytest.raises(WrongUse, match="whole number"):
        patient(number)
