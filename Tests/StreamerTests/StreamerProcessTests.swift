import FlyAPI
import Framing
import Glibc
import Testing
import WorkerProtocol

@Suite("flyfleet-streamer as a process")
struct StreamerProcessTests {
    static let epoch: UInt64 = 1_780_000_000_000_000_000

    /// 250 records, a microsecond apart, in pages of 100; the cursor is inclusive.
    @Sendable static func page(_ head: String) -> (status: Int, body: [UInt8]) {
        guard head.contains("Authorization: Bearer good\r\n") else { return (401, []) }
        let query = head.prefix { $0 != "\r\n" }.split(separator: "next_token=").last ?? ""
        let cursor = UInt64(query.prefix { $0.isNumber }) ?? 0
        let start = cursor > epoch ? Int((cursor - epoch + 999) / 1000) : 0
        guard start < 250 else { return (200, [UInt8](#"{"data":[],"meta":{"next_token":""}}"#.utf8)) }
        let end = min(start + 100, 250)
        let records = (start..<end).map {
            #"{"id":"r\#($0)","attributes":{"timestamp":"\#(time($0))","message":"line \#($0)"}}"#
        }
        let token = epoch + UInt64(end - 1) * 1000
        return (200, [UInt8](#"{"data":[\#(records.joined(separator: ","))],"meta":{"next_token":"\#(token)"}}"#.utf8))
    }

    @Sendable static func time(_ record: Int) -> String { RFC3339.text(Int64(epoch) + Int64(record) * 1000) }

    @Test("streams every record once, renews a refused token, stops with its last line and exit code 0")
    func wholeLife() throws {
        let server = PageServer(Self.page)
        defer { server.stop() }
        let process = try StreamerProcess(apiURL: "http://127.0.0.1:\(server.port)", sinceNs: Int64(Self.epoch))
        let begin = Self.epoch - 1
        try process.answerStart(token: "expired")
        let (id, resolve) = try process.expect(TokenResolveRequest.self)
        #expect(resolve.rejected == StreamerProcess.token("expired").fingerprint)
        try process.reply(id, TokenReply(token: StreamerProcess.token("good")))
        var lines: [String] = []
        // Each page begins with the last record of the one before.
        for (batch, last) in [(2, 99), (3, 198), (4, 249)] as [(UInt64, UInt64)] {
            let entries = try process.expectEntries()
            let cursor = "\(begin)..\(Self.epoch + last * 1000)"
            #expect(entries.head.batch == batch && entries.head.cursor == cursor && entries.head.appName == "web")
            #expect(entries.lines.count == Int(entries.head.count))
            lines += entries.lines
            try process.acknowledge(batch)
        }
        #expect(lines.count == 250)
        #expect(lines.enumerated().allSatisfy { $1.contains(#""message":"line \#($0)""#) })
        try process.send(.ping, id: 9)
        let pong = try #require(try process.next())
        #expect(pong.kind == .pong && pong.id == 9)
        try process.send(.stop)
        let last = try process.expectEntries()
        #expect(last.lines == [#"{"type":"stopped","app_name":"web"}"#])
        #expect(last.head.batch == 5 && last.head.cursor == "")
        try process.acknowledge(5)
        #expect(try process.next()?.kind == .telemetry)
        #expect(try process.next()?.kind == .goodbye)
        #expect(process.wait() == 0)
        let said = process.standardError()
        #expect(!said.contains("good") && !said.contains("expired"), "no token on stderr")
    }

    @Test("a batch that nobody acknowledges stops the fetching, and pings are answered meanwhile")
    func backpressure() throws {
        let message = String(repeating: "m", count: 2 << 20)
        let server = PageServer { head in
            let next = (Int(head.split(separator: "next_token=").last?.prefix { $0.isNumber } ?? "") ?? 0) + 1
            let record = #"{"id":"r\#(next)","attributes":{"message":"\#(message)"}}"#
            return (200, [UInt8](#"{"data":[\#(record)],"meta":{"next_token":"\#(next + 9)"}}"#.utf8))
        }
        defer { server.stop() }
        let process = try StreamerProcess(apiURL: "http://127.0.0.1:\(server.port)", pollIntervalMs: 1)
        try process.answerStart(token: "any")
        #expect(try process.expectEntries().head.batch == 2)
        for id in 1...20 as ClosedRange<UInt32> {
            try process.send(.ping, id: id)
            let pong = try #require(try process.next())
            #expect(pong.kind == .pong && pong.id == id)
        }
        #expect(server.requests.count == 1)
        try process.acknowledge(2)
        #expect(try process.expectEntries().head.batch == 3)
    }

    @Test("another owner of the app ends it with the code that says so")
    func alreadyRegistered() throws {
        let process = try StreamerProcess(apiURL: "http://127.0.0.1:1")
        let (id, _) = try process.expect(RegisterRequest.self)
        try process.send(.failure, id: id, payload: MessageCoding.encode(Failure(.alreadyRegistered, "taken")))
        #expect(try process.next() == nil)
        #expect(process.wait() == WorkerExit.ignore << 8)
        #expect(process.standardError() == "app web is streamed by another worker already\n")
    }

    @Test("a server that cannot be reached is said once on stderr, without the token")
    func unreachable() throws {
        let process = try StreamerProcess(apiURL: "http://127.0.0.1:1")
        try process.answerStart(token: "secret")
        try process.send(.ping, id: 1)
        #expect(try process.next()?.kind == .pong)
        try process.send(.stop)
        #expect(try process.expectEntries().lines.count == 1)
        try process.acknowledge(2)
        while try process.next() != nil {}
        #expect(process.wait() == 0)
        let said = process.standardError()
        #expect(said.split(separator: "\n").count <= 1 && !said.contains("secret"))
    }

    @Test("no core may be dumped, not even to a program, and the memory figures stay readable")
    func noCore() throws {
        let process = try StreamerProcess(apiURL: "http://127.0.0.1:1")
        _ = try process.expect(RegisterRequest.self)
        let limit = try #require(
            process.file("limits").split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(limit.split(separator: " ").suffix(3) == ["1", "1", "bytes"])
        #expect(process.file("smaps_rollup").contains("Pss:"))
        kill(process.pid, SIGSEGV)
        let status = process.wait()
        #expect(status & 0x7F == SIGSEGV && status & 0x80 == 0)
    }
}
