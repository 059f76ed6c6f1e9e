// Every request with its exact JSON, and every reply.

import Foundation
import Testing
import WorkerProtocol

@Suite("Requests") struct RequestTests {
    static let token = Token(
        value: "s3cret", source: .config, expiresAtMs: 1_780_608_600_000, acquiredAtMs: 1_780_608_000_000)
    static let tokenJSON =
        #"{"acquired_at_ms":1780608000000,"expires_at_ms":1780608600000,"source":"config","value":"s3cret"}"#

    private func expect<Request: WorkerRequest & Equatable>(_ request: Request, _ text: String) throws {
        let payload = try MessageCoding.encodeRequest(request)
        #expect(String(decoding: payload, as: UTF8.self) == text)
        #expect(try MessageCoding.decode(Request.self, from: payload) == request)
        #expect(try MessageCoding.decode(RequestHead.self, from: payload).method == Request.method)
    }

    @Test("requests to a registry")
    func registry() throws {
        try expect(
            RegisterRequest(key: "web", path: "logs/streamers/web", incarnation: 2),
            #"{"incarnation":2,"key":"web","method":"registry.register","path":"logs/streamers/web"}"#)
        try expect(
            ReleaseRequest(path: "logs/streamers/web", incarnation: 2),
            #"{"incarnation":2,"method":"registry.release","path":"logs/streamers/web"}"#)
        try expect(LookupRequest(key: "web"), #"{"key":"web","method":"registry.lookup"}"#)
    }

    @Test("requests to the table")
    func table() throws {
        try expect(TableGetRequest(appName: "web"), #"{"app_name":"web","method":"table.get"}"#)
        try expect(
            TablePutRequest(appName: "web", token: Self.token),
            #"{"app_name":"web","method":"table.put","token":"# + Self.tokenJSON + "}")
        try expect(
            TableForgetRequest(appName: "web", fingerprint: "af63dc4c8601ec8c"),
            #"{"app_name":"web","fingerprint":"af63dc4c8601ec8c","method":"table.forget"}"#)
    }

    @Test("requests to an AppServer")
    func appServer() throws {
        try expect(TokenResolveRequest(appName: "web"), #"{"app_name":"web","method":"token.resolve"}"#)
        try expect(
            TokenResolveRequest(appName: "web", rejected: "af63dc4c8601ec8c"),
            #"{"app_name":"web","method":"token.resolve","rejected":"af63dc4c8601ec8c"}"#)
    }

    @Test("requests to the store")
    func store() throws {
        try expect(CursorRequest(appName: "web"), #"{"app_name":"web","method":"store.cursor"}"#)
        try expect(
            SinkPositionRequest(sink: "/var/log/a"), #"{"method":"store.sink_position","sink":"/var/log/a"}"#)
        try expect(
            PlaceSinkRequest(sink: "/a", position: "1:2:3:4"),
            #"{"method":"store.place_sink","position":"1:2:3:4","sink":"/a"}"#)
        try expect(StoredTokensRequest(appName: "web"), #"{"app_name":"web","method":"store.tokens"}"#)
        try expect(
            StoreTokenRequest(appName: "web", slot: .manual, token: Self.token),
            #"{"app_name":"web","method":"store.put_token","slot":"manual","token":"# + Self.tokenJSON + "}")
        try expect(
            ForgetTokenRequest(appName: "web", fingerprint: "af63dc4c8601ec8c"),
            #"{"app_name":"web","fingerprint":"af63dc4c8601ec8c","method":"store.forget_token"}"#)
    }

    @Test("requests to the parent and to the sandbox")
    func parentAndSandbox() throws {
        try expect(
            StopFleetRequest(reason: "the reader of stdout is gone"),
            #"{"method":"fleet.stop","reason":"the reader of stdout is gone"}"#)
        #expect(
            String(decoding: try MessageCoding.encodeRequest(SandboxAddressRequest()), as: UTF8.self)
                == #"{"method":"sandbox.address"}"#)
    }

    @Test("replies")
    func replies() throws {
        #expect(try json(Done()) == "{}")
        #expect(try json(TokenReply(token: Self.token)) == #"{"token":"# + Self.tokenJSON + "}")
        #expect(try json(TokenReply(token: nil)) == "{}")
        #expect(
            try json(LookupRequest.Reply(path: "logs/streamers/web", incarnation: 2))
                == #"{"incarnation":2,"path":"logs/streamers/web"}"#)
        #expect(try json(LookupRequest.Reply(path: nil, incarnation: nil)) == "{}")
        #expect(try json(CursorRequest.Reply(cursor: "17")) == #"{"cursor":"17"}"#)
        let chunk = CursorRequest.MemoryChunk(number: 3, identities: Data([0, 0, 0, 0, 0, 0, 0, 255]))
        #expect(
            try json(CursorRequest.Reply(cursor: "1..2", memory: [chunk]))
                == #"{"cursor":"1..2","memory":[{"identities":"AAAAAAAAAP8=","number":3}]}"#)
        #expect(
            try json(SinkPositionRequest.Reply(position: "p", missedCommits: true))
                == #"{"missed_commits":true,"position":"p"}"#)
        #expect(
            try json(StoredTokensRequest.Reply(cached: Self.token, manual: nil)) == #"{"cached":"# + Self.tokenJSON
                + "}")
        #expect(
            try json(SandboxAddressRequest.Reply(url: "http://127.0.0.1:8080", port: 8080))
                == #"{"port":8080,"url":"http://127.0.0.1:8080"}"#)
    }

    @Test("a text with every awkward character survives")
    func awkwardText() throws {
        let key = "\u{0}\u{1f}\"\\/\u{7f}é\u{2028}\u{1f600}\r\n"
        let payload = try MessageCoding.encodeRequest(LookupRequest(key: key))
        #expect(try MessageCoding.decode(LookupRequest.self, from: payload).key == key)
    }
}
