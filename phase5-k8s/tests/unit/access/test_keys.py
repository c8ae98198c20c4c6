"""Key files: made once, readable by their owner, and a service's file gives no right to speak for users."""

import json
from pathlib import Path

import pytest
from access.keys import NoKeys, make_keys, own_keys, published, service_keys, user_keys

NAMES = ("user-service", "booking-service")


def test_keys_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert make_keys(folder, NAMES) == list(NAMES)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert make_keys(folder, NAMES) == []
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert make_keys(folder, (*NAMES, "api-gateway")) == ["api-gateway"]


def test_nobody_else_can_read_a_private_key(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys", NAMES)
    for name in NAMES:
        path = tmp_path / "keys" / f"{name}.json"
        assert path.stat().st_mode & 0o077 == 0
        assert "d" in json.loads(path.read_text())["keys"][0]
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_what_all_may_read_holds_no_private_half(tmp_path: Path) -> None:
    make_keys(tmp_path, NAMES)
    shown = json.loads((tmp_path / "services.json").read_text())
    assert list(shown) == ["booking-service"]
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in shown["booking-service"]["keys"])


def test_the_services_file_cannot_say_who_users_are(tmp_path: Path) -> None:
    make_keys(tmp_path, NAMES)
    stolen = {"user-service": published(own_keys(tmp_path, "booking-service"))}
    (tmp_path / "services.json").write_text(json.dumps(stolen))
    assert service_keys(tmp_path) == []


def test_a_new_key_before_the_old_one_signs_and_both_are_published(tmp_path: Path) -> None:
    make_keys(tmp_path / "old", NAMES)
    make_keys(tmp_path / "new", NAMES)
    both = [*own_keys(tmp_path / "new", "user-service"), *own_keys(tmp_path / "old", "user-service")]
    merged = {"keys": [key.as_dict(private=True) for key in both]}
    (tmp_path / "old" / "user-service.json").write_text(json.dumps(merged))
    kept = own_keys(tmp_path / "old", "user-service")
    assert [key.kid for key in kept] == [key.kid for key in both]
    assert {key.key.kid for key in user_keys(published(kept))} == {key.kid for key in both}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}', "null"])
def test_a_file_without_keys_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "user-service.json").write_text(text)
    with pytest.raises(NoKeys, match=r"user-service\.json"):
        own_keys(tmp_path, "user-service")
    with pytest.raises(NoKeys, match="python -m phase5 keys"):
        own_keys(tmp_path, "booking-service")


@pytest.mark.parametrize("text", ["", "[]", "null", '{"booking-service": []}', '{"booking-service": {"keys": [{}]}}'])
def test_a_services_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "services.json").write_text(text)
    with pytest.raises(NoKeys, match=r"services\.json"):
        service_keys(tmp_path)


def test_public_keys_alone_cannot_sign(tmp_path: Path) -> None:
    make_keys(tmp_path, NAMES)
    path = tmp_path / "user-service.json"
    path.write_text(json.dumps(published(own_keys(tmp_path, "user-service"))))
    with pytest.raises(NoKeys, match="no private key"):
        own_keys(tmp_path, "user-service")
