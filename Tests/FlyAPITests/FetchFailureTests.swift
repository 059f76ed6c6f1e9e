// Statuses and their meaning, Retry-After in both forms, and the pauses after failures.
import Testing

@testable import FlyAPI

@Suite("FetchFailure")
struct FetchFailureTests {
    @Test(
        "a status is classified",
        arguments: [
            (200, nil), (401, .unauthorized), (403, .forbidden), (404, .notFound),
            (429, .rateLimited(retryAfter: nil)), (500, .server(status: 500, retryAfter: nil)),
            (503, .server(status: 503, retryAfter: nil)), (599, .server(status: 599, retryAfter: nil)),
            (204, .unexpected(status: 204)), (302, .unexpected(status: 302)), (400, .unexpected(status: 400)),
            (600, .unexpected(status: 600)), (0, .unexpected(status: 0)),
        ] as [(Int, FetchFailure?)])
    func classify(status: Int, expected: FetchFailure?) {
        #expect(FetchFailure.classify(status: status) == expected)
    }

    @Test("Retry-After is kept where it has a meaning")
    func retryAfter() {
        #expect(FetchFailure.classify(status: 429, retryAfter: "7")?.retryAfter == .seconds(7))
        #expect(FetchFailure.classify(status: 503, retryAfter: "7")?.retryAfter == .seconds(7))
        #expect(FetchFailure.classify(status: 401, retryAfter: "7")?.retryAfter == nil)
        #expect(FetchFailure.classify(status: 429, retryAfter: "soon")?.retryAfter == nil)
    }

    @Test("each failure is one sentence that names the app")
    func sentences() throws {
        let app = try AppName("web")
        let failures: [FetchFailure] = [
            .unauthorized, .forbidden, .notFound, .rateLimited(retryAfter: .seconds(7)), .rateLimited(retryAfter: nil),
            .server(status: 502, retryAfter: nil), .unexpected(status: 302), .unexpected(status: 418),
        ]
        for failure in failures {
            for dialect in Dialect.allCases {
                let sentence = failure.sentence(app: app, dialect: dialect)
                #expect(sentence.hasPrefix("could not read the logs of app web: "))
                #expect(!sentence.contains("\n"))
            }
        }
        #expect(FetchFailure.notFound.sentence(app: app, dialect: .machines).contains("--dialect platform"))
        #expect(!FetchFailure.notFound.sentence(app: app, dialect: .platform).contains("--dialect"))
        #expect(
            FetchFailure.rateLimited(retryAfter: .seconds(7)).sentence(app: app, dialect: .platform).contains("7 s"))
    }
}

@Suite("RetryAfter")
struct RetryAfterTests {
    private let now: Int64 = 784_111_777_000_000_000

    @Test(
        "seconds and dates are read, bounded by an hour",
        arguments: [
            ("0", 0), ("120", 120), (" 120\t", 120), ("3600", 3600), ("3601", 3600), ("99999999999999999999999", 3600),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("Thu, 01 Jan 2099 00:00:00 GMT", 3600),
        ] as [(String, Int64)])
    func valid(text: String, seconds: Int64) {
        #expect(RetryAfter.delay(text, now: now) == .seconds(seconds))
    }

    @Test(
        "anything else is no delay",
        arguments: [
            "", " ", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 +8:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        ])
    func invalid(text: String) {
        #expect(RetryAfter.delay(text, now: now) == nil)
    }
}

@Suite("FetchBackoff")
struct FetchBackoffTests {
    @Test("pauses double up to the longest, within half of them as jitter, and success forgets")
    func doubling() {
        var backoff = FetchBackoff(first: .milliseconds(500), longest: .seconds(30))
        var generator = SplitMix64(state: 1)
        for milliseconds in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let pause = backoff.failed(using: &generator)
            #expect(pause >= .milliseconds(milliseconds / 2) && pause <= .milliseconds(milliseconds))
        }
        backoff.succeeded()
        #expect(backoff.failed(using: &generator) <= .milliseconds(500))
    }

    @Test("the server's wish is a lower bound")
    func retryAfter() {
        var backoff = FetchBackoff()
        var generator = SplitMix64(state: 1)
        let pause = backoff.failed(retryAfter: .seconds(60), using: &generator)
        #expect(pause >= .seconds(60) && pause < .seconds(61))
    }

    @Test("a thousand failures neither overflow nor exceed the longest pause")
    func many() {
        var backoff = FetchBackoff()
        var generator = SplitMix64(state: 1)
        for _ in 0..<1000 { #expect(backoff.failed(using: &generator) <= .seconds(30)) }
    }

    @Test("the jitter is the generator's, so equal seeds give equal pauses")
    func deterministic() {
        var left = FetchBackoff()
        var right = FetchBackoff()
        var first = SplitMix64(state: 9)
        var second = SplitMix64(state: 9)
        for _ in 0..<20 { #expect(left.failed(using: &first) == right.failed(using: &second)) }
    }
}
