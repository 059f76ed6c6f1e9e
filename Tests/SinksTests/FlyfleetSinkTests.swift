import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

@Suite("flyfleet-sink")
struct FlyfleetSinkTests {
    @Test("it writes batches to flyfleet's stdout, acknowledges them, and stops with a goodbye")
    func ordinaryLife() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let sink = try SinkProcess(loop, stdout: pipe.writing)
        try sink.configure(.pretty)
        #expect(sink.frames(.ready).count == 1)
        sink.send(try entriesFrame(app: "web", batch: 7, [entry(message: "hello")]))
        turn(loop, until: { sink.frames(.ack).count == 1 })
        #expect(try sink.acknowledgements == [Acknowledgement(appName: "web", batch: 7)])
        #expect(
            String(decoding: pipe.read(), as: UTF8.self)
                == "web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] hello\n")
        try sink.send(.stop)
        sink.end()
        #expect(sink.frames(.goodbye).count == 1)
        #expect(sink.exit == .exited(code: WorkerExit.normal))
        #expect(sink.errors == "")
    }

    @Test("what is queued at the stop is written before the goodbye")
    func stopWritesTheRest() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let sink = try SinkProcess(loop, stdout: pipe.writing)
        try sink.configure(.json)
        let line = entry(message: String(repeating: "x", count: 100_000))
        for batch in UInt64(1)...20 { sink.send(try entriesFrame(app: "web", batch: batch, [line])) }
        try sink.send(.stop)
        var received = 0
        turn(
            loop,
            until: {
                received += pipe.read().count
                return sink.exit != nil
            })
        received += pipe.read().count
        sink.end()
        #expect(received == 20 * (line.utf8.count + 1))
        #expect(sink.frames(.ack).count == 20)
        #expect(sink.frames.last?.kind == .goodbye)
    }

    @Test("while its reader stands still it answers pings, and it ends at a stop all the same")
    func readerStandsStill() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let sink = try SinkProcess(loop, stdout: pipe.writing)
        try sink.configure(.json)
        let line = entry(message: String(repeating: "x", count: 1_000_000))
        for batch in UInt64(1)...10 { sink.send(try entriesFrame(app: "web", batch: batch, [line])) }
        for id in UInt32(1)...3 {
            try sink.send(.ping, id: id)
            turn(loop, until: { sink.frames(.pong).last?.id == id })
        }
        #expect(sink.frames(.ack).isEmpty)
        try sink.send(.stop)
        sink.end()
        #expect(sink.frames.last?.kind == .goodbye)
        #expect(sink.exit == .exited(code: WorkerExit.normal))
    }

    private func stopRequest(of sink: SinkProcess) throws -> StopFleetRequest {
        turn(sink.loop, until: { !sink.frames(.request).isEmpty })
        let frame = try #require(sink.frames(.request).first)
        #expect(try MessageCoding.decode(RequestHead.self, from: frame.payload).method == StopFleetRequest.method)
        try sink.send(.reply, id: frame.id, payload: MessageCoding.encode(Done()))
        return try MessageCoding.decode(StopFleetRequest.self, from: frame.payload)
    }

    @Test("when its reader leaves it asks once for the fleet to be stopped, and waits for that")
    func readerLeaves() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let sink = try SinkProcess(loop, stdout: pipe.writing)
        try sink.configure(.json)
        pipe.closeReader()
        #expect(try stopRequest(of: sink).reason == "the reader of stdout went away")
        sink.send(try entriesFrame(app: "web", batch: 1, ["{}"]))
        try sink.send(.ping, id: 9)
        turn(loop, until: { sink.frames(.pong).last?.id == 9 })
        try sink.send(.stop)
        sink.end()
        #expect(sink.frames(.request).count == 1)
        #expect(sink.frames(.ack).isEmpty)
        #expect(sink.exit == .exited(code: WorkerExit.normal))
        #expect(sink.errors == "")
    }

    @Test("when stdout cannot be written it says so on one line and asks for the stop")
    func diskFull() throws {
        let loop = try Loop()
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let sink = try SinkProcess(loop, stdout: full)
        try sink.configure(.json)
        for batch in UInt64(1)...3 { sink.send(try entriesFrame(app: "web", batch: batch, ["{}"])) }
        #expect(try stopRequest(of: sink).reason.contains("ENOSPC"))
        try sink.send(.stop)
        sink.end()
        #expect(sink.frames(.ack).isEmpty)
        #expect(sink.errors.contains("stdout cannot be written: "))
        #expect(sink.errors.filter(\.isNewline).count == 1)
    }

    @Test("a closed stdout is bad configuration, not a crash later")
    func closedOutput() throws {
        let loop = try Loop()
        let sink = try SinkProcess(loop, stdout: nil)
        try sink.configure(.json)
        sink.end()
        #expect(sink.exit == .exited(code: WorkerExit.configuration))
        #expect(sink.errors.contains("flyfleet's stdout is closed"))
    }

    @Test("a malformed batch is the parent's breach of protocol")
    func malformedBatch() throws {
        let loop = try Loop()
        let pipe = try TestPipe()
        let sink = try SinkProcess(loop, stdout: pipe.writing)
        try sink.configure(.json)
        try sink.send(.entries, payload: [9, 1])
        sink.end()
        #expect(sink.exit == .exited(code: WorkerExit.protocolError))
        #expect(sink.errors.contains("the parent broke the protocol"))
    }
}
