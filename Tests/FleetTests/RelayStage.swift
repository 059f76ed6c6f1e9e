// A relay with workers that are played by the test: their pipes are real, their processes are not.

import EventLoop
import Framing
import Testing
import WorkerProtocol

@testable import Fleet

/// Everybody around a relay.
final class RelayStage: LogRelayHost, WorkerProcessDelegate {
    struct Commit {
        let payload: CommitPayload
        let answer: (Bool) -> Void
    }

    let loop: Loop
    private(set) lazy var relay = LogRelay(loop, sinks: sinks, host: self)
    private let sinks: [RelaySink]
    var workers: [String: WorkerProcess] = [:]
    var processes: [String: PlayedProcess] = [:]
    var commits: [Commit] = []
    var begun: [String] = []
    var failed: [String] = []

    /// A console, some files, a store and Streamers of some apps, all of them ready.
    init(files: Int = 0, consoleIsLive: Bool = false, apps: [String] = ["web", "api"]) throws {
        loop = try Loop()
        sinks =
            [RelaySink(path: "sinks/console", name: nil, isLive: consoleIsLive)]
            + (0..<files).map { RelaySink(path: "sinks/file-\($0 + 1)", name: "/file\($0 + 1)", isLive: false) }
        for path in ["store"] + sinks.map(\.path) + apps.map({ "logs/streamers/\($0)" }) { try start(path) }
        for sink in sinks { relay.sinkIsReady(sink.path) }
    }

    func start(_ path: String, incarnation: Int = 1) throws {
        let process = try PlayedProcess(loop)
        let worker = WorkerProcess(loop, WorkerIdentity(path: path, incarnation: incarnation), delegate: self)
        worker.begin(process, configuration: [])
        workers[path] = worker
        processes[path] = process
        _ = try process.received()
    }

    func stop(_ path: String) {
        workers.removeValue(forKey: path)?.discard()
        processes[path] = nil
    }

    /// Ends it, so that nothing of it stays open.
    func end() {
        for path in workers.keys { stop(path) }
        relay.commitTimer.close()
        relay.retryTimer.close()
        relay.gate.close()
        loop.run()
        #expect(loop.isEmpty)
    }

    func run(until condition: () -> Bool) {
        let deadline = LoopTimer(loop)
        var isOver = false
        loop.updateTime()
        deadline.start(after: 10_000) { isOver = true }
        var isDone = condition()
        while !isDone, !isOver {
            loop.runOnce()
            isDone = condition()
        }
        deadline.close()
        #expect(isDone)
    }

    // MARK: frames

    /// A Streamer sends a batch of some bytes, with its memory if it has identities.
    func send(
        _ app: String, _ number: UInt64, cursor: String = "5..9", count: UInt32 = 1, bytes: Int = 10,
        chunk: UInt64? = nil, identities: [UInt64] = [], kind: FrameKind = .entries
    ) throws {
        let streamer = try #require(workers["logs/streamers/\(app)"])
        if let chunk {
            let memory = BatchMemory(appName: app, batch: number, chunk: chunk, firstKept: 1, identities: identities)
            try relay.receive(try Frame(kind: .memory, payload: memory.encode()), from: streamer)
        }
        let head = EntriesHead(appName: app, batch: number, count: count, cursor: cursor)
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
        try relay.receive(try Frame(kind: kind, payload: head.encode() + body), from: streamer)
    }

    func acknowledge(_ sink: String, _ app: String, _ number: UInt64, _ position: String? = nil) throws {
        let worker = try #require(workers[sink])
        relay.acknowledge(Acknowledgement(appName: app, batch: number, position: position), from: worker)
    }

    /// The batches a sink was given since last asked, as app and number.
    func delivered(_ sink: String) throws -> [String] {
        try #require(processes[sink]).receivedFrames().map { frame in
            let head = try EntriesHead.decode(frame.payloadBytes).head
            return "\(head.appName)\(head.batch)"
        }
    }

    /// The batches a Streamer was told it may forget.
    func forgotten(_ app: String) throws -> [UInt64] {
        try #require(processes["logs/streamers/\(app)"]).receivedFrames().map { frame in
            #expect(frame.kind == .ack)
            return try Acknowledgement.decode(frame.payloadBytes).batch
        }
    }

    // MARK: LogRelayHost

    func readyWorker(_ path: String) -> WorkerProcess? { workers[path] }

    func forEachStreamer(_ body: (WorkerProcess) -> Void) {
        for path in workers.keys.sorted() where path.hasPrefix("logs/streamers/") {
            if let worker = workers[path] { body(worker) }
        }
    }

    func commit(_ payload: [UInt8], timeoutMs: Int64, _ completion: @escaping (Bool) -> Void) {
        do {
            let decoded = try payload.withUnsafeBytes { try CommitPayload.decode($0) }
            commits.append(Commit(payload: decoded, answer: completion))
        } catch {
            Issue.record("a commit that is none: \(error)")
        }
    }

    func cursorWasCommitted(_ app: String) { begun.append(app) }
    func widenPipes(of worker: WorkerProcess) {}
    func relayFailed(_ worker: WorkerProcess, reason: String) { failed.append(worker.path) }

    // MARK: WorkerProcessDelegate

    func worker(_ worker: WorkerProcess, did event: FleetEvent) {}
    func workerWasHeard(_ worker: WorkerProcess) {}
    func workerIsReady(_ worker: WorkerProcess) {}
    func worker(_ worker: WorkerProcess, sent frame: Frame) {}
    func worker(_ worker: WorkerProcess, brokeProtocol reason: String) {}
    func worker(_ worker: WorkerProcess, wrote line: String) {}
    func worker(_ worker: WorkerProcess, lastWrote line: String) {}
    func workerMayBePaused(_ worker: WorkerProcess) -> Bool { true }

    func worker(_ worker: WorkerProcess, wasRead unfinishedDelta: Int) {
        if worker.path.hasPrefix("logs/streamers/") { relay.gate.wasRead(worker, unfinished: unfinishedDelta) }
    }
}
