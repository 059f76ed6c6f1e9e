// The lines of the events file, read back as bytes.

import EventLoop
import Glibc
import Testing

@testable import Fleet
@testable import Supervision

@Suite("EventJournal") struct EventJournalTests {
    /// The lines for some reports, without their times.
    private func lines(_ reports: [(SupervisionReport, ProcessFacts?)]) throws -> [String] {
        let loop = try Loop()
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let journal = EventJournal(loop, descriptor: ends[1]) { error in Issue.record("\(error)") }
        for (report, process) in reports { journal.append(report, process: process) }
        while !journal.isIdle { loop.runOnce() }
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = read(ends[0], &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: "\n").map { line in
            String(line).replacing(#/"time":"[^"]+"/#, with: #""time":"T""#)
        }
    }

    @Test(
        "the exit of a process has the same keys however it ended",
        arguments: [
            (ProcessExit.exited(code: 3), #"{"code":3,"signal":null,"core_dumped":false,"out_of_memory":false}"#),
            (
                .signaled(signal: SIGSEGV, coreDumped: true),
                #"{"code":null,"signal":"SIGSEGV","core_dumped":true,"out_of_memory":false}"#
            ),
            (.outOfMemory, #"{"code":null,"signal":"SIGKILL","core_dumped":false,"out_of_memory":true}"#),
        ])
    func exits(exit: ProcessExit, object: String) throws {
        let report = SupervisionReport(
            path: "store", incarnation: 3, turn: .exited(reason: .crash("words"), uptimeMilliseconds: 5))
        #expect(
            try lines([(report, ProcessFacts(pid: 4711, exit: exit, lastWords: ["last"]))]) == [
                #"{"seq":1,"time":"T","event":"exited","path":"store","pid":4711,"incarnation":3,"exit":\#(object),"#
                    + #""reason":"crash","uptime_ms":5,"detail":"words","stderr":["last"]}"#
            ])
    }
}
