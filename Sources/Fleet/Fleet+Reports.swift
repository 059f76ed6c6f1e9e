// What the policies report, for the events file and for people.

internal import EventLoop
internal import Supervision

extension Fleet {
    /// Writes a report to the events file, the exits also to the history, and to stderr where a person would want to know.
    func record(_ report: SupervisionReport) {
        let process = facts(of: report)
        journal.append(report, process: process)
        if let process { exits.record(report, process: process) }
        tellPeople(report)
        if report.path == LeafPath.appServers, case .exited = report.turn { appServersEnded() }
    }

    /// What is known of the process that a report is about, if it is about one.
    private func facts(of report: SupervisionReport) -> ProcessFacts? {
        for worker in [workers[report.path], departed[report.path]] {
            guard let worker, worker.incarnation == report.incarnation else { continue }
            return ProcessFacts(pid: worker.pid, exit: worker.exit, lastWords: worker.lastWords)
        }
        return nil
    }

    private func tellPeople(_ report: SupervisionReport) {
        switch report.turn {
        case .exited(.crash(let words), let uptime):
            let life = uptime.map { "after \(Self.duration($0))" } ?? "before it was ready"
            diagnostics.say(report.path, "died \(life): \(words)")
        case .killed(let reason) where reason != .brutalKill:
            diagnostics.say(report.path, Self.explanation(of: reason))
        case .backoff(let delay):
            diagnostics.say(report.path, "starting it again in \(Self.duration(delay))")
        case .restarted(let latency):
            diagnostics.say(report.path, "up again, \(latency) ms after it was gone")
        case .gaveUp(let giveUp) where report.path != LeafPath.root:
            // The root's own is the process's last word.
            diagnostics.say(giveUp.description)
        default:
            break
        }
    }

    private static func explanation(of reason: KillReason) -> String {
        switch reason {
        case .heartbeat: "killed: it did not answer pings"
        case .protocolError: "killed: it broke the frame protocol"
        case .stopTimeout: "killed: it did not stop within its grace"
        case .startTimeout: "killed: it was not ready in time"
        case .brutalKill, .stopNow: "killed: everything is to end at once"
        }
    }

    /// `250 ms`, `1.5 s`, `3 min`: two digits are enough for a person.
    static func duration(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: "\(milliseconds) ms"
        case ..<60_000: "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
        case ..<3_600_000: "\(milliseconds / 60_000) min"
        default: "\(milliseconds / 3_600_000) h"
        }
    }
}
