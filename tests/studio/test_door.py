"""Who is let in to the page: no other site's, no other name, and no file but the page's own."""

import pytest

from nvs_jax.studio.door import why_not


@pytest.mark.parametrize("path", ["/../secret", "/a/../../b", "/%2e%2e/secret", "/..%2fsecret", "/..\\secret", "/a/.."])
def test_no_path_leads_out(path):
    assert why_not(path, "localhost:1", None, loopback=True) == "no such file"
    assert why_not(path, "host:1", None, loopback=False) == "no such file"


def test_a_page_of_another_site_is_refused_wherever_it_listens():
    for loopback in (True, False):
        assert why_not("/", "127.0.0.1:1", "http://127.0.0.1:1", loopback=loopback) is None
        assert why_not("/", "127.0.0.1:1", None, loopback=loopback) is None
        assert "127.0.0.1:2" in str(why_not("/", "127.0.0.1:1", "http://127.0.0.1:2", loopback=loopback))
        assert "null" in str(why_not("/", "127.0.0.1:1", "null", loopback=loopback))


def test_on_the_loopback_it_has_the_loopbacks_names():
    for name in ("localhost:1", "127.0.0.1:1", "[::1]:1"):
        assert why_not("/", name, None, loopback=True) is None
    assert why_not("/", "evil.example:1", None, loopback=True) == "evil.example:1 is not where it listens"
    assert why_not("/", "", None, loopback=True) is not None
    assert why_not("/", "machine.example:1", "http://machine.example:1", loopback=False) is None
