// What it costs that no line is lost: the same fleet with a file sink that writes, acknowledges and commits, and with
// stand-ins that make nobody wait, side by side in one run.

import Glibc

/// Measures the price of the acknowledgements and commits.
struct Guarantee {
    let programs: Programs
    let seconds: Int

    /// Every contender runs so often, all in turn; the run with the median throughput stands for it.
    private static let rounds = 3
    private static let appNames = ["web", "api", "worker", "cron"]

    private enum Contender: CaseIterable {
        case kept, unwaited, unwritten

        var title: String {
            switch self {
            case .kept: "written, acknowledged, committed"
            case .unwaited: "written, nothing waited for"
            case .unwritten: "not written, nothing waited for"
            }
        }

        var standIn: StandIn? {
            switch self {
            case .kept: nil
            case .unwaited: .unwaited
            case .unwritten: .unwritten
            }
        }
    }

    /// What one run gave.
    private struct Sample {
        var window: FlowWindow
        /// CPU seconds of the window.
        var used: FleetUnderTest.Usage
    }

    /// The measurement's section.
    func run() throws -> ReportSection {
        var section = ReportSection(
            title: "The guarantee: full pages of \(PageTemplate.entries) entries to the file sink, over \(seconds) s",
            columns: ["entries/s", "of unwaited", "MB/s in", "streamers", "parent", "sinks", "store"])
        for count in [1, 4] { try measure(apps: count, into: &section) }
        section.notes += [
            "the median of \(Self.rounds) runs in turn; of unwaited: beside the same with nothing waited for; "
                + "the guarantee may cost a quarter of it",
            "nothing waited for: stand-ins for sinks and store acknowledge a batch when it comes and write it afterwards, "
                + "and answer commits without a database",
            "the console writes the same entries as JSON to /dev/null beside it, in every row but the last",
            "streamers to store: CPU seconds per million entries; the file lies in \(SinkFile.place), the database on disk",
        ]
        return section
    }

    private func measure(apps count: Int, into section: inout ReportSection) throws {
        let apps = Array(Self.appNames.prefix(count))
        let title = count == 1 ? "one app" : "\(count) apps"
        var samples: [Contender: [Sample]] = [:]
        for round in 1...Self.rounds {
            for contender in Contender.allCases {
                progress("\(title), \(contender.title), round \(round)")
                do {
                    samples[contender, default: []].append(try flow(apps, contender))
                } catch {
                    try section.fail("\(title), \(contender.title)", error)
                }
            }
        }
        func median(_ contender: Contender) -> Sample? {
            let sorted = (samples[contender] ?? []).sorted {
                $0.window.entriesPerSecond < $1.window.entriesPerSecond
            }
            return sorted.isEmpty ? nil : sorted[sorted.count / 2]
        }
        let unwaited = median(.unwaited)?.window.entriesPerSecond
        for contender in Contender.allCases {
            guard let sample = median(contender) else { continue }
            let rate = sample.window.entriesPerSecond
            let perMillion = 1e6 / sample.window.entries
            section.rows.append(
                (
                    "\(title), \(contender.title)",
                    [
                        .number(rate, decimals: 0),
                        unwaited.map { .text("\(Int((rate / $0 * 100).rounded())) %") } ?? .none,
                        .number(sample.window.megabytesPerSecond, decimals: 0),
                        .number(sample.used.streamers * perMillion, decimals: 2),
                        .number(sample.used.parent * perMillion, decimals: 2),
                        .number(sample.used.sink * perMillion, decimals: 2),
                        .number(sample.used.store * perMillion, decimals: 2),
                    ]
                ))
        }
    }

    private func flow(_ apps: [String], _ contender: Contender) throws -> Sample {
        let scratch = try ScratchFolder()
        let file = try SinkFile()
        let server = try PageServerProcess(content: .full)
        defer { server.process.stop(signal: SIGTERM) }
        var settings = FleetUnderTest.Settings(apps: apps, port: server.port)
        settings.libexec = try contender.standIn?.libexec(in: scratch, programs)
        settings.extra = file.flags + ["--merge-window", "0"]
        let fleet = try FleetUnderTest(programs, settings)
        try fleet.awaitReady(["sinks/console", "sinks/file-1"] + apps.map(FleetUnderTest.streamer), seconds: 30)
        do {
            try FlowWindow.warmUp(server, apps: apps.count)
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
        try fleet.checkUndisturbed()
        let before = fleet.usage()
        let window = try FlowWindow(server, seconds: seconds)
        let used = fleet.usage() - before
        try fleet.checkUndisturbed()
        try fleet.stop()
        guard window.entries > 0 else { throw fleet.trouble("no entry got through in \(seconds) s") }
        return Sample(window: window, used: used)
    }
}
