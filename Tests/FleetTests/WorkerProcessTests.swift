// The parent's end of a worker's pipes, with a worker that is played by the test.

import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Fleet

private let identity = WorkerIdentity(path: "logs/streamers/web", incarnation: 1)

/// Three pipes, of which the test holds the worker's ends.
private final class PlayedProcess: SpawnedProcess {
    let pid: Int32 = 4711
    let input: PipeWriter
    let output: PipeReader
    let errors: PipeReader
    var signals: [String] = []
    private var stdin: Int32
    private var stdout: Int32
    private var stderr: Int32

    init(_ loop: Loop) throws {
        var ends: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            try #require(pipe(&pair) == 0)
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            ends.append(pair)
        }
        (stdin, stdout, stderr) = (ends[0][0], ends[1][1], ends[2][1])
        _ = fcntl(stdin, F_SETFL, O_NONBLOCK)
        input = try PipeWriter(loop, descriptor: ends[0][1])
        output = try PipeReader(loop, descriptor: ends[1][0])
        errors = try PipeReader(loop, descriptor: ends[2][0])
    }

    deinit { for end in [stdin, stdout, stderr] where end >= 0 { close(end) } }

    func signal(_ number: Int32) { signals.append("process \(number)") }
    func signalGroup(_ number: Int32) { signals.append("group \(number)") }

    func closePipes() {
        input.close()
        output.close()
        errors.close()
    }

    func write(_ frames: (FrameKind, [UInt8])...) throws {
        let bytes = try frames.flatMap { try FrameEncoder.encode($0.0, payload: $0.1) }
        try #require(Glibc.write(stdout, bytes, bytes.count) == bytes.count)
    }

    func say(_ text: String) {
        _ = Glibc.write(stderr, text, text.utf8.count)
    }

    func closeOutput() {
        close(stdout)
        stdout = -1
    }

    func closeErrors() {
        close(stderr)
        stderr = -1
    }

    /// The kinds of the frames that were written to it.
    func received() throws -> [FrameKind] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(stdin, &buffer, buffer.count)
        var decoder = FrameDecoder()
        decoder.append(buffer[..<max(0, count)])
        var kinds: [FrameKind] = []
        while let frame = try decoder.next() { kinds.append(frame.kind) }
        return kinds
    }
}

/// Notes what a worker does.
private final class Notes: WorkerProcessDelegate {
    var all: [String] = []
    var events: [FleetEvent] = []
    var reads = 0
    var mayBePaused = true
    /// Breaks with the worker at the first frame it sends.
    var refusesFrames = false

    func worker(_ worker: WorkerProcess, did event: FleetEvent) { events.append(event) }
    func workerWasHeard(_ worker: WorkerProcess) { reads += 1 }
    func workerIsReady(_ worker: WorkerProcess) { all.append("ready") }
    func worker(_ worker: WorkerProcess, brokeProtocol reason: String) {
        if worker.stopServing() { all.append("broke") }
    }
    func worker(_ worker: WorkerProcess, wrote line: String) { all.append("wrote \(line)") }
    func worker(_ worker: WorkerProcess, lastWrote line: String) { all.append("last \(line)") }
    func workerMayBePaused(_ worker: WorkerProcess) -> Bool { mayBePaused }
    func worker(_ worker: WorkerProcess, sent frame: Frame) {
        all.append("\(frame.kind)")
        if refusesFrames { self.worker(worker, brokeProtocol: "refused") }
    }
}

/// A worker, its process, and a loop that runs until something has happened.
private struct Stage {
    let loop: Loop
    let process: PlayedProcess
    let notes = Notes()
    let worker: WorkerProcess

    init() throws {
        loop = try Loop()
        process = try PlayedProcess(loop)
        worker = WorkerProcess(loop, identity, delegate: notes)
        worker.begin(process, configuration: [])
        worker.startReading()
    }

    func run(until condition: () -> Bool) {
        let deadline = LoopTimer(loop)
        var isOver = false
        deadline.start(after: 10_000) { isOver = true }
        while !condition(), !isOver { loop.runOnce() }
        deadline.close()
        #expect(!isOver, "\(notes.all) \(notes.events)")
    }

    /// Ends it, so that nothing of it stays open.
    func end() {
        worker.discard()
        loop.run()
        #expect(loop.isEmpty)
    }
}

@Suite("WorkerProcess") struct WorkerProcessTests {
    private static let ready: (FrameKind, [UInt8]) = (
        .ready, [UInt8](#"{"protocol":1,"pid":4711}"#.utf8)
    )

    @Test("frames are told in order, and each end of file once") func frames() throws {
        let stage = try Stage()
        #expect(try stage.process.received() == [.configure])
        try stage.process.write(Self.ready, (.request, []), (.pong, []), (.goodbye, []))
        stage.process.closeOutput()
        stage.run { stage.notes.events.count == 2 }
        #expect(stage.notes.all == ["ready", "request"])
        #expect(stage.notes.events == [.goodbye(identity), .pipeEnded(identity, .output)])
        stage.process.closeErrors()
        stage.run { stage.notes.events.count == 3 }
        #expect(stage.notes.events.last == .pipeEnded(identity, .errors) && stage.notes.reads > 0)
        stage.end()
    }

    @Test(
        "nothing is served of what comes after a breach, and its end is still seen",
        arguments: [(FrameKind.ping, false, ["ready", "broke"]), (.request, true, ["ready", "request", "broke"])])
    func breach(kind: FrameKind, refused: Bool, told: [String]) throws {
        let stage = try Stage()
        stage.notes.refusesFrames = refused
        try stage.process.write(Self.ready, (kind, []), (.telemetry, []), (.goodbye, []), Self.ready)
        stage.run { stage.notes.all.last == "broke" }
        let reads = stage.notes.reads
        try stage.process.write((.telemetry, [UInt8](repeating: 0, count: 40_000)), (.goodbye, []))
        stage.process.closeOutput()
        stage.run { !stage.notes.events.isEmpty }
        #expect(stage.notes.all == told && stage.notes.events == [.pipeEnded(identity, .output)])
        #expect(stage.notes.reads > reads, "it is heard all the same")
        stage.end()
    }

    @Test("a second ready frame is a breach") func readyTwice() throws {
        let stage = try Stage()
        try stage.process.write(Self.ready, Self.ready)
        stage.run { stage.notes.all.count == 2 }
        #expect(stage.notes.all == ["ready", "broke"])
        stage.end()
    }

    @Test("the last line is told once its process has ended, finished or not") func lastLine() throws {
        let stage = try Stage()
        stage.process.say("first\nno cheese")
        stage.run { !stage.notes.all.isEmpty }
        #expect(stage.notes.all == ["wrote first"])
        stage.worker.didExit(.exited(code: 1))
        #expect(stage.notes.all == ["wrote first", "last no cheese"])
        stage.process.say(" left")
        stage.run { stage.notes.all.count == 3 }
        #expect(stage.notes.all.last == "last no cheese left")
        #expect(stage.worker.lastWords == ["first"])
        stage.process.closeErrors()
        stage.run { stage.notes.all.count == 5 }
        #expect(stage.notes.all.suffix(2) == ["wrote no cheese left", "last no cheese left"])
        #expect(stage.worker.lastWords == ["first", "no cheese left"])
        stage.end()
        #expect(stage.notes.all.count == 5)
    }

    @Test("an unfinished line whose stderr never ends is said when it is discarded") func unfinished() throws {
        let stage = try Stage()
        stage.process.say("no cheese")
        stage.run { stage.notes.reads == 1 }
        stage.worker.didExit(.exited(code: 1))
        stage.end()
        #expect(stage.notes.all.filter { $0.hasPrefix("wrote") } == ["wrote no cheese"])
        #expect(stage.worker.lastWords == ["no cheese"] && stage.worker.pid == 4711)
        #expect(stage.worker.exit == .exited(code: 1))
    }

    @Test(
        "its frames are left in the pipe until it is read again, asked to stop, or dead",
        arguments: ["resumed", "stopped", "dead"])
    func paused(how: String) throws {
        let stage = try Stage()
        stage.notes.mayBePaused = false
        stage.worker.pauseReading()
        #expect(stage.notes.events.isEmpty)
        stage.notes.mayBePaused = true
        stage.worker.pauseReading()
        stage.worker.pauseReading()
        #expect(stage.notes.events == [.readingPaused(identity)])
        try stage.process.write((.goodbye, []))
        stage.process.say("awake\n")
        stage.run { !stage.notes.all.isEmpty }
        #expect(stage.notes.events.count == 1, "stderr is read, frames are not")
        _ = try stage.process.received()
        switch how {
        case "resumed": stage.worker.resumeReading()
        case "stopped": stage.worker.askToStop()
        default: stage.worker.didExit(.exited(code: 0))
        }
        stage.run { stage.notes.events.last == .goodbye(identity) }
        #expect(stage.notes.events.dropFirst().first == .readingResumed(identity))
        #expect(try stage.process.received() == (how == "stopped" ? [.stop] : []))
        stage.end()
    }

    @Test("SIGTERM goes to the process, SIGKILL to its group; who waits for it is told when it is gone") func ends()
        throws
    {
        let stage = try Stage()
        var answers: [String] = []
        for _ in 0..<2 {
            _ = stage.worker.calls.add(timeoutMs: 1_000) { answer in
                if case .failure(let failure) = answer { answers.append(failure.message) }
            }
        }
        stage.worker.terminate()
        stage.worker.kill()
        #expect(stage.process.signals == ["process 15", "group 9"])
        stage.end()
        #expect(answers == ["logs/streamers/web ended", "logs/streamers/web ended"])
        stage.worker.kill()
        stage.worker.send(.ping)
        #expect(stage.process.signals.count == 2)
    }
}
