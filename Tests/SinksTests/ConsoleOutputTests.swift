import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

@Suite("ConsoleOutput")
struct ConsoleOutputTests {
    @Test("batches come out in order and are acknowledged in order", arguments: [ConsoleSettings.json, .pretty])
    func order(settings: ConsoleSettings) throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: settings)
        var written: [Acknowledgement] = []
        output.onWritten = { written.append($0) }
        var expected = ""
        for batch in UInt64(1)...50 {
            let line = entry(message: "line \(batch)")
            try output.receive(entriesFrame(app: "web", batch: batch, [line]))
            expected += try rendered(line + "\n", settings)
        }
        turn(loop, until: { written.count == 50 })
        #expect(written == (1...50).map { Acknowledgement(appName: "web", batch: $0) })
        #expect(String(decoding: pipe.read(), as: UTF8.self) == expected)
        output.close()
        finish(loop)
    }

    @Test("a sink whose predecessor died in the middle of a line begins with a line of its own")
    func tornLine() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        var settings = ConsoleSettings.json
        settings.endsTornLine = true
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: settings)
        var written: [UInt64] = []
        output.onWritten = { written.append($0.batch) }
        try output.receive(entriesFrame(app: "web", batch: 1, ["{}"]))
        turn(loop, until: { written == [1] })
        #expect(String(decoding: pipe.read(), as: UTF8.self) == "\n{}\n")
        output.close()
        finish(loop)
    }

    @Test("a batch is acknowledged only when its last byte is written, not before")
    func slowReader() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var written: [UInt64] = []
        output.onWritten = { written.append($0.batch) }
        let capacity = Int(fcntl(pipe.writing, F_GETPIPE_SZ_NUMBER))
        try #require(capacity > 0)
        let line = entry(message: String(repeating: "x", count: capacity))
        try output.receive(entriesFrame(app: "web", batch: 1, [line]))
        try output.receive(entriesFrame(app: "web", batch: 2, ["{}"]))
        // The pipe is full, so the write is under way and cannot be done.
        turn(loop, until: { bytesWaiting(in: pipe.reading) == capacity })
        #expect(written.isEmpty)
        #expect(output.pendingBatches == 2)
        var received: [UInt8] = []
        turn(
            loop,
            until: {
                received += pipe.read()
                return written == [1, 2]
            })
        received += pipe.read()
        #expect(String(decoding: received, as: UTF8.self) == line + "\n{}\n")
        output.close()
        finish(loop)
    }

    @Test("an empty batch is acknowledged after those before it")
    func emptyBatch() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var written: [UInt64] = []
        output.onWritten = { written.append($0.batch) }
        try output.receive(entriesFrame(app: "web", batch: 1, ["{}"]))
        try output.receive(entriesFrame(app: "web", batch: 2, []))
        #expect(written.isEmpty)
        turn(loop, until: { written.count == 2 })
        #expect(written == [1, 2])
        try output.receive(entriesFrame(app: "web", batch: 3, []))
        #expect(written == [1, 2, 3])
        output.close()
        finish(loop)
    }

    @Test("what is replayed is written like everything else, in its turn")
    func replay() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var written: [UInt64] = []
        output.onWritten = { written.append($0.batch) }
        try output.receive(entriesFrame(app: "web", batch: 1, ["1"]))
        try output.receive(entriesFrame(app: "web", batch: 2, kind: .replay, ["2"]))
        try output.receive(entriesFrame(app: "web", batch: 3, ["3"]))
        turn(loop, until: { written.count == 3 })
        #expect(written == [1, 2, 3])
        #expect(String(decoding: pipe.read(), as: UTF8.self) == "1\n2\n3\n")
        output.close()
        finish(loop)
    }

    @Test("a descriptor that somebody made non-blocking loses nothing")
    func nonblocking() throws {
        let loop = try Loop()
        let pipe = try TestPipe(nonblockingWriter: true)
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var written = 0
        output.onWritten = { _ in written += 1 }
        var expected: [UInt8] = []
        for batch in UInt64(1)...30 {
            let lines = (0..<100).map { entry(message: "\(batch) \($0)") }
            expected += lines.flatMap { Array($0.utf8) + [0x0A] }
            try output.receive(entriesFrame(app: "web", batch: batch, lines))
        }
        var received: [UInt8] = []
        turn(
            loop,
            until: {
                received += pipe.read(atMost: 8192)
                return written == 30 && received.count >= expected.count
            })
        #expect(received == expected)
        output.close()
        finish(loop)
    }

    @Test("a reader that leaves is noticed while nothing is written, and the pipe stays blocking")
    func readerLeavesIdle() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var failures: [ConsoleFailure] = []
        output.onFailure = { failures.append($0) }
        #expect(fcntl(pipe.writing, F_GETFL) & O_NONBLOCK == 0)
        pipe.closeReader()
        turn(loop, until: { !failures.isEmpty })
        #expect(failures == [.readerLeft])
        finish(loop)
    }

    @Test("a reader that leaves during a write ends it once, and nothing is acknowledged any more")
    func readerLeavesWriting() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var failures: [ConsoleFailure] = []
        var written = 0
        output.onFailure = { failures.append($0) }
        output.onWritten = { _ in written += 1 }
        let capacity = Int(fcntl(pipe.writing, F_GETPIPE_SZ_NUMBER))
        try output.receive(entriesFrame(app: "web", batch: 1, [String(repeating: "x", count: 2 * capacity)]))
        turn(loop, until: { bytesWaiting(in: pipe.reading) == capacity })
        pipe.closeReader()
        turn(loop, until: { !failures.isEmpty })
        try output.receive(entriesFrame(app: "web", batch: 2, ["{}"]))
        finish(loop)
        #expect(failures == [.readerLeft])
        #expect(written == 0)
    }

    @Test("a full disk is reported once, with its reason")
    func diskFull() throws {
        let loop = try Loop()
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        let output = try ConsoleOutput(loop, descriptor: full, settings: .json)
        var failures: [String] = []
        output.onFailure = { failures.append($0.description) }
        try output.receive(entriesFrame(app: "web", batch: 1, ["{}"]))
        try output.receive(entriesFrame(app: "web", batch: 2, ["{}"]))
        finish(loop)
        #expect(failures.count == 1)
        #expect(failures.first?.contains("no space left on device (ENOSPC)") == true)
    }

    @Test("draining ends when everything is written, at once when there is nothing, and when the time is up")
    func drain() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        var drained = 0
        output.drain(withinMs: 10_000) { drained += 1 }
        #expect(drained == 1)
        var written = 0
        output.onWritten = { _ in written += 1 }
        try output.receive(entriesFrame(app: "web", batch: 1, ["{}"]))
        output.drain(withinMs: 10_000) { drained += 1 }
        #expect(drained == 1)
        turn(loop, until: { drained == 2 })
        #expect(written == 1)
        let capacity = Int(fcntl(pipe.writing, F_GETPIPE_SZ_NUMBER))
        try output.receive(entriesFrame(app: "web", batch: 2, [String(repeating: "x", count: 2 * capacity)]))
        output.drain(withinMs: 20) { drained += 1 }
        turn(loop, until: { drained == 3 })
        #expect(written == 1)
        turn(
            loop,
            until: {
                _ = pipe.read()
                return written == 2
            })
        output.close()
        finish(loop)
    }

    @Test("a malformed head is an error and nothing is written")
    func malformedHead() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let output = try ConsoleOutput(loop, descriptor: pipe.writing, settings: .json)
        let frame = try Frame(kind: .entries, payload: [200, 1, 2])
        #expect(throws: FrameError.self) { try output.receive(frame) }
        #expect(output.pendingBatches == 0)
        output.close()
        finish(loop)
        #expect(pipe.read().isEmpty)
    }

    @Test("a regular file takes everything, and nobody watches it")
    func regularFile() throws {
        let loop = try Loop()
        var template = Array("/tmp/flyfleet-console-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        defer { close(file) }
        unlink(template)
        let output = try ConsoleOutput(loop, descriptor: file, settings: .json)
        var written = 0
        output.onWritten = { _ in written += 1 }
        let line = entry(message: String(repeating: "x", count: 3_000_000))
        for batch in UInt64(1)...3 { try output.receive(entriesFrame(app: "web", batch: batch, [line])) }
        // Nothing but the writes keeps the loop alive.
        finish(loop)
        #expect(written == 3)
        #expect(lseek(file, 0, SEEK_END) == off_t(3 * (line.utf8.count + 1)))
        output.close()
    }
}

/// F_GETPIPE_SZ by its number: the name needs _GNU_SOURCE.
private let F_GETPIPE_SZ_NUMBER: Int32 = 1032

private func bytesWaiting(in descriptor: Int32) -> Int {
    var count: Int32 = 0
    _ = withUnsafeMutablePointer(to: &count) { ioctl(descriptor, UInt(FIONREAD), $0) }
    return Int(count)
}
