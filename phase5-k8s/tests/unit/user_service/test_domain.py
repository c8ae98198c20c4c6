"""What a registration must look like, and what a role may be."""

import pytest
from chassis.errors import InvalidArgument
from hypothesis import given, settings
from hypothesis import strategies as st
from user_service.domain import NewUser, Session, check_email, check_name, check_password, check_roles

GOOD = {"email": "ada@example.com", "password": "long enough", "name": "Ada"}


def test_an_email_is_the_same_in_any_case() -> None:
    assert check_email("Ada.L+x@Example.COM") == "ada.l+x@example.com"


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a da@example.com",
            "ada@example.com\n",
            "a@b@example.com",
        ),
        *("ada@example..com", "ada@exam\x00ple.com", f"{'a' * 250}@example.com"),
        *("ad\u0131@example.com", "\u212a@example.com"),  # a dotless i, and a Kelvin sign: in lower case a k
    ],
)
def test_what_is_no_email_is_refused(email: str) -> None:
    with pytest.raises(InvalidArgument, match="email"):
        NewUser(**{**GOOD, "email": email})


@settings(max_examples=30)
@given(st.emails(), st.text())
def test_an_email_that_is_taken_is_found_again(email: str, noise: str) -> None:
    for text in (email, noise):
        try:
            found = check_email(text)
        except InvalidArgument:
            continue
        assert check_email(found) == found == found.lower()
        assert found.isascii()


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
def test_passwords_have_a_length(password: str) -> None:
    with pytest.raises(InvalidArgument, match="password"):
        NewUser(**{**GOOD, "password": password})


def test_a_password_is_the_same_from_every_keyboard() -> None:
    assert check_password("c\u0327ok gizli") == check_password("\u00e7ok gizli")
    assert check_password("Password") != check_password("password")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "\x00"])
def test_names_can_be_printed(name: str) -> None:
    with pytest.raises(InvalidArgument, match="name"):
        check_name(name)


def test_everybody_is_a_customer() -> None:
    assert check_roles([]) == ("customer",)
    assert check_roles(["admin", "admin", "organiser"]) == ("customer", "organiser", "admin")


@pytest.mark.parametrize("role", ["service", "Admin", "", "root"])
def test_there_are_no_other_roles(role: str) -> None:
    """Nobody can be made a service: those have keys of their own."""
    with pytest.raises(InvalidArgument, match="roles"):
        check_roles(["customer", role])


def test_no_secret_stands_in_a_log_by_accident() -> None:
    assert "long enough" not in repr(NewUser(**GOOD))
    assert "secret" not in repr(Session(None, "secret", "secret", 1))  # type: ignore[arg-type]  # it is not looked at
