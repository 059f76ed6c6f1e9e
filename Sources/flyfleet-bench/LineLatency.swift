// How long a line takes from the page server to the file in which it can be read, and what acknowledging adds to that.
//
// Every record carries the instant at which it was served; the reader's clock is the same one.

import Glibc

/// Measures the way of single lines.
struct LineLatency {
    let programs: Programs
    /// Lines of each way.
    let lines: Int

    private static let app = "web"
    private static let patienceNs: Int64 = 10_000_000_000
    /// The first lines find cold processes.
    private static let warmUpLines = 20

    /// The measurement's section.
    func run() throws -> ReportSection {
        var section = ReportSection(
            title: "From a page served to its line in the file, \(lines) lines one by one",
            columns: ["median ms", "99 % ms", "maximum ms", "added ms"])
        var unacknowledged: Double?
        let ways: [(String, StandIn?, Bool)] = [
            ("stdout to a file", nil, false), ("file sink, nothing waited for", .unwaited, true),
            ("file sink, acknowledged and committed", nil, true),
        ]
        for (name, standIn, toSink) in ways {
            try section.add(name) {
                progress("latency of a line, \(name)")
                let samples = try trips(standIn, toSink: toSink).sorted()
                guard let spread = Spread(samples), let first = unacknowledged ?? Spread(samples)?.median else {
                    return []
                }
                unacknowledged = first
                return [
                    .number(spread.median, decimals: 2), .number(samples[samples.count * 99 / 100], decimals: 2),
                    .number(spread.maximum, decimals: 2), .number(spread.median - first, decimals: 2),
                ]
            }
        }
        section.notes = [
            "one app, one record a page, polled every 20 ms; the wait for the poll is not in it",
            "added: beside the median of the first row; the file lies in \(SinkFile.place)",
        ]
        return section
    }

    /// Milliseconds of each line.
    private func trips(_ standIn: StandIn?, toSink: Bool) throws -> [Double] {
        let scratch = try ScratchFolder()
        let file = try SinkFile()
        let server = try PageServerProcess(content: .ticks)
        defer { server.process.stop(signal: SIGTERM) }
        var settings = FleetUnderTest.Settings(apps: [Self.app], port: server.port)
        settings.libexec = try standIn?.libexec(in: scratch, programs)
        settings.extra = ["--poll-interval", "20ms", "--merge-window", "0"]
        if toSink { settings.extra += file.flags } else { settings.output = .file(file.path) }
        let fleet = try FleetUnderTest(programs, settings)
        try fleet.awaitReady([FleetUnderTest.streamer(Self.app)], seconds: 30)
        do {
            let tail = try FileTail(file.path, until: monotonicNs() + Self.patienceNs)
            var trips: [Double] = []
            while trips.count < lines + Self.warmUpLines {
                guard let line = try tail.next(until: monotonicNs() + Self.patienceNs) else {
                    throw BenchError.product("no line came for 10 s")
                }
                guard let served = PageServer.servedNs(line.text) else { continue }
                trips.append(Double(line.arrivedNs - served) / 1e6)
            }
            try fleet.checkUndisturbed()
            try fleet.stop()
            return Array(trips.dropFirst(Self.warmUpLines))
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
    }
}
