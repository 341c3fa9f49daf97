import pytest

from labkit import Apache
from labkit.errors import WrongUse
from labkit.proxies.described import Place

REDIRECT = "<VirtualHost *:80>\nRedirect / https://a/\n</VirtualHost>\n"
SITE = "<VirtualHost *:443>\nProxyPass / http://b/\n</VirtualHost>\n"


@pytest.mark.parametrize(
    ("text", "door", "others"),
    [
        ("ProxyPass / http://b/", 80, ()),
        ("Listen 8080\nProxyPass / http://b/", 8080, ()),
        (SITE, 443, ()),
        (REDIRECT + SITE, 443, (80,)),
        ("Listen 80\nListen 192.0.2.1:443 https\n" + SITE, 443, (80,)),
        ("Listen 81\n" + REDIRECT, 81, (80,)),
        ("<VirtualHost *>\nProxyPass / http://b/\n</VirtualHost>", 80, ()),
        ("<VirtualHost 192.0.2.1:8443 [::1]:443>\nProxyPass / http://b/\n</VirtualHost>", 8443, (443,)),
        ("<Proxy balancer://x>\nBalancerMember http://b\n</Proxy>\n" + REDIRECT
         + SITE.replace("http://b/", "balancer://x/"), 443, (80,)),
    ],
)  # fmt: skip
def test_the_door_is_the_first_that_leads_to_an_upstream(text, door, others):
    """The client dials the first virtual host with a backend; the other ports follow in the order of the text."""
    site = Apache(text)
    assert (site.door_port, site.other_ports) == (door, others)


def test_the_door_may_be_chosen():
    """Any port of the text can be the door; another is an error that lists them."""
    assert Apache(REDIRECT + SITE, door=80).other_ports == (443,)
    with pytest.raises(WrongUse, match="door=8080: the configuration listens on 80, 443"):
        Apache(REDIRECT + SITE, door=8080)


def test_ports_are_those_of_the_place():
    """Each Listen and <VirtualHost> gets the place's port for its own; one that nobody opens is opened."""
    site = Apache("Listen 80\n" + REDIRECT + SITE)
    completed = site.completed(Place("/lab", 9001, "127.0.0.1:1", (9002,)))
    lines = [line for line in completed.splitlines() if "900" in line]
    assert lines == ["Listen 127.0.0.1:9001", "Listen 127.0.0.1:9002", "<VirtualHost *:9002>", "<VirtualHost *:9001>"]
    assert [note.what for note in site.notes if "opens that port" in note.why] == ["Listen 443"]


def test_too_few_ports_are_told():
    """A place with fewer ports than the text listens on is an error, not a port that is left out."""
    with pytest.raises(WrongUse, match="listens on 1 other ports, and the place has 0 spare"):
        Apache(REDIRECT + SITE).completed(Place("/lab", 9001, "127.0.0.1:1"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Listen", "line 1: Listen: the port is missing"),
        ("Listen http", "line 1: Listen: 'http' is no port"),
        ("Listen 70000", "line 1: Listen: '70000' is no port"),
        ("Listen ${PORT}", "line 1: Listen: '${PORT}' is no port"),
        ("<VirtualHost>\n</VirtualHost>", "line 1: <VirtualHost>: its address is missing"),
        ("<VirtualHost *:80> <Location />\n</VirtualHost>", "line 1: <VirtualHost>: '*:80>' is no address"),
        ("\n".join(f"Listen {port}" for port in range(1, 60)), "line 41: Listen: the text listens on more than 40"),
    ],
)
def test_a_port_that_is_none_is_named(text, told):
    """A wrong port or address is an error with its line."""
    with pytest.raises(WrongUse) as caught:
        Apache(text)
    assert str(caught.value).startswith(told)
