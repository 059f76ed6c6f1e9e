// Requests as text, for both dialects, and the base URLs they are joined to.
import Testing

@testable import FlyAPI

@Suite("LogRequest")
struct LogRequestTests {
    private func request(
        _ dialect: Dialect, base: String? = nil, cursor: UInt64? = nil, region: String? = nil, instance: String? = nil
    ) throws -> LogRequest {
        LogRequest(
            baseURL: try base.map { try BaseURL($0) } ?? dialect.defaultBaseURL, dialect: dialect,
            app: try AppName("web"), cursor: cursor.map { LogCursor(nanoseconds: $0) }, region: region,
            instance: instance)
    }

    @Test("the platform dialect always sends next_token, empty at first")
    func platform() throws {
        #expect(try request(.platform).url == "https://api.fly.io/api/v1/apps/web/logs?next_token=")
        #expect(
            try request(.platform, cursor: 1_780_608_313_161_890_637, region: "iad").url
                == "https://api.fly.io/api/v1/apps/web/logs?next_token=1780608313161890637&region=iad")
    }

    @Test("the machines dialect sends start_time only with a cursor")
    func machines() throws {
        #expect(try request(.machines).url == "https://api.machines.dev/v1/apps/web/logs")
        #expect(
            try request(.machines, cursor: 5, region: "cdg").url
                == "https://api.machines.dev/v1/apps/web/logs?region=cdg&start_time=5")
    }

    @Test("an instance displaces the region", arguments: Dialect.allCases)
    func instance(dialect: Dialect) throws {
        let text = try request(dialect, region: "iad", instance: "d896").pathAndQuery
        #expect(text.contains("instance=d896"))
        #expect(!text.contains("region"))
    }

    @Test("an empty instance or region is as good as none", arguments: Dialect.allCases)
    func emptyFilters(dialect: Dialect) throws {
        #expect(try request(dialect, region: "iad", instance: "").pathAndQuery.contains("region=iad"))
        #expect(try request(dialect, region: "", instance: "").url == request(dialect).url)
    }

    @Test("values are percent-encoded, so that none can add a parameter")
    func encoded() throws {
        #expect(
            try request(.machines, region: "a&b=c d/é#%+?\r\n").pathAndQuery
                == "/v1/apps/web/logs?region=a%26b%3Dc%20d%2F%C3%A9%23%25%2B%3F%0D%0A")
        #expect(PercentEncoding.encode("AZaz09-._~") == "AZaz09-._~")
    }

    @Test(
        "a base URL is joined without doubling the slash and keeps its path prefix",
        arguments: [
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000/v1/apps/web/logs"),
            ("http://127.0.0.1:4000///", "http://127.0.0.1:4000/v1/apps/web/logs"),
            ("https://proxy.example/fly/", "https://proxy.example/fly/v1/apps/web/logs"),
            ("HTTP://[fdaa::3]:80", "HTTP://[fdaa::3]:80/v1/apps/web/logs"),
            ("http://[::1]", "http://[::1]/v1/apps/web/logs"),
        ])
    func joined(base: String, expected: String) throws {
        #expect(try request(.machines, base: base).url == expected)
    }

    @Test(
        "a base URL that could mislead a token is refused",
        arguments: [
            "", "api.fly.io", "ftp://a", "file:///etc/passwd", "http://", "http:///x", "http://:80", "http://a:",
            "http://a:0", "http://a:65536", "http://a:8x", "http://u:p@a", "http://a?x", "http://a#x", "http://a b",
            "http://a\n", "http://é", "http://[::1", "http://[]", "http://a\\b",
        ])
    func refusedBase(base: String) {
        let error = #expect(throws: FlyAPIError.self) { try BaseURL(base) }
        #expect(error?.code == .baseURL)
        #expect(error?.description.contains("p@a") == false)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("a base URL has a longest length")
    func baseLength() throws {
        let head = "http://a/"
        let longest = head + String(repeating: "x", count: BaseURL.maximumBytes - head.utf8.count)
        _ = try BaseURL(longest)
        #expect(throws: FlyAPIError.self) { try BaseURL(longest + "x") }
    }

    @Test("a dialect is read by its exact name")
    func dialects() throws {
        #expect(try Dialect(flag: "platform") == .platform)
        #expect(try Dialect(flag: "machines") == .machines)
        for wrong in ["", "Platform", "nats", "platform "] {
            let error = #expect(throws: FlyAPIError.self) { try Dialect(flag: wrong) }
            #expect(error?.code == .dialect)
        }
    }
}
