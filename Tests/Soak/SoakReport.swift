// The report: a table for people and one line of JSON.

import Foundation

/// Everything that is told about a run.
struct SoakReport: Codable, Sendable {
    var command: String
    var plan: String
    var verdict = ""
    var seconds = 0.0
    var sinks: [SinkAccount] = []
    var latencies: [String: LatencySummary] = [:]
    var overallLatency = LatencySummary([])
    /// Of the lines that appeared late, counted apart: they are found when the overlap is read again.
    var lateLatency = LatencySummary([])
    var longestSilence = 0.0
    var chaos = ChaosRecord()
    var parent = ParentRecord()
    /// Peaks of PSS in kB, by kind of process.
    var memory: [String: Int] = [:]
    /// Ends of workers that nobody brought about, in words.
    var workerEnds: [String: Int] = [:]
    /// What else went wrong.
    var complaints: [String] = []
    var standstills: [Standstill] = []
    /// Highest memory by kind of process, from the first standstill on.
    var standstillMemory: [String: MemoryPeak] = [:]

    enum CodingKeys: String, CodingKey {
        case command, plan, verdict, seconds, sinks, latencies, chaos, parent, complaints, standstills
        case standstillMemory = "standstill_memory"
        case overallLatency = "overall_latency"
        case lateLatency = "late_latency"
        case longestSilence = "longest_silence_s"
        case memory = "peak_pss_kb"
        case workerEnds = "unexplained_worker_ends"
    }

    init(command: String, plan: String) {
        self.command = command
        self.plan = plan
    }

    /// Of more apps than this, only those are listed with which something is wrong.
    private static let mostRows = 12

    var isClean: Bool {
        sinks.allSatisfy(\.isClean) && parent.isClean && workerEnds.isEmpty && complaints.isEmpty
    }

    /// The report as one line of JSON.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The report for people.
    var text: String {
        var lines = ["soak: \(verdict)", "  \(command)", "  \(plan)"]
        for (number, sink) in sinks.enumerated() { lines += table(of: sink, withLatency: number == 0) }
        lines += standstills.isEmpty ? chaosText : standstillText
        lines += (parent.unexplained + parent.orphans).map { "PARENT: \($0)" }
        lines += workerEnds.sorted { $0.key < $1.key }.map { "UNEXPLAINED END: \($0.value) times \($0.key)" }
        lines += complaints.map { "WRONG: \($0)" }
        return lines.joined(separator: "\n")
    }

    private var chaosText: [String] {
        var lines = [""]
        lines.append("faults: \(chaos.total) in \(Int(seconds)) s; \(chaos.missed) more found no process")
        for (kind, deeds) in chaos.deeds.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(Self.left(kind, 16)) \(Self.counts(deeds))")
        }
        lines.append("weather: \(Self.counts(chaos.weather)); \(chaos.weatherMissed) not taken")
        lines.append("flysim: started again \(chaos.simulatorRestarts) times")
        lines.append(
            "parents: \(parent.starts) starts, \(parent.killed) killed, \(parent.stopped) stopped in order "
                + "(longest \(Self.short(parent.longestStop)) s), \(parent.gaveUp) gave up; a child outlived its parent by at "
                + "most \(Int(parent.longestOrphan * 1000)) ms")
        if parent.stoppedOrphans > 0 {
            lines.append(
                "\(parent.stoppedOrphans) children were stopped at their birth and outlived their parent till SIGCONT")
        }
        if lateLatency.count > 0 {
            let words = zip(["median", "99th percentile", "maximum"], Self.cells(lateLatency)).map { "\($0) \($1)" }
            lines.append("late lines, from appearance to file, ms: \(words.joined(separator: ", "))")
        }
        lines.append("longest time without a line: \(Self.short(longestSilence)) s")
        let peaks = memory.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.short(Double($0.value) / 1024)) MB" }
        lines.append("highest memory (PSS): \(peaks.joined(separator: ", "))")
        return lines
    }

    private func table(of sink: SinkAccount, withLatency: Bool) -> [String] {
        let name = (sink.path as NSString).lastPathComponent
        let packed = sink.packed > 0 ? " (\(sink.packed) packed)" : ""
        var lines = ["", "\(name): \(sink.files) files\(packed), \(sink.lines) lines, \(sink.bytes) bytes"]
        let titles =
            ["expected", "lost", "repeated", "misordered", "late"]
            + (withLatency ? ["p50 ms", "p99 ms", "max ms"] : [])
        lines.append(Self.row("app", titles))
        let shown = sink.apps.filter { sink.apps.count <= Self.mostRows || !$0.value.isClean }
        for (app, account) in shown.sorted(by: { Self.order($0.key, $1.key) }) {
            lines.append(Self.row(app, Self.cells(account) + (withLatency ? Self.cells(latencies[app]) : [])))
        }
        if sink.apps.count > 1 {
            lines.append(Self.row("all", Self.cells(sink.total) + (withLatency ? Self.cells(overallLatency) : [])))
        }
        if sink.torn > 0 { lines.append("TORN LINES: \(sink.torn)") }
        if sink.foreign > 0 { lines.append("FOREIGN LINES: \(sink.foreign)") }
        if !sink.others.isEmpty { lines.append("other lines: \(Self.counts(sink.others))") }
        lines += sink.examples.map { "  \($0)" }
        for (app, account) in sink.apps.sorted(by: { Self.order($0.key, $1.key) }) where !account.isClean {
            lines += account.examples.map { "  \(app): \($0)" }
        }
        return lines
    }

    private static func cells(_ account: AppAccount) -> [String] {
        [account.expected, account.lost, account.repeated, account.outOfOrder, account.late].map { "\($0)" }
    }

    private static func cells(_ latency: LatencySummary?) -> [String] {
        guard let latency, latency.count > 0 else { return ["-", "-", "-"] }
        return [latency.median, latency.percentile99, latency.maximum].map { "\(Int($0.rounded()))" }
    }

    private static func counts(_ counts: [String: Int]) -> String {
        counts.isEmpty
            ? "none" : counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    static func row(_ name: String, _ cells: [String], width: Int = 12) -> String {
        left(name, width) + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func short(_ number: Double) -> String { String(format: "%.1f", number) }

    /// app-2 before app-10.
    private static func order(_ one: String, _ other: String) -> Bool {
        (one.count, one) < (other.count, other)
    }
}

extension SinkAccount {
    /// The sum of all apps.
    var total: AppAccount {
        apps.values.reduce(into: AppAccount()) {
            $0.expected += $1.expected
            $0.lost += $1.lost
            $0.repeated += $1.repeated
            $0.outOfOrder += $1.outOfOrder
            $0.late += $1.late
        }
    }
}
