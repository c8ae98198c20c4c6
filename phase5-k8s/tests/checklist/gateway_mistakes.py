"""By gateway that is wrong on purpose: the words that its board must say. All of them are of box 5.2."""

from collections.abc import Mapping

from tests.checklist import wrong_accounts as a
from tests.checklist import wrong_guards as g
from tests.checklist import wrong_sales as s
from tests.checklist.right_gateway import RightGateway

WRONG: Mapping[type[RightGateway], list[str]] = {
    a.TellsWhoHasAnAccount: ["with an e-mail that nobody has answered 404"],
    a.TellsItInItsReason: ['"reason": "WRONG_PASSWORD"}), and POST /v1/sessions with an e-mail that nobody has'],
    a.GivesAccountsAway: [
        "with the password of whoever registered an e-mail again answered 201",
        "with the password abc answered 201",
    ],
    a.BelievesRoles: ["by a customer who registered with roles of their own answered 201"],
    a.RefreshesForEver: ["with a token that was used answered 200"],
    a.LetsGuess: ["12 wrong passwords for one account", "POST /v1/sessions answered the password"],
    a.SaysNotHowLong: ["with a wrong password answered 429", "without Retry-After", "a 429 has Retry-After: ''"],
    a.GivesNoToken: ["POST /v1/sessions answered no access_token"],
    a.VerifiesNoSignature: [
        "with another ending answered 200",
        "with no signature answered 200",
        "with a changed end answered 200",
        "with roles written into the token answered 201",
    ],
    a.TakesTheAlgorithmNone: ["with the algorithm none answered 200"],
    a.KeepsExampleSecrets: [
        "with a secret that is known answered 200",
        "with the public keys as the secret answered 200",
    ],
    a.TokensForLife: ["and no exp"],
    a.LooksAtNoEnd: ["with a token that has ended answered 200"],
    a.BelievesHeaders: ["with X-User-Id answered "],
    a.BelievesRolesInHeaders: ["POST /v1/events with X-Roles answered 201"],
    a.AsksNobody: ["without a token answered 201", "GET /v1/bookings without a token answered 200"],
    s.BooksNothing: [
        "a booking of 2 tickets is {",
        "of more tickets than are left answered 201",
        "2 tickets were booked, and the stream told nothing",
    ],
    s.ShowsToAll: ["of another user answered 200"],
    s.RefusesAndCancels: ["of another user made a booking CANCELLED"],
    s.TellsWhichThereAre: ["it is not yours", "that nobody has answered 404"],
    s.ListsForAnybody: ["without a booking of whoever asks", "a booking of somebody else"],
    s.GivesBackTwice: ["two cancellations of a booking of 2 tickets took the tickets left from "],
    s.CancelsInItsAnswer: ["a booking that was cancelled is CONFIRMED"],
    s.ForgetsKeys: [
        "one Idempotency-Key sent twice made two bookings",
        "8 tries with one key at once made ",
        "with a key that was used answered 201",
    ],
    s.RacesKeys: ["8 tries with one key at once made "],
    s.SharesKeys: ["the key of one user answered another user's booking", "with a key that was used answered 201"],
    s.TakesWhatItIsTold: ["with user_id in it took it", "with user_id in it took it"],
    s.ReadsLoosely: [
        "with one and a half tickets answered 201",
        "with true tickets answered 201",
        "with no ticket_count answered 201",
        "with -1 tickets answered 201",
    ],
    s.TakesBeforeItChecks: ["with an open brace as its body was refused, and took "],
    s.SellsForCustomers: ["POST /v1/events by a stranger answered 201"],
    s.HidesEvents: ["GET /v1/events lists no event", "that nobody has answered 500"],
    s.ForgetsCapacity: ["an event of 20 tickets is shown as "],
    s.TellsNothing: ["a stream of availability told nothing", "of an event that nobody has answered 200"],
    s.TellsOnce: ["2 tickets were booked, and the stream told nothing"],
    g.FailsOnBadInput: ["with an open brace as its body answered 500", "it tells 'Traceback'"],
    g.KeepsAll: ["POST /v1/bookings with 10 megabytes answered 400"],
    g.RefusesInPlainText: ["as text/plain", "without Allow"],
    g.ProblemsByHalves: ["which is no problem", "without WWW-Authenticate"],
    g.HasAPageForAll: ["GET /v1/no-such-thing answered 200", "which is no OpenAPI document"],
    g.IsNotAlive: ["GET /healthz answered 503"],
    g.GuardsWhatSucceeds: [
        "x-content-type-options is not in the answers to ",
        "and allows https://evil.example",
    ],
    g.LetsProxiesKeep: ["proxies may keep the answers to GET /v1/bookings of one's own"],
    g.PromisesOther: ["and the document knows ", "the document says that anybody may book"],
    g.PromisesOtherFields: ['"price" is a required property'],
    g.PromisesNothing: ["the OpenAPI document names no paths"],
    g.NeverLimits: ["and none was refused, though it told of a limit of 170"],
    g.LimitsAllTogether: ["of another user meanwhile answered 429"],
    g.BelievesForwardedFor: ["requests with addresses made up in X-Forwarded-For got through"],
}
