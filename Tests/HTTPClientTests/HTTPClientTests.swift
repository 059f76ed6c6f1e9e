import EventLoop
import Glibc
import HTTPClient
import Testing

/// What became of a request, copied out of the client's buffer.
struct Outcome: Equatable {
    var status = 0
    var body: [UInt8] = []
    var retryAfter: String?
    var redirectHost: String?
    var failure: HTTPFailure?

    var kind: HTTPFailure.Kind? { failure?.kind }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Runs requests one after the other on a client of its own and checks that the loop ends empty.
func fetch(_ requests: [HTTPRequest]) throws -> [Outcome] {
    let loop = try Loop()
    let client = try HTTPClient(loop)
    var outcomes: [Outcome] = []
    func next() {
        guard outcomes.count < requests.count else { return client.close() }
        client.get(requests[outcomes.count]) { result in
            outcomes.append(outcome(result))
            next()
        }
    }
    let deadline = LoopTimer(loop)
    deadline.start(after: 20_000) {
        Issue.record("no outcome within 20 s"); client.close()
    }
    deadline.unreference()
    next()
    loop.run()
    deadline.close()
    loop.run()
    #expect(loop.isEmpty)
    return outcomes
}

func outcome(_ result: Result<HTTPResponse, HTTPFailure>) -> Outcome {
    switch result {
    case .success(let response):
        Outcome(
            status: response.status, body: [UInt8](response.body), retryAfter: response.retryAfter,
            redirectHost: response.redirectHost)
    case .failure(let failure): Outcome(failure: failure)
    }
}

@Suite("HTTPClient")
struct HTTPClientTests {
    @Test("requests share one connection and answers keep their order")
    func keepAlive() throws {
        let server = ScriptedServer((0..<5).map { .ok("page \($0)") })
        let outcomes = try fetch((0..<5).map { _ in HTTPRequest(url: server.url) })
        server.stop()
        #expect(outcomes.map(\.text) == (0..<5).map { "page \($0)" })
        #expect(outcomes.map(\.status) == [200, 200, 200, 200, 200])
        #expect(server.connections == 1)
    }

    @Test("a connection the server closed between two requests is made again without a failure")
    func staleConnection() throws {
        let closing = Answer.bytesThenClose([UInt8]("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".utf8))
        let server = ScriptedServer([closing, .ok("b")])
        let outcomes = try fetch([HTTPRequest(url: server.url), HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.failure) == [nil, nil])
        #expect(outcomes.map(\.text) == ["a", "b"])
        #expect(server.connections == 2)
    }

    @Test("headers are sent, and another value replaces the first")
    func headers() throws {
        let server = ScriptedServer([.ok(""), .ok("")])
        _ = try fetch(
            ["Bearer one", "Bearer two"].map { HTTPRequest(url: server.url, headers: [.init("Authorization", $0)]) })
        server.stop()
        #expect(server.requests.map { $0.contains("Authorization: Bearer one\r\n") } == [true, false])
        #expect(server.requests.map { $0.contains("Authorization: Bearer two\r\n") } == [false, true])
        #expect(
            server.requests.allSatisfy { $0.contains("Accept-Encoding: ") && $0.hasPrefix("GET /page HTTP/1.1\r\n") })
    }

    @Test(
        "a header that would begin a new line is refused and nothing is sent",
        arguments: ["a\r\nX: b", "a\nb", "a\u{0}"])
    func headerInjection(_ value: String) throws {
        let server = ScriptedServer([.ok("")])
        let outcomes = try fetch([HTTPRequest(url: server.url, headers: [.init("Authorization", value)])])
        server.stop()
        #expect(outcomes.map(\.kind) == [.badRequest])
        #expect(server.requests.isEmpty)
    }

    @Test("a chunked body is put together")
    func chunked() throws {
        let server = ScriptedServer([
            .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        ])
        let outcomes = try fetch([HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.text) == ["abcdefg"])
    }

    /// 300 bytes of "a", packed by gzip.
    static let gzip: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x4c, 0x1c, 0x05, 0xc4, 0x02, 0x00, 0x09,
        0x19, 0x97, 0x89, 0x2c, 0x01, 0x00, 0x00,
    ]

    static func packed(_ bytes: [UInt8]) -> Answer {
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bytes.count)\r\n\r\n"
        return .bytes([UInt8](head.utf8) + bytes)
    }

    @Test("a packed body is unpacked, and the limit counts the unpacked bytes", arguments: [300, 299])
    func packedBody(limit: Int) throws {
        let server = ScriptedServer([Self.packed(Self.gzip)])
        let outcomes = try fetch([HTTPRequest(url: server.url, bodyLimit: limit)])
        server.stop()
        if limit == 300 {
            #expect(outcomes.map(\.text) == [String(repeating: "a", count: 300)])
        } else {
            #expect(outcomes.map(\.kind) == [.bodyTooLarge(limit: 299)])
        }
    }

    @Test("a body of 64 MiB is broken off at the limit, and the next request works")
    func largeBody() throws {
        let server = ScriptedServer([.large(count: 64 << 20), .ok("small")])
        let outcomes = try fetch([HTTPRequest(url: server.url), HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.kind) == [.bodyTooLarge(limit: 16 << 20), nil])
        #expect(outcomes[1].text == "small")
        #expect(
            outcomes[0].failure?.description == "127.0.0.1:\(server.port) sent a body over the limit of 16777216 bytes")
    }

    @Test("a body at the limit is taken and one byte more is not", arguments: [(10, true), (9, false)])
    func bodyLimit(limit: Int, taken: Bool) throws {
        let server = ScriptedServer([.ok("0123456789")])
        let outcomes = try fetch([HTTPRequest(url: server.url, bodyLimit: limit)])
        server.stop()
        #expect((outcomes[0].failure == nil) == taken)
    }

    @Test("endless headers are broken off")
    func endlessHeaders() throws {
        let line = "X-Noise: " + String(repeating: "n", count: 8000) + "\r\n"
        let server = ScriptedServer([.text("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 40))])
        let outcomes = try fetch([HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.kind) == [.headTooLarge(limit: 256 * 1024)])
    }

    @Test(
        "a body cut short is a failure, however its length was announced",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ])
    func truncated(_ bytes: String) throws {
        let server = ScriptedServer([.bytesThenClose([UInt8](bytes.utf8))])
        let outcomes = try fetch([HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.kind) == [.truncated])
    }

    @Test("a packed body cut short inside its announced length is a failure")
    func truncatedPacked() throws {
        let server = ScriptedServer([Self.packed(Array(Self.gzip.prefix(14)))])
        let outcomes = try fetch([HTTPRequest(url: server.url)])
        server.stop()
        // libcurl takes the end of the bytes for the end of the body; nothing wrong must come out of it.
        #expect(outcomes[0].failure != nil || outcomes[0].text.allSatisfy { $0 == "a" })
    }

    @Test(
        "a reset connection is a failure of its own",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
    func reset(_ bytes: String) throws {
        // Twice, since a request on a connection that died without an answer is sent once more.
        let answer = Answer.bytesThenReset([UInt8](bytes.utf8))
        let server = ScriptedServer([answer, answer])
        let outcomes = try fetch([HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes.map(\.kind) == [.reset])
    }

    @Test("no answer at all ends by the total limit, a stalled body by the stall limit")
    func timeouts() throws {
        let stalled = [UInt8]("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".utf8)
        let server = ScriptedServer([.bytesThenSilence([]), .bytesThenSilence(stalled)])
        let outcomes = try fetch([
            HTTPRequest(url: server.url, totalTimeoutMs: 200, stallTimeoutSeconds: 0),
            HTTPRequest(url: server.url, totalTimeoutMs: 15_000, stallTimeoutSeconds: 1),
        ])
        server.stop()
        #expect(outcomes.map(\.kind) == [.timedOut, .timedOut])
        #expect(outcomes[0].failure?.description == "127.0.0.1:\(server.port) did not answer in time")
    }

    @Test("nobody listening, no such name, no such scheme and no HTTP are told apart")
    func cannotReach() throws {
        let server = ScriptedServer([.bytesThenClose([UInt8]("SSH-2.0-nothing\r\n".utf8))])
        let port = ScriptedServer.closedPort()
        let outcomes = try fetch([
            HTTPRequest(url: "http://127.0.0.1:\(port)/"), HTTPRequest(url: "http://no-such-host.invalid/"),
            HTTPRequest(url: "file:///etc/passwd"), HTTPRequest(url: server.url),
        ])
        server.stop()
        #expect(outcomes.map(\.kind) == [.couldNotConnect, .couldNotResolve, .badRequest, .other])
        #expect(outcomes[0].failure?.description == "could not connect to 127.0.0.1:\(port): Connection refused")
    }

    @Test("TLS to a server that speaks none, or with a missing CA file, is a failure of TLS")
    func tls() throws {
        let server = ScriptedServer([])
        let outcomes = try fetch([
            HTTPRequest(url: "https://127.0.0.1:\(server.port)/", caFile: "/nonexistent/ca.pem")
        ])
        server.stop()
        #expect(outcomes.map(\.kind) == [.tls])
    }

    @Test("a redirect is not followed; the host it names is told")
    func redirect() throws {
        let server = ScriptedServer([
            .text("HTTP/1.1 302 Found\r\nLocation: http://user@elsewhere.test:81/x?y\r\nContent-Length: 0\r\n\r\n")
        ])
        let outcomes = try fetch([HTTPRequest(url: server.url, headers: [.init("Authorization", "Bearer secret")])])
        server.stop()
        #expect(outcomes == [Outcome(status: 302, redirectHost: "elsewhere.test:81")])
        #expect(server.requests.count == 1)
    }

    @Test("an error status comes with its body and Retry-After", arguments: [401, 404, 429, 503])
    func status(_ status: Int) throws {
        let server = ScriptedServer([
            .text("HTTP/1.1 \(status) No\r\nretry-AFTER:  7 \r\nContent-Length: 4\r\n\r\nnope"), .ok("fine"),
        ])
        let outcomes = try fetch([HTTPRequest(url: server.url), HTTPRequest(url: server.url)])
        server.stop()
        #expect(outcomes[0] == Outcome(status: status, body: [UInt8]("nope".utf8), retryAfter: "7"))
        #expect(outcomes[1] == Outcome(status: 200, body: [UInt8]("fine".utf8)))
    }

    @Test("a cancelled request never completes, and the client can be used again")
    func cancel() throws {
        let server = ScriptedServer([.bytesThenSilence([]), .ok("second")])
        let loop = try Loop()
        let client = try HTTPClient(loop)
        var outcomes: [Outcome] = []
        client.get(HTTPRequest(url: server.url)) { _ in Issue.record("a cancelled request completed") }
        while server.requests.isEmpty { loop.runOnce() }
        client.cancel()
        #expect(!client.isBusy)
        client.get(HTTPRequest(url: server.url)) {
            outcomes.append(outcome($0))
            client.close()
        }
        loop.run()
        server.stop()
        #expect(outcomes.map(\.text) == ["second"])
        #expect(loop.isEmpty)
    }

    @Test("closing with a request under way leaves neither handles nor descriptors behind")
    func closing() throws {
        let server = ScriptedServer([.bytesThenSilence([])])
        let loop = try Loop()
        let client = try HTTPClient(loop)
        client.get(HTTPRequest(url: server.url)) { _ in Issue.record("a request completed after close") }
        while server.requests.isEmpty { loop.runOnce() }
        client.close()
        client.close()
        loop.run()
        server.stop()
        #expect(loop.isEmpty)
    }

    @Test("the description of a header hides its value")
    func hiddenHeader() {
        let request = HTTPRequest(url: "http://h/", headers: [.init("Authorization", "Bearer secret")])
        #expect(!"\(request)".contains("secret"))
        #expect(!String(reflecting: request).contains("secret"))
    }
}
