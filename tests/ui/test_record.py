"""The record in the browser: saved as a download, and taken in again from a file, as on Binder."""

from __future__ import annotations

import json

from labkit.lessons.record import FILE

PREDICTED = "from labkit import predict, look_back, record\npredict('00.famous', 101)"


def shown(lab):
    """Open a notebook that predicts and shows the record; returns its page."""
    (lab.folder / FILE).unlink(missing_ok=True)
    page = lab.open("predicted.ipynb", PREDICTED, "look_back('00.famous', 400)", "record()")
    page.run_all()
    page.outputs(2).get_by_role("link", name="Save this record").wait_for()
    return page


def test_what_is_predicted_is_beside_the_copies(lab):
    """`labkit lab` has named the file: predictions of any notebook stand in it, in the learner's folder."""
    page = shown(lab)
    lines = [json.loads(line) for line in (lab.folder / FILE).read_text().splitlines()]
    assert [(line["kind"], line["name"]) for line in lines] == [("prediction", "00.famous"), ("came", "00.famous")]
    assert "It is kept in labkit-record.jsonl." in page.text(2)
    page.show(2)
    page.picture("record")


def test_saved_as_a_download_and_taken_in_again(lab, tmp_path):
    """The link saves the record as a file; where all is forgotten, the button takes the same file in again."""
    page = shown(lab)
    with page.tab.expect_download() as downloading:
        page.outputs(2).get_by_role("link", name="Save this record").click()
    saved = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(saved)
    assert saved.name == FILE
    assert saved.read_bytes() == (lab.folder / FILE).read_bytes()
    (lab.folder / FILE).unlink()
    load(page, saved)
    page.outputs(2).get_by_role("status").get_by_text("2 entries taken in.").wait_for()
    assert (lab.folder / FILE).read_bytes() == saved.read_bytes()
    load(page, saved)
    page.outputs(2).get_by_text("All of it was there already.").wait_for()


def test_a_file_that_is_no_record_is_one_sentence(lab, tmp_path):
    """A picture in place of a record is told beside the button, and changes nothing."""
    page = shown(lab)
    before = (lab.folder / FILE).read_bytes()
    (tmp_path / "holiday.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n")
    load(page, tmp_path / "holiday.jsonl")
    page.outputs(2).get_by_role("alert").get_by_text("this is no record of labkit's").wait_for()
    assert (lab.folder / FILE).read_bytes() == before


def load(page, file):
    """Choose a file, by the keyboard as by the mouse a file chooser opens."""
    button = page.outputs(2).get_by_role("button", name="Go on with a saved record")
    with page.tab.expect_file_chooser() as choosing:
        button.press("Enter")
    choosing.value.set_files(file)
