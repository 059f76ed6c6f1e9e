// Entries per second from full pages to /dev/null, beside what the page server itself can send.

import Glibc

/// Measures how fast entries flow.
struct Throughput {
    let programs: Programs
    let seconds: Int

    private static let appNames = ["web", "api", "worker", "cron"]

    /// The measurement's section.
    func run() throws -> ReportSection {
        var section = ReportSection(
            title: "Throughput: full pages of \(PageTemplate.entries) entries, over \(seconds) s",
            columns: [
                "entries/s", "MB/s in", "server", "streamers", "parent", "sink", "others", "B/entry in",
                "B/entry out",
            ])
        for apps in [1, 4] {
            try section.add("page server alone, \(title(apps))") { try ceiling(apps: apps) }
        }
        for output in ["json", "pretty"] {
            for apps in [1, 4] {
                try section.add("\(title(apps)), --output \(output)") { try flow(apps: apps, output: output) }
            }
        }
        section.notes += [
            "an entry counts when its app asks the page server for the page after it; what is in flight does not",
            "server to others: CPU seconds per million entries; the ceiling's client stands under streamers",
            "page server and product share the cores: a product's row cannot reach the ceiling of an idle machine",
            "B/entry out: what the sink wrote to /dev/null, by its own count of written bytes in /proc",
        ]
        return section
    }

    private func names(_ count: Int) -> [String] { Array(Self.appNames.prefix(count)) }

    private func title(_ count: Int) -> String { count == 1 ? "one app" : "\(count) apps" }

    private func ceiling(apps count: Int) throws -> [Cell] {
        progress("page server alone, \(title(count))")
        let server = try PageServerProcess(content: .full)
        defer { server.process.stop(signal: SIGTERM) }
        let clients = try DiscardClients(apps: names(count), port: server.port)
        try FlowWindow.warmUp(server, apps: count)
        let ownPid = getpid()
        let clientBefore = ProcessAccounts.cpuSeconds(ownPid)
        let window = try FlowWindow(server, seconds: seconds)
        let client = ProcessAccounts.cpuSeconds(ownPid) - clientBefore
        try clients.stop()
        let perMillion = 1e6 / window.entries
        return window.cells + [
            .number(client * perMillion, decimals: 2), .none, .none, .none, window.entryBytes, .none,
        ]
    }

    private func flow(apps count: Int, output: String) throws -> [Cell] {
        progress("\(title(count)), \(output)")
        let server = try PageServerProcess(content: .full)
        defer { server.process.stop(signal: SIGTERM) }
        let apps = names(count)
        let fleet = try FleetUnderTest(programs, .init(apps: apps, port: server.port, format: output))
        try fleet.awaitReady(["sinks/console"] + apps.map(FleetUnderTest.streamer), seconds: 30)
        do {
            try FlowWindow.warmUp(server, apps: count)
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
        try fleet.checkUndisturbed()
        let before = fleet.usage()
        let window = try FlowWindow(server, seconds: seconds)
        let after = fleet.usage()
        try fleet.checkUndisturbed()
        try fleet.stop()
        guard window.entries > 0 else { throw fleet.trouble("no entry got through in \(seconds) s") }
        let perMillion = 1e6 / window.entries
        func cost(_ part: KeyPath<FleetUnderTest.Usage, Double>) -> Cell {
            .number((after[keyPath: part] - before[keyPath: part]) * perMillion, decimals: 2)
        }
        var written = Cell.none
        if let first = before.sinkBytes, let last = after.sinkBytes {
            written = .number((last - first) / window.entries, decimals: 0)
        }
        return window.cells + [
            cost(\.streamers), cost(\.parent), cost(\.sink), cost(\.others), window.entryBytes, written,
        ]
    }
}

extension FlowWindow {
    fileprivate var entryBytes: Cell { .number(bytes / entries, decimals: 0) }

    fileprivate var cells: [Cell] {
        [
            .number(entriesPerSecond, decimals: 0), .number(megabytesPerSecond, decimals: 0),
            .number(serverSeconds * 1e6 / entries, decimals: 2),
        ]
    }
}
