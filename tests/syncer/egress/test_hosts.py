import pytest

from syncer.egress.hosts import AllowedHosts
from syncer.errors import HostNotAllowed


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("forge.example.com", "https://forge.example.com/org/site"),
        ("forge.example.com", "https://forge.example.com:443/org/site"),
        ("Forge.Example.COM", "https://forge.example.com/org/site"),
        ("forge.example.com:8443", "https://forge.example.com:8443/org/site"),
        ("*.example.com", "https://a.b.example.com/site"),
        ("other.test, *.example.com", "https://git.example.com/site"),
        ("http://forge.example.com", "http://forge.example.com/site"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/site"),
        ("https://192.0.2.7", "https://192.0.2.7/site"),
        ("http://localhost:3000", "http://localhost:3000/site"),
        ("forgejo", "https://forgejo/site"),
    ],
)
def test_a_server_on_the_list_is_admitted(allowed: str, url: str) -> None:
    AllowedHosts.parse(allowed).check(url)


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("forge.example.com", "https://forge.example.com:8443/site"),
        ("forge.example.com:8443", "https://forge.example.com/site"),
        ("forge.example.com", "http://forge.example.com/site"),
        ("http://forge.example.com", "https://forge.example.com/site"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3001/site"),
        ("forge.example.com", "file:///srv/site"),
        ("", "https://forge.example.com/site"),
    ],
)
def test_any_other_server_is_refused(allowed: str, url: str) -> None:
    with pytest.raises(HostNotAllowed, match="--allow"):
        AllowedHosts.parse(allowed).check(url)


@pytest.mark.parametrize(
    ("entry", "what_is_wrong"),
    [
        ("127.0.0.1", "IP address"),
        ("127.0.0.1:3000", "IP address"),
        ("*", "must be a DNS name|wildcard|not a host"),
        ("*example.com", "must be a DNS name|wildcard"),
        ("*.com", "must be a DNS name"),
        ("https://forge.example.com/org", "not a host"),
        ("user@forge.example.com", "not a host"),
        ("ftp://forge.example.com", "not a host"),
        ("forge.example.com:0", "port"),
        ("forge.example.com:99999", "port"),
        ("0x7f000001", "must be a DNS name"),
    ],
)
def test_an_entry_that_means_nothing_is_named(entry: str, what_is_wrong: str) -> None:
    with pytest.raises(ValueError, match=what_is_wrong) as raised:
        AllowedHosts.parse(f"good.example.com,{entry}")
    assert entry in str(raised.value)


def test_repositories_on_this_machine_need_a_word_of_their_own() -> None:
    AllowedHosts.parse("", local=True).check("file:///srv/site")
