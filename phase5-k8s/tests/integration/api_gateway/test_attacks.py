"""Requests that are made to break something: each gets the right refusal, and its harmless twin passes."""

import socket
import uuid
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from api_gateway.app import gateway
from tests.raw import connected, request
from tests.shops import Shop, booking, client_of, key, new_event

from workbook.postgres import connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "Content-Type: application/json"
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def bookings(shop: Shop) -> int:
    settings = shop.booking_settings
    with connect(f"{settings.db_host}:{settings.db_port}", settings.db_name) as sql:
        return sql.execute("SELECT FROM bookings").rowcount


def events(shop: Shop) -> int:
    settings = shop.event_settings
    with connect(f"{settings.db_host}:{settings.db_port}", settings.db_name) as sql:
        return sql.execute("SELECT FROM events").rowcount


@pytest.mark.parametrize("streamed", [False, True])
async def test_ten_megabytes_are_refused_and_not_kept(shop: Shop, client: httpx.AsyncClient, *, streamed: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b" " * 65_536

    content = pieces() if streamed else b" " * 10_485_760
    headers = shop.headers() | key() | {"Content-Type": "application/json"}
    refused = await client.post("/v1/bookings", content=content, headers=headers)
    assert (refused.status_code, refused.json()["reason"]) == (413, "BODY_TOO_LARGE")
    assert refused.headers["connection"] == "close"


async def test_a_body_up_to_the_limit_is_read(shop: Shop, client: httpx.AsyncClient) -> None:
    headers = shop.headers() | key() | {"Content-Type": "application/json"}
    for size, status in ((65_536, 422), (65_537, 413)):
        body = b"{}" + b" " * (size - 2)
        assert (await client.post("/v1/bookings", content=body, headers=headers)).status_code == status


async def test_a_slow_body_is_not_waited_for(shop: Shop) -> None:
    async with shop.gateway(body_timeout=0.2) as client, connected(client) as line:
        await line.send(request("POST", "/v1/sessions", JSON, "Content-Length: 100", body=b"{"))
        assert await line.status() == 408
        assert await line.is_over()


async def test_a_slow_head_is_not_waited_for(shop: Shop) -> None:
    async with shop.gateway(header_timeout=0.5) as client:
        async with connected(client) as line:
            await line.send(b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Slow: ")
            assert await line.status() == 408
        async with connected(client) as silent:
            assert await silent.is_over()
        async with connected(client) as prompt:  # the control
            await prompt.send(request("GET", "/healthz"))
            assert await prompt.status() == 200


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_head_that_never_ends_is_cut_off(client: httpx.AsyncClient, *, at_once: bool) -> None:
    async with connected(client) as line:
        await line.send(b"GET /healthz HTTP/1.1\r\nHost: here\r\n")
        if at_once:
            await line.send(b"X-Long: ", b"a" * 600_000)
        else:
            await line.send(b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(300)))
        assert await line.status() == 431
    assert (await client.get("/healthz", headers={"X-Long": "a" * 4000})).status_code == 200


HIDDEN = b"GET /v1/events HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.mark.parametrize(
    "smuggled",
    [
        request("POST", "/v1/sessions", JSON, "Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n"),
        request("POST", "/v1/sessions", JSON, "Content-Length: 2", "Content-Length: 3", body=b"{}"),
        request("POST", "/v1/sessions", JSON, "Content-Length: +2", body=b"{}"),
        request("POST", "/v1/sessions", JSON, "Content-Length: 2, 2", body=b"{}"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding: chunked", body=b"2\n{}\n0\n\n"),
        request("POST", "/v1/sessions", JSON, "Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n"),
        request("GET", "/healthz", host="Host: here\r\nHost: there"),
        request("GET", "/healthz", host=""),
        request("GET", "/healthz", "X-Folded: a\r\n b"),
        request("GET", "/healthz", "X-Bare: a\nX-More: b"),
        request("GET", "/healthz", "X-Zero: a\0b"),
        request("GET", "/healthz", "Authorization: Bearer a", "Authorization: Bearer b"),
        b"GET /healthz HTTP/1.1 HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
async def test_a_request_that_can_be_read_in_two_ways_is_read_in_none(
    client: httpx.AsyncClient, smuggled: bytes
) -> None:
    async with connected(client) as line:
        await line.send(smuggled)
        assert await line.status() == 400


async def test_what_hides_behind_a_refused_request_is_not_answered(client: httpx.AsyncClient) -> None:
    both = ("Content-Length: 4", "Transfer-Encoding: chunked")
    async with connected(client) as line:
        await line.send(request("POST", "/v1/sessions", JSON, *both, body=b"0\r\n\r\n"), HIDDEN)
        assert await line.status() == 400
        assert await line.is_over()
    async with connected(client) as line:  # the control: one after the other, both are answered
        await line.send(request("POST", "/v1/sessions", JSON, "Content-Length: 2", body=b"{}"), HIDDEN)
        assert [await line.status(), await line.status()] == [422, 200]


async def test_what_comes_behind_a_body_is_no_header(shop: Shop, client: httpx.AsyncClient) -> None:
    trailer = f"Authorization: Bearer {shop.token('organiser')}\r\n\r\n".encode()
    async with connected(client) as line:
        chunked = request("POST", "/v1/events", JSON, "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n")
        await line.send(chunked, trailer)
        assert await line.status() in {401, 422}
    assert (await client.get("/v1/events")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/events?venue=a%0d%0aX-Evil:%201", "/%0d%0aX-Evil:1", "/v1/events/%0d%0aX-Evil:1"]
)
async def test_line_ends_in_a_path_make_no_header(client: httpx.AsyncClient, path: str) -> None:
    async with connected(client) as line:
        await line.send(request("GET", path, "Connection: close"))
        answer = await line.reader.read()
    assert b"\r\nx-evil" not in answer.lower()


@pytest.mark.parametrize("text", ["'; DROP TABLE events; --", "' OR '1'='1", "%", "\\", "a\u0000b", "🎫" * 60])
async def test_sql_in_a_text_is_a_text(shop: Shop, client: httpx.AsyncClient, text: str) -> None:
    before = events(shop)
    found = await client.get("/v1/events", params={"venue": text})
    assert found.status_code in {200, 422}
    assert found.json().get("events", []) == []
    for path in (f"/v1/events/{quote(text, safe='')}", f"/v1/bookings/{quote(text, safe='')}"):
        refused = await client.get(path, headers=shop.headers())
        assert refused.status_code in {404, 405, 422}
    made = await client.post("/v1/events", json={**new_event(), "name": text}, headers=shop.headers("organiser"))
    assert made.status_code == 422 if "\0" in text else made.json()["name"] == text
    assert events(shop) == before + (made.status_code == 201)


async def test_no_other_site_may_ask_for_its_visitors(client: httpx.AsyncClient) -> None:
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (
        await client.options("/v1/bookings", headers=preflight),
        await client.get("/v1/events", headers={"Origin": "https://evil.example"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert (await client.options("/v1/bookings", headers=preflight)).status_code == 405


async def test_a_site_that_is_named_may_and_no_other(shop: Shop) -> None:
    async with shop.gateway(cors_origins="https://shop.example") as client:
        for origin, status in (("https://shop.example", 200), ("https://evil.example", 400)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = await client.options("/v1/bookings", headers=headers)
            assert (answer.status_code, answer.headers.get("access-control-allow-origin", "") == origin) == (
                status,
                status == 200,
            )


async def test_a_site_that_is_named_may_read_refusals_too(shop: Shop) -> None:
    """Else its scripts would see neither 429 nor 401, but a network that is broken."""
    async with shop.gateway(cors_origins="https://shop.example", address_rate="1/hour") as client:
        for origin in ("https://shop.example", "https://evil.example"):
            headers = {"Origin": origin}
            answers = [await client.get("/v1/events", headers=headers) for _ in range(2)]
            answers.append(await client.get("/v1/events", headers=headers | {"Authorization": "nonsense"}))
            assert [answer.status_code for answer in answers[1:]] == [429, 401]
            allowed = [answer.headers.get("access-control-allow-origin", "") == origin for answer in answers]
            assert allowed == [origin == "https://shop.example"] * 3  # and the control


async def test_every_answer_is_guarded(client: httpx.AsyncClient) -> None:
    for path in ("/v1/events", "/v1/events/x", "/nowhere", "/healthz"):
        answer = await client.get(path)
        assert SECURITY.items() <= dict(answer.headers).items()
        assert "server" not in answer.headers
    policy = (await client.get("/docs")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


async def test_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    for page in ("/docs", "/static/docs.js", "/static/docs.css"):
        found = await client.get(page)
        assert found.status_code == 200
        assert "https://" not in found.text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
async def test_static_files_are_those_of_the_folder(client: httpx.AsyncClient, path: str) -> None:
    async with connected(client) as line:
        await line.send(request("GET", path))
        assert await line.status() == 404


async def test_limits_are_by_user_and_no_header_makes_another_of_him(shop: Shop) -> None:
    user, other = shop.headers(), shop.headers()
    async with shop.gateway(user_rate="3/hour", address_rate="3/hour") as client:
        answers = []
        for number in range(5):
            forged = {"X-Forwarded-For": f"192.0.2.{number}", "X-Real-IP": f"192.0.2.{number}", "Forwarded": "for=x"}
            answers.append(await client.get("/v1/bookings", headers=user | forged))
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        last = answers[-1]
        assert last.headers["ratelimit-policy"] == '"user";q=3;w=3600'
        assert last.headers["ratelimit"].startswith('"user";r=0;t=')
        assert int(last.headers["retry-after"]) > 0
        assert last.json()["reason"] == "TOO_MANY_REQUESTS"
        assert (await client.get("/v1/bookings", headers=other)).status_code == 200  # the control


async def test_without_a_token_limits_are_by_address_and_it_cannot_be_made_up(shop: Shop) -> None:
    async def statuses(client: httpx.AsyncClient) -> list[int]:
        asked = [{"X-Forwarded-For": f"192.0.2.{n}", "Authorization": f"Bearer bad{n}"} for n in range(5)]
        return [(await client.get("/v1/events", headers=headers)).status_code for headers in asked]

    async with shop.gateway(address_rate="3/hour") as client:
        assert await statuses(client) == [200, 200, 200, 429, 429]
    async with shop.gateway(address_rate="3/hour", trusted_proxies="127.0.0.0/8") as client:  # the control
        assert await statuses(client) == [200] * 5


async def test_a_token_of_ones_own_buys_no_guesses_at_passwords(shop: Shop) -> None:
    guess = {"email": "ada@example.com", "password": "guessed it"}
    async with shop.gateway(sign_in_rate="3/hour") as client:
        tries = [await client.post("/v1/sessions", json=guess, headers=shop.headers()) for _ in range(5)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("body", [b"{", b"[1", b"\xff\xfe", b"[" * 60_000, b"1" * 5000, b'{"a":' * 5000])
async def test_what_is_no_json_is_a_400(shop: Shop, client: httpx.AsyncClient, body: bytes) -> None:
    before = bookings(shop)
    headers = shop.headers() | key() | {"Content-Type": "application/json"}
    refused = await client.post("/v1/bookings", content=body, headers=headers)
    assert (refused.status_code, refused.json()["reason"]) == (400, "MALFORMED_JSON")
    assert bookings(shop) == before


async def test_a_body_of_another_kind_is_a_415(shop: Shop, client: httpx.AsyncClient) -> None:
    body = booking(str(uuid.uuid4()))
    refused = await client.post("/v1/bookings", data=body, headers=shop.headers() | key())
    assert (refused.status_code, refused.json()["reason"]) == (415, "NOT_JSON")


async def test_what_a_method_cannot_do_says_what_can_be_done(client: httpx.AsyncClient) -> None:
    refused = await client.delete("/v1/events")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    assert (await client.get("/nowhere")).json()["reason"] == "NO_SUCH_PAGE"


async def test_a_slow_service_is_a_504_in_time(shop: Shop) -> None:
    """Somebody listens where the event service should, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = shop.settings(event_address=f"127.0.0.1:{silent.getsockname()[1]}", request_deadline=0.3)
        async with gateway(settings) as running, client_of(running) as client:
            refused = await client.get("/v1/events")
    assert (refused.status_code, refused.json()["reason"]) == (504, "DEADLINE_EXCEEDED")
