import pytest

from labkit.errors import WrongUse
from labkit.proxies.directive import NoteKind
from labkit.proxies.nginx import Nginx
from labkit.proxies.nginx.pasting import unfold

PASTE = """nginx: configuration file /etc/nginx/nginx.conf test is successful
# configuration file /etc/nginx/nginx.conf:
events {}
http {
    include mime.types;
    include conf.d/*.conf;
    include /nowhere/*.conf;
}

# configuration file /etc/nginx/conf.d/b.conf:
server { listen 82; }
# configuration file /etc/nginx/conf.d/a.conf:
server { listen 81;
    include /etc/nginx/part; }
# configuration file /etc/nginx/conf.d/.hidden.conf:
server { listen 83; }
# configuration file /etc/nginx/part:
location / { proxy_pass http://b; }
"""


def test_nginx_t_is_one_text():
    """Includes are found in the paste, in the order of their names; file and line say where a directive stands."""
    directives, notes = unfold(PASTE, ())
    http = directives[1]
    assert [each.args for server in http.block for each in server.inside("listen")] == [("81",), ("82",)]
    location = http.block[0].inside("location")[0]
    assert (location.file, location.line) == ("/etc/nginx/part", 18)
    assert [(note.kind, note.line, note.what) for note in notes] == [
        (NoteKind.SKIPPED, 5, "include mime.types"),
        (NoteKind.SKIPPED, 7, "include /nowhere/*.conf"),
    ]


def test_errors_in_a_paste_name_its_lines():
    """The line is that of the whole paste, not of the file in it."""
    with pytest.raises(WrongUse, match=r"^line 4: listen is not ended"):
        unfold("# configuration file /a:\nevents {}\n# configuration file /b:\nserver { listen 80 }", ())


def test_an_include_that_never_ends():
    """A file that includes itself is told, with the line."""
    with pytest.raises(WrongUse, match="line 2: include b leads back to /a/b"):
        unfold("# configuration file /a/b:\ninclude b;\n", ())


def test_a_missing_file_is_named_and_skipped(tmp_path):
    """A file that is not part of the text is not read, though it is there."""
    (tmp_path / "part.conf").write_text("listen 8080;")
    nginx = Nginx(f"server {{ include {tmp_path}/part.conf; location / {{ proxy_pass http://b; }} }}")
    assert nginx.door_port == 80
    assert [note.line for note in nginx.notes if note.kind == NoteKind.SKIPPED] == [1]


@pytest.mark.parametrize("name", ["part.conf", "*.conf"])
def test_a_file_is_read_where_it_is_allowed(tmp_path, name):
    """A file that `allow` names is read; its directives stand on the line of the include."""
    (tmp_path / "part.conf").write_text("\n\nlisten 8080;")
    path = f"{tmp_path}/{name}"
    nginx = Nginx(f"server {{\n include {path};\n location / {{ proxy_pass http://b; }} }}", allow=[path])
    listen = nginx.directives[-1].inside("server")[0].inside("listen")[0]
    assert (nginx.door_port, listen.line) == (8080, 2)


def test_an_allowed_file_that_is_not_there():
    """The system's own word for it is told."""
    with pytest.raises(WrongUse, match="line 1: include /nowhere/x: No such file or directory"):
        Nginx("server { include /nowhere/x; }", allow=["/nowhere/x"])
