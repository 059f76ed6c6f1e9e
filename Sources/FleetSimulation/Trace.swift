// What happened in a run, for whoever has to understand a failure, and as one number, for whoever asks whether two runs
// were the same.

internal import EventLoop
internal import Fleet
internal import Supervision

/// The last events of a run, or all of them.
struct Trace {
    enum Line {
        case event(FleetEvent)
        case effect(FleetEffect)
        case ended(WorkerIdentity, ProcessExit)
        case note(String)
    }

    private static let kept = 120
    private let keepsAll: Bool
    private var lines: [(time: Int64, line: Line)] = []
    private var next = 0
    /// Changes with every line's kind, time and subject.
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    init(keepsAll: Bool) {
        self.keepsAll = keepsAll
    }

    mutating func add(_ line: Line, at time: Int64, kind: Int, subject: Int) {
        hash = (hash ^ UInt64(truncatingIfNeeded: time)) &* 0x0000_0100_0000_01b3
        hash = (hash ^ UInt64(truncatingIfNeeded: kind &* 65_599 &+ subject)) &* 0x0000_0100_0000_01b3
        if keepsAll || lines.count < Self.kept {
            lines.append((time, line))
        } else {
            lines[next] = (time, line)
            next = (next + 1) % Self.kept
        }
    }

    /// For people, oldest first.
    var text: [String] {
        (lines[next...] + lines[..<next]).map { entry in
            let time = String(repeating: " ", count: max(0, 8 - "\(entry.time)".count)) + "\(entry.time)"
            switch entry.line {
            case .event(let event): return "\(time)  -> \(Self.words(event))"
            case .effect(let effect): return "\(time)     <- \(Self.words(effect))"
            case .ended(let worker, let exit): return "\(time)  \(Self.words(worker)) ends: \(exit)"
            case .note(let note): return "\(time)  \(note)"
            }
        }
    }

    private static func words(_ worker: WorkerIdentity) -> String { "\(worker.path)#\(worker.incarnation)" }

    private static func words(_ event: FleetEvent) -> String {
        switch event {
        case .begin, .stop, .interrupted, .time: "\(event)"
        case .appServerNeeded(let app): "appServerNeeded \(app)"
        case .spawned(let worker): "spawned \(words(worker))"
        case .spawnFailed(let worker, let reason): "spawnFailed \(words(worker)) \(reason)"
        case .ready(let worker): "ready \(words(worker))"
        case .goodbye(let worker): "goodbye \(words(worker))"
        case .brokeProtocol(let worker, let reason): "brokeProtocol \(words(worker)) \(reason)"
        case .exited(let worker, let exit): "exited \(words(worker)) \(exit)"
        case .pipeEnded(let worker, let pipe): "pipeEnded \(words(worker)) \(pipe)"
        case .readingPaused(let worker): "readingPaused \(words(worker))"
        case .readingResumed(let worker): "readingResumed \(words(worker))"
        }
    }

    private static func words(_ effect: FleetEffect) -> String {
        switch effect {
        case .spawn(let worker): "spawn \(words(worker))"
        case .askToStop(let worker): "askToStop \(words(worker))"
        case .terminate(let worker): "terminate \(words(worker))"
        case .kill(let worker): "kill \(words(worker))"
        case .ping(let worker): "ping \(words(worker))"
        case .discard(let worker): "discard \(words(worker))"
        case .report(let report): "\(report.path)#\(report.incarnation): \(words(report.turn))"
        case .appServerAnswered(let app, let reply): "appServerAnswered \(app) \(reply)"
        case .finished(let reason): "finished \(reason)"
        }
    }

    private static func words(_ turn: SupervisionReport.Turn) -> String {
        switch turn {
        case .exited(let reason, let uptime):
            "exited \(reason.description)" + (uptime.map { " after \($0) ms" } ?? " before ready")
        case .killed(let reason): "killed \(reason.rawValue)"
        case .backoff(let delay): "backoff \(delay) ms"
        case .restarting(let restart):
            "restarting for \(restart.cause), \(restart.restartsInWindow) of \(restart.intensity.maxRestarts)"
        case .gaveUp(let giveUp): "gave up: \(giveUp.description)"
        default: "\(turn)"
        }
    }
}
