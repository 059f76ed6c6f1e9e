// The history's requests with their exact JSON, and the limits of a record.

import Testing
import WorkerProtocol

@Suite("History requests") struct HistoryRequestTests {
    private static let crash = ExitRecord(
        sequence: 7, timeMs: 1_780_608_305_152, path: "logs/streamers/web", pid: 4711, incarnation: 3,
        exit: .init(code: nil, signal: "SIGKILL", outOfMemory: true), reason: "crash", detail: "signal SIGKILL",
        uptimeMs: 81_234, stderr: ["one", "two"], droppedBefore: 2)
    private static let crashJSON =
        #"{"detail":"signal SIGKILL","dropped_before":2,"#
        + #""exit":{"core_dumped":false,"out_of_memory":true,"signal":"SIGKILL"},"incarnation":3,"#
        + #""path":"logs/streamers/web","pid":4711,"ready":true,"reason":"crash","seq":7,"stderr":["one","two"],"#
        + #""time_ms":1780608305152,"uptime_ms":81234}"#
    /// No process could be made.
    private static let failedStart = ExitRecord(
        sequence: 8, timeMs: 1, path: "store", pid: nil, incarnation: 1, exit: nil, reason: "crash",
        detail: "out of memory", uptimeMs: nil, stderr: [])
    private static let failedStartJSON =
        #"{"detail":"out of memory","dropped_before":0,"incarnation":1,"path":"store","ready":false,"#
        + #""reason":"crash","seq":8,"stderr":[],"time_ms":1}"#

    private func text(_ payload: [UInt8]) -> String { String(decoding: payload, as: UTF8.self) }

    @Test("recording exits")
    func record() throws {
        let request = RecordExitsRequest(run: "1f", exits: [Self.crash, Self.failedStart])
        let payload = try MessageCoding.encodeRequest(request)
        #expect(
            text(payload) == #"{"exits":["# + Self.crashJSON + "," + Self.failedStartJSON
                + #"],"method":"store.record_exits","run":"1f"}"#)
        #expect(try MessageCoding.decode(RecordExitsRequest.self, from: payload) == request)
        #expect(try MessageCoding.decode(RequestHead.self, from: payload).method == "store.record_exits")
    }

    @Test("reading exits")
    func read() throws {
        #expect(
            text(try MessageCoding.encodeRequest(ExitsRequest(path: "store", before: 9, limit: 50)))
                == #"{"before":9,"limit":50,"method":"store.exits","path":"store"}"#)
        #expect(
            text(try MessageCoding.encodeRequest(ExitsRequest(limit: 1))) == #"{"limit":1,"method":"store.exits"}"#)
        let reply = ExitsRequest.Reply(exits: [StoredExit(id: 3, run: "1f", record: Self.crash)])
        let payload = try MessageCoding.encode(reply)
        #expect(text(payload) == #"{"exits":[{"id":3,"record":"# + Self.crashJSON + #","run":"1f"}]}"#)
        #expect(try MessageCoding.decode(ExitsRequest.Reply.self, from: payload) == reply)
    }

    @Test("a record keeps its last lines, each up to its limit", arguments: [-1, 0, 1, 4000])
    func lines(over: Int) {
        var record = Self.crash
        let line = String(repeating: "x", count: ExitRecord.maximumLineBytes + over)
        record.stderr = (1...7).map { "\($0)" } + [line]
        let kept = String(line.prefix(ExitRecord.maximumLineBytes))
        #expect(record.bounded.stderr == ["4", "5", "6", "7", kept])
    }

    @Test("a text is cut where a character begins", arguments: 0..<4)
    func cut(offset: Int) {
        var record = Self.crash
        let head = String(repeating: "x", count: ExitRecord.maximumDetailBytes - offset)
        record.detail = head + "\u{1f600}\u{1f600}"
        #expect(record.bounded.detail == head)
        record.reason = String(repeating: "é", count: 20)
        record.exit?.signal = record.reason
        #expect(record.bounded.reason == String(repeating: "é", count: 16))
        #expect(record.bounded.exit?.signal == record.bounded.reason)
    }

    @Test("what is within its limits stays as it is, and once cut it is")
    func bounded() {
        #expect(Self.crash.bounded == Self.crash)
        var record = Self.crash
        record.detail = String(repeating: "\u{1f600}", count: 5_000)
        #expect(record.bounded.bounded == record.bounded)
    }

    @Test("the longest request and the longest page fit into a frame, whatever their texts are made of")
    func frames() throws {
        // A control character is the one that JSON makes longest: six bytes of one.
        func text(_ count: Int) -> String { String(repeating: "\u{1}", count: count) }
        let longest = ExitRecord(
            sequence: .max, timeMs: .max, path: text(ExitRecord.maximumPathBytes), pid: .max, incarnation: .max,
            exit: .init(code: .min, signal: text(99), coreDumped: true, outOfMemory: true), reason: text(99),
            detail: text(9_999), uptimeMs: .max, stderr: Array(repeating: text(9_999), count: 9),
            droppedBefore: .max
        ).bounded
        let run = text(RecordExitsRequest.maximumRunBytes)
        let limit = 16 * 1024 * 1024 - 5
        let exits = Array(repeating: longest, count: RecordExitsRequest.maximumExits)
        let request = try MessageCoding.encodeRequest(RecordExitsRequest(run: run, exits: exits))
        #expect(request.count <= limit)
        let stored = StoredExit(id: .max, run: run, record: longest)
        let page = ExitsRequest.Reply(exits: Array(repeating: stored, count: ExitsRequest.maximumLimit))
        #expect(try MessageCoding.encode(page).count <= limit)
    }
}
