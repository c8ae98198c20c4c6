"""5.2 The gateway serves REST to those who may, and to nobody too often."""

from typing import Any

from checklist.asking import PROBLEM
from checklist.gateway import Gateway
from checklist.people import Person
from checklist.promises import Promises
from checklist.selling import Event

from workbook.checks.verdict import expect, not_run

SAY_TRUE = "make the document from the routes, or check your answers against it"


def test_served(gateway: Gateway) -> None:
    """The contract is served as OpenAPI."""
    promises = Promises(gateway)
    promises.needs_document()
    methods = [f"{method} {path}" for path, ways in promises.document["paths"].items() for method in ways]
    expect(methods, "the OpenAPI document names no paths", "make it from the routes")


def test_true(gateway: Gateway, promises: Promises, ada: Person, event: Event, booking: Any) -> None:
    """Each answer that the checks got is one that the contract knows."""
    del ada, event, booking  # so that there are some
    promises.needs_document()
    if not str(promises.document.get("openapi", "")).startswith("3"):
        not_run("needs OpenAPI 3")
    held = [each for each in list(gateway.exchanges) if each.path.startswith("/v1/")]
    broken = [wrong for wrong in map(promises.broken, held) if wrong]
    expect(not broken, f"{len(broken)} of {len(held)} answers are not as told: {broken[:1]}", SAY_TRUE)


def test_problems_told(gateway: Gateway, promises: Promises) -> None:
    """The contract tells how refusals look."""
    promises.needs_document()
    if not gateway.told_problems():
        not_run(f"needs {PROBLEM} for refusals, see above")
    expect(PROBLEM in str(promises.document), f"the document does not know {PROBLEM}", SAY_TRUE)


def test_token_told(promises: Promises) -> None:
    """The contract tells which requests need a token."""
    promises.needs_document()
    if "security" not in str(promises.document):
        expect(
            False, "the document says nowhere that a token is needed", "add securitySchemes, and security to bookings"
        )
    post = promises.document["paths"].get("/v1/bookings", {}).get("post")
    if post is None:
        not_run("needs POST /v1/bookings in the document")
    told = post.get("security") or promises.document.get("security")
    expect(told, "the document says that anybody may book", "name the security scheme in POST /v1/bookings")
