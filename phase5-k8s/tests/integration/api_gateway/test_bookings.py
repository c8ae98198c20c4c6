"""Bookings over HTTP, through real services: what a customer sees, and what stays out of reach."""

import asyncio
import json
import uuid

import httpx
import pytest
from api_gateway.app import gateway
from tests.shops import Shop, booking, client_of, key

from tests.waiting import until_async
from workbook.postgres import connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def left(client: httpx.AsyncClient, event_id: str) -> int:
    return int((await client.get(f"/v1/events/{event_id}")).json()["available_tickets"])


def rows(shop: Shop, user: str) -> int:
    settings = shop.booking_settings
    with connect(f"{settings.db_host}:{settings.db_port}", settings.db_name) as sql:
        return sql.execute("SELECT FROM bookings WHERE user_id = %s", [user]).rowcount


async def test_a_customer_registers_signs_in_books_looks_and_cancels(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id = await shop.event(client, 10)
    account = {"email": "ada@example.com", "password": "correct horse battery"}
    registered = await client.post("/v1/users", json={**account, "name": "Ada"})
    assert (registered.status_code, registered.headers["location"]) == (201, "/v1/users/me")
    session = (await client.post("/v1/sessions", json=account)).json()
    mine = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await client.get("/v1/users/me", headers=mine)).json()["name"] == "Ada"
    renamed = await client.patch("/v1/users/me", json={"name": "Ada L."}, headers=mine)
    assert renamed.json()["name"] == "Ada L."

    made = await client.post("/v1/bookings", json=booking(event_id, 2), headers=mine | key())
    assert made.status_code == 201
    found = made.json()
    assert (found["status"], found["user_id"], found["ticket_count"]) == ("CONFIRMED", session["user"]["id"], 2)
    assert await left(client, event_id) == 8
    assert (await client.get(made.headers["location"], headers=mine)).json() == found
    assert (await client.get("/v1/bookings", headers=mine)).json() == {"bookings": [found], "next_page_token": ""}
    for _ in range(2):  # again, it changes nothing
        cancelled = await client.post(f"/v1/bookings/{found['id']}/cancellation", headers=mine)
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "CANCELLED")
    assert await left(client, event_id) == 10

    fresh = await client.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert fresh.status_code == 200
    over = await client.request("DELETE", "/v1/sessions", json={"refresh_token": fresh.json()["refresh_token"]})
    assert over.status_code == 204
    again = await client.post("/v1/sessions/refresh", json={"refresh_token": fresh.json()["refresh_token"]})
    assert again.status_code == 401


async def test_an_organiser_makes_changes_and_deletes_an_event(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, organiser = await shop.event(client, 10), shop.headers("organiser")
    changed = await client.patch(f"/v1/events/{event_id}", json={"venue": "Zorlu"}, headers=organiser)
    assert (changed.json()["venue"], changed.json()["name"]) == ("Zorlu", "Jazz night")
    more = {"change": 5, "operation_id": str(uuid.uuid4())}
    for _ in range(2):  # one operation is one change
        answer = await client.post(f"/v1/events/{event_id}/ticket-changes", json=more, headers=organiser)
        assert answer.json()["capacity"] == 15
    listed = await client.get(
        "/v1/events", params={"venue": "zorl", "available": "true", "from": "1970-01-01T00:00:00Z"}
    )
    assert [event["id"] for event in listed.json()["events"]] == [event_id]
    assert (await client.delete(f"/v1/events/{event_id}", headers=organiser)).status_code == 204
    assert (await client.get(f"/v1/events/{event_id}")).status_code == 404


async def test_pages_follow_each_other(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, mine = await shop.event(client), shop.headers()
    answers = [await client.post("/v1/bookings", json=booking(event_id), headers=mine | key()) for _ in range(3)]
    seen: list[str] = []
    token = ""
    for size in (2, 1):
        page = (await client.get("/v1/bookings", params={"page_size": 2, "page_token": token}, headers=mine)).json()
        assert len(page["bookings"]) == size
        seen, token = [*seen, *(each["id"] for each in page["bookings"])], page["next_page_token"]
    assert (seen, token) == ([answer.json()["id"] for answer in reversed(answers)], "")


async def test_one_key_is_one_booking_however_often_and_at_once(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, user = await shop.event(client, 50), str(uuid.uuid4())
    mine, same = shop.headers(user=user), key()
    tries = [client.post("/v1/bookings", json=booking(event_id), headers=mine | same) for _ in range(10)]
    answers = await asyncio.gather(*tries)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await left(client, event_id), rows(shop, user)) == (49, 1)
    other = await client.post("/v1/bookings", json=booking(event_id), headers=mine | key())  # the control
    assert other.json()["id"] != answers[0].json()["id"]
    assert (await left(client, event_id), rows(shop, user)) == (48, 2)


async def test_a_key_that_was_used_for_something_else_is_refused(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, mine, same = await shop.event(client, 50), shop.headers(), key()
    await client.post("/v1/bookings", json=booking(event_id, 1), headers=mine | same)
    refused = await client.post("/v1/bookings", json=booking(event_id, 2), headers=mine | same)
    assert (refused.status_code, refused.json()["reason"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await left(client, event_id) == 49


async def test_the_key_of_another_customer_is_a_key_of_ones_own(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, same = await shop.event(client, 50), key()
    first, second = [
        await client.post("/v1/bookings", json=booking(event_id), headers=shop.headers() | same) for _ in range(2)
    ]
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("written", [None, "", "a b", "ş", "x" * 129])
async def test_without_a_good_key_nothing_is_booked(shop: Shop, client: httpx.AsyncClient, written: str | None) -> None:
    event_id, user = await shop.event(client, 50), str(uuid.uuid4())
    headers = {name.encode(): value.encode() for name, value in shop.headers(user=user).items()}
    if written is not None:
        headers[b"Idempotency-Key"] = written.encode()
    refused = await client.post("/v1/bookings", json=booking(event_id), headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert rows(shop, user) == 0


async def test_sold_out_says_so(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id = await shop.event(client, 1)
    refused = await client.post("/v1/bookings", json=booking(event_id, 2), headers=shop.headers() | key())
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, problem["status"], problem["reason"]) == (409, 409, "SOLD_OUT")
    assert problem["trace_id"] == refused.headers["traceparent"].split("-")[1]


async def test_another_customers_booking_is_not_there(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id, mine, theirs = await shop.event(client, 50), shop.headers(), shop.headers()
    made = (await client.post("/v1/bookings", json=booking(event_id), headers=mine | key())).json()
    for method, path in (("GET", ""), ("POST", "/cancellation")):
        refused = await client.request(method, f"/v1/bookings/{made['id']}{path}", headers=theirs)
        assert (refused.status_code, refused.json()["reason"]) == (404, "BOOKING_NOT_FOUND")
    assert (await client.get("/v1/bookings", headers=theirs)).json()["bookings"] == []
    assert (await client.get(f"/v1/bookings/{made['id']}", headers=mine)).json() == made  # nothing has changed
    assert (await client.get(f"/v1/bookings/{made['id']}", headers=shop.headers("admin"))).status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"x-user-id": "ROOT"},
        {"x-forwarded-user": "ROOT", "x-roles": "admin", "x-client-address": "192.0.2.1"},
        {"grpc-metadata-authorization": "Bearer x", "x-amzn-oidc-identity": "ROOT"},
    ],
)
async def test_who_one_is_stands_in_the_token_alone(
    shop: Shop, client: httpx.AsyncClient, forged: dict[str, str]
) -> None:
    event_id, victim, user = await shop.event(client, 50), str(uuid.uuid4()), str(uuid.uuid4())
    forged = {name: value.replace("ROOT", victim) for name, value in forged.items()}
    made = await client.post("/v1/bookings", json=booking(event_id), headers=shop.headers(user=user) | key() | forged)
    assert made.json()["user_id"] == user
    assert rows(shop, victim) == 0
    refused = await client.post("/v1/bookings", json=booking(event_id), headers=key() | forged)
    assert (refused.status_code, refused.json()["reason"]) == (401, "NO_TOKEN")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"}, "user_id"),
        ({"status": "CONFIRMED"}, "status"),
        ({"ticket_count": "1"}, "ticket_count"),
        ({"ticket_count": True}, "ticket_count"),
        ({"ticket_count": 2**31}, "ticket_count"),
        ({"event_id": "'; DROP TABLE bookings; --"}, "event_id"),
        ({"event_id": None}, "event_id"),
    ],
)
async def test_a_body_is_what_the_contract_says_and_nothing_more(
    shop: Shop, client: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    event_id, user = await shop.event(client, 50), str(uuid.uuid4())
    headers = shop.headers(user=user) | key()
    refused = await client.post("/v1/bookings", json={**booking(event_id), **body}, headers=headers)
    assert (refused.status_code, refused.json()["reason"]) == (422, "INVALID_FIELD")
    assert field in [each["field"] for each in refused.json()["errors"]]
    assert rows(shop, user) == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/users", {"email": "eve@example.com", "password": "correct horse", "name": "Eve", "roles": ["admin"]}),
        ("/v1/users", {"email": "eve@example.com", "password": "correct horse", "name": "\ud800"}),
        ("/v1/sessions", {"email": "eve@example.com", "password": ["correct horse"]}),
    ],
)
async def test_nobody_registers_as_an_admin(client: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    refused = await client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert "correct horse" not in refused.text  # what was written never comes back


async def test_only_organisers_change_events(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id = await shop.event(client, 7)
    change = {"change": 5, "operation_id": str(uuid.uuid4())}
    for headers, status in ((shop.headers("customer"), 403), ({}, 401)):
        assert (await client.delete(f"/v1/events/{event_id}", headers=headers)).status_code == status
        assert (await client.patch(f"/v1/events/{event_id}", json={"name": "x"}, headers=headers)).status_code == status
        answer = await client.post(f"/v1/events/{event_id}/ticket-changes", json=change, headers=headers)
        assert answer.status_code == status
    assert await left(client, event_id) == 7


@pytest.mark.parametrize("written", ["Bearer", "Bearer a b", "Basic YTpi", "Bearer ab\u00fc", f"Bearer {'a' * 5000}"])
async def test_a_token_that_cannot_be_one_is_refused_at_the_door(client: httpx.AsyncClient, written: str) -> None:
    refused = await client.get("/v1/bookings", headers={b"Authorization": written.encode("latin-1")})
    assert (refused.status_code, refused.json()["reason"]) == (401, "INVALID_TOKEN")
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_what_is_open_needs_no_token_and_a_bad_one_does_not_matter(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer not.a.token"}):
        assert (await client.get("/v1/events", headers=headers)).status_code == 200


async def test_the_keys_that_tokens_are_verified_with_are_published(client: httpx.AsyncClient) -> None:
    found = await client.get("/.well-known/jwks.json")
    assert found.headers["content-type"] == "application/jwk-set+json"
    assert all(set(key) & {"d", "p", "q"} == set() for key in found.json()["keys"])


async def test_a_service_that_is_away_is_a_503_and_the_gateway_not_ready(shop: Shop) -> None:
    async with shop.gateway() as client:
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}}
        opened = await client.get("/openz")
        assert (opened.status_code, opened.json(), "ratelimit" in opened.headers) == (200, {"status": "open"}, False)
    settings = shop.settings(event_address="127.0.0.1:1")
    async with gateway(settings) as running, client_of(running) as client:
        refused = await client.get("/v1/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "127.0.0.1" not in refused.text  # where our services are is nobody's business

        async def told() -> bool:
            missing: dict[str, str] = (await client.get("/readyz")).json()["missing"]
            return missing == {"event.EventService": "UNAVAILABLE"}

        await until_async(told)
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/openz")).status_code == 503  # it has never been ready
        assert (await client.get("/healthz")).status_code == 200
