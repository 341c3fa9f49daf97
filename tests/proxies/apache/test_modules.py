import pytest

from labkit import Apache
from labkit.errors import WrongUse
from labkit.proxies.described import Place

PASS = "ProxyPass /ws/ ws://b/\n"


def loading(text: str, *, built_in=(), modules="/m", **more) -> list[str]:
    completed = Apache(text, **more).completed(Place("/lab", 1, "127.0.0.1:2", modules=modules, built_in=built_in))
    return [line.split("/mod_")[1][:-4] for line in completed.splitlines() if line.startswith("LoadModule")]


def test_what_a2enmod_gives_is_loaded_unless_another_choice_is_made():
    """Three proxy modules, unless the caller or the text chose others; then exactly those."""
    assert Apache(PASS).loaded == ("proxy", "proxy_http", "proxy_wstunnel")
    assert Apache(PASS, modules=["mod_proxy", "proxy_wstunnel"]).loaded == ("proxy", "proxy_wstunnel")
    assert Apache("LoadModule proxy_http_module x/mod_proxy_http.so\n" + PASS).loaded == ("proxy", "proxy_http")
    assert loading(PASS, modules="/m") == ["mpm_event", "unixd", "authz_core", "proxy", "proxy_http", "proxy_wstunnel"]


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("RewriteEngine On", {"rewrite"}),
        ("RequestHeader set A b", {"headers"}),
        ("SetEnvIf A b c", {"setenvif"}),
        ("AuthType Basic", {"auth_basic", "authn_core", "authn_file", "authz_user"}),
        ("Require not ip 10.0.0.1", {"authz_host"}),
        ("Require valid-user", {"authz_user"}),
        ("SetHandler server-status", {"status"}),
        ("SetOutputFilter SUBSTITUTE;DEFLATE", {"substitute", "deflate", "filter"}),
        ("Order allow,deny", {"access_compat", "authz_host"}),
        ("ProxyPass /b balancer://x/", {"proxy_balancer", "slotmem_shm", "lbmethod_byrequests"}),
        ("ProxySet balancer://x lbmethod=bytraffic",
         {"proxy_balancer", "slotmem_shm", "lbmethod_byrequests", "lbmethod_bytraffic"}),
        ("ProxyHTMLEnable On", {"proxy_html", "xml2enc"}),
        ("LoadModule reqtimeout_module x/mod_reqtimeout.so", {"reqtimeout"}),
        ("LoadModule cgid_module x/mod_cgid.so", set()),
        ("SSLEngine On", set()),
        ("AddType a/b .c", {"mime"}),
    ],
)  # fmt: skip
def test_the_directives_modules_are_loaded(line, more):
    """Each directive's module, those that its arguments name, and what these are built on; nothing else."""
    assert set(loading(PASS + line)) - set(loading(PASS)) == more


def test_what_others_are_built_on_comes_first():
    """Modules are loaded in an order in which they find one another."""
    order = loading("ProxyPass / balancer://x/\nProxyHTMLEnable On")
    assert order.index("slotmem_shm") < order.index("proxy") < order.index("proxy_balancer")
    assert order.index("xml2enc") < order.index("proxy_html")


def test_what_is_built_in_is_not_loaded():
    """Debian builds in what Red Hat loads; with another MPM built in, none is loaded."""
    assert "unixd" not in loading(PASS, built_in=("core.c", "mod_so.c", "mod_unixd.c"))
    assert "mpm_event" not in loading(PASS, built_in=("prefork.c",))
    assert loading(PASS, modules="") == []


def test_modules_lie_in_the_place_s_folder():
    """Red Hat's folder and Debian's differ; the place says which it is."""
    place = Place("/lab", 1, "127.0.0.1:2", modules="/usr/lib64/httpd/modules")
    assert 'LoadModule proxy_module "/usr/lib64/httpd/modules/mod_proxy.so"' in Apache(PASS).completed(place)


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        ("proxy", "modules is a list of names"),
        (5, "modules is a list of names"),
        (["rewrite"], "'rewrite' is no proxy module"),
        (["proxy", "proxy_x"], "'proxy_x' is no proxy module"),
        ([1], "1 is no proxy module"),
        (["proxy_http"], "proxy_http is built on proxy"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(modules, told):
    """Only httpd's own proxy modules can be chosen, and mod_proxy among them."""
    with pytest.raises(WrongUse) as caught:
        Apache(PASS, modules=modules)
    assert told in str(caught.value)
