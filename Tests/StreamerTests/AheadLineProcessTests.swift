// A line dated ahead, on the built program: the server's clock is known from its answers.

import FlyAPI
import Framing
import Glibc
import Testing
import WorkerProtocol

@Suite("flyfleet-streamer and a line that is dated ahead")
struct AheadLineProcessTests {
    private static let step: Int64 = 100_000_000

    private static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// A line every 100 ms, and from the first one on another that is dated an hour later.
    private static func page(_ head: String, began: Int64) -> [UInt8] {
        let query = head.prefix { $0 != "\r\n" }.split(separator: "next_token=").last ?? ""
        let cursor = Int64(query.prefix { $0.isNumber }) ?? 0
        let written = 0...max(0, (wallClock() - began) / step)
        var lines: [(name: String, time: Int64)] = written.map { ("line \($0)", began + $0 * step) }
        lines.append(("ahead", began + 36_000 * step))
        let page = lines.filter { $0.time >= cursor }.prefix(100)
        let records = page.map {
            #"{"id":"\#($0.name)","attributes":{"timestamp":"\#(RFC3339.text($0.time))","message":"\#($0.name)"}}"#
        }
        let token = page.last.map { "\($0.time)" } ?? ""
        return [UInt8](#"{"data":[\#(records.joined(separator: ","))],"meta":{"next_token":"\#(token)"}}"#.utf8)
    }

    @Test("the lines behind it come, each once")
    func goesOn() throws {
        let began = Self.wallClock()
        let server = PageServer(sendsDate: true) { (200, Self.page($0, began: began)) }
        defer { server.stop() }
        let process = try StreamerProcess(
            apiURL: "http://127.0.0.1:\(server.port)", sinceNs: began, overlapMs: 1000)
        try process.answerStart(token: "any")
        var lines: [String] = []
        while lines.count < 60 {
            let entries = try process.expectEntries()
            lines += entries.lines.map { line in
                String(line.split(separator: #""message":""#).last?.prefix { $0 != "\"" } ?? "")
            }
            try process.acknowledge(entries.head.batch)
        }
        #expect(lines.filter { $0 == "ahead" }.count == 1)
        #expect(lines.filter { $0 != "ahead" } == (0..<lines.count - 1).map { "line \($0)" })
    }
}
