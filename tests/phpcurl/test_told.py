import io

from labkit.phpcurl.told import put


class Texts(io.StringIO):
    """A stream that takes texts alone, as a notebook's does."""


def test_bytes_stay_bytes(tmp_path):
    """A binary stream, and the one below a text stream, get the bytes as they are, in order."""
    raw = io.BytesIO()
    put(raw, b"\x81\xff")
    assert raw.getvalue() == b"\x81\xff"
    with (tmp_path / "f").open("w", encoding="ascii") as text:
        text.write("before ")
        put(text, b"\x81\xff")
        text.write(" after")
    assert (tmp_path / "f").read_bytes() == b"before \x81\xff after"


def test_texts_alone():
    """A stream without bytes below it shows them: UTF-8 where it is that."""
    texts = Texts()
    put(texts, "ü".encode() + b"\x81")
    assert texts.getvalue() == "ü\\x81"


def test_standard_output(capfdbinary):
    """None is standard output as it is now."""
    put(None, b"\x81\n")
    assert capfdbinary.readouterr().out == b"\x81\n"
