import pytest

from labkit.clinic.mending import Edit, edited, mend, remedies
from labkit.errors import WrongUse
from labkit.proxies.apache import Apache
from labkit.proxies.nginx import Nginx

BARE = "server {\n    location /ws/ {\n        proxy_pass http://app:3000;  # the app\n    }\n}"


def written(proxy, line):
    """Return what each remedy for the way through a line would make of the text, by itself."""
    return [edited(proxy.text, [each.edit]) for each in remedies(proxy, proxy.directives, line)]


def test_a_directive_is_added_below_proxy_pass_set_in_like_it():
    """A line of its own is followed by a line of its own."""
    first = written(Nginx(BARE), 3)[0].splitlines()
    assert first[2:4] == ["        proxy_pass http://app:3000;  # the app", "        proxy_http_version 1.1;"]


def test_what_stands_in_one_line_stays_in_one_line():
    """Where the block is closed in the same line, the directive is added before that."""
    text = "location /ws/ { proxy_pass http://app:3000; }"
    assert written(Nginx(text), 1)[0] == "location /ws/ { proxy_pass http://app:3000; proxy_http_version 1.1; }"


def test_a_wrong_value_is_replaced():
    """A Connection that is there already is written anew, in its place."""
    text = BARE.replace("# the app", "\n        proxy_set_header Connection '';")
    found = [each.edit for each in remedies(Nginx(text), Nginx(text).directives, 3)]
    assert (
        "in place of `proxy_set_header Connection '';` write `proxy_set_header Connection \"upgrade\";`"
        in found[2].told
    )
    assert found[2].line == 4


def test_inherited_lines_are_not_lost():
    """A location without proxy_set_header of its own inherits all; a new one goes where those stand."""
    text = "server {\n    proxy_set_header Host $host;\n    location / {\n        proxy_pass http://app;\n    }\n}"
    upgrade = next(each for each in remedies(Nginx(text), Nginx(text).directives, 4) if "Upgrade" in each.edit.now)
    assert upgrade.edit.line == 2


def test_several_behind_the_same_words_keep_their_order():
    """The first of several edits comes first in the text."""
    edits = [Edit(1, "a;", "a;\nfirst", ""), Edit(1, "a;", "a;\nsecond", "")]
    assert edited("a;\nb", edits) == "a;\nfirst\nsecond\nb"


def test_apache_gets_its_parameter():
    """An http: line says which protocol may pass."""
    site = Apache('ProxyPass "/ws/" "http://app/"')
    assert written(site, 1) == ['ProxyPass "/ws/" "http://app/" upgrade=websocket']


def test_a_special_path_is_moved_above_the_general_one():
    """The line that comes too late is written above the one that takes its requests."""
    site = Apache('ProxyPass "/" "http://app/"\nProxyPass "/ws/" "ws://app/"')
    first = remedies(site, site.directives, 1)[0]
    assert edited(site.text, [first.edit]).splitlines()[0] == 'ProxyPass "/ws/" "ws://app/"'


def test_the_fewest_remedies_are_taken():
    """What two lines mend is not mended with three."""
    site = Nginx(BARE.replace("# the app", "\n        proxy_http_version 1.1;"))
    found = remedies(site, site.directives, 3)
    chosen, mended = mend(site, found, lambda each: "$http_upgrade" in each.text and '"upgrade"' in each.text)
    assert len(chosen) == 2
    assert "$http_upgrade" in mended.text


def test_what_nothing_mends():
    """Where no remedy helps there is none; one that breaks the configuration is passed over."""
    site = Nginx(BARE)

    def never(_):
        raise WrongUse("no")

    assert mend(site, remedies(site, site.directives, 3), lambda _: False) is None
    assert mend(site, remedies(site, site.directives, 3), never) is None


@pytest.mark.parametrize("line", [0, 1, 99])
def test_no_way_no_remedy(line):
    """A line that leads nowhere has no remedies."""
    assert remedies(Nginx(BARE), Nginx(BARE).directives, line) == []


def test_a_map_of_the_text_is_used():
    """Where a map makes Connection of Upgrade, its variable is written."""
    text = f"map $http_upgrade $up {{ default upgrade; '' close; }}\n{BARE}"
    assert "proxy_set_header Connection $up;" in written(Nginx(text), 4)[2]


def test_nothing_is_added_inside_of_if():
    """The directives of a proxy stand around it alone, and they count inside."""
    text = "location / {\n    if ($args) { proxy_pass http://b; }\n    proxy_pass http://a;\n}"
    assert {each.edit.line for each in remedies(Nginx(text), Nginx(text).directives, 2)} == {3}


def test_each_member_of_a_balancer_gets_the_parameter():
    """It is one change, of as many lines."""
    text = "<Proxy balancer://n>\nBalancerMember http://a:1\nBalancerMember http://b:2\n</Proxy>\nProxyPass / balancer://n/"
    (only,) = remedies(Apache(text), Apache(text).directives, 5)
    assert edited(text, only.edits).count("upgrade=websocket") == 2


def test_a_pattern_gets_the_scheme():
    """Where the URL of ProxyPassMatch has $1, its parameter does not count."""
    site = Apache("ProxyPassMatch ^/ws/(.*)$ http://app/$1")
    assert written(site, 1)[1] == "ProxyPassMatch ^/ws/(.*)$ ws://app/$1"
