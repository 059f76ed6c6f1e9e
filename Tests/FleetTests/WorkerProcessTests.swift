// The parent's end of a worker's pipes, with a worker that is played by the test.

import EventLoop
import Framing
import Testing
import WorkerProtocol

@testable import Fleet

private let identity = WorkerIdentity(path: "logs/streamers/web", incarnation: 1)

/// Notes what a worker does.
private final class Notes: WorkerProcessDelegate {
    var all: [String] = []
    var events: [FleetEvent] = []
    var reads = 0
    /// What it holds of frames that are not whole, as it tells.
    var unfinishedBytes = 0
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
    func worker(_ worker: WorkerProcess, wasRead unfinishedDelta: Int) { unfinishedBytes += unfinishedDelta }
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

    @Test("what it holds of a frame that is not whole is told, and that it is whole, and that it is gone")
    func unfinishedFrames() throws {
        let stage = try Stage()
        let frame = try FrameEncoder.encode(.telemetry, payload: [UInt8](repeating: 0, count: 5_000))
        try stage.process.write(Self.ready)
        try stage.process.write(frame.prefix(100))
        stage.run { stage.notes.unfinishedBytes > 0 }
        #expect(stage.notes.unfinishedBytes >= 100 && stage.worker.unfinishedBytes == stage.notes.unfinishedBytes)
        try stage.process.write(frame.dropFirst(100))
        stage.run { stage.notes.unfinishedBytes == 0 }
        #expect(stage.notes.all == ["ready", "telemetry"])
        try stage.process.write(frame.prefix(100))
        stage.run { stage.notes.unfinishedBytes > 0 }
        stage.end()
        #expect(stage.notes.unfinishedBytes == 0)
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
