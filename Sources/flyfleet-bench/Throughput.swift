// Entries per second from full pages to /dev/null, beside what the page server itself can send.

import Glibc

/// Measures how fast entries flow.
struct Throughput {
    let programs: Programs
    let seconds: Int

    private static let appNames = ["web", "api", "worker", "cron"]
    /// Pages an app has to have taken before its window begins.
    private static let warmUpPages: Int64 = 20
    private static let warmUpNs: Int64 = 1_000_000_000

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
        try warmUp(server, apps: count)
        let ownPid = getpid()
        let clientBefore = ProcessAccounts.cpuSeconds(ownPid)
        let window = try window(server)
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
        let fleet = try FleetUnderTest(programs, .init(apps: apps, port: server.port, output: output))
        try fleet.awaitReady(["sinks/console"] + apps.map(FleetUnderTest.streamer), seconds: 30)
        do {
            try warmUp(server, apps: count)
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
        try fleet.checkUndisturbed()
        let before = fleet.usage()
        let window = try window(server)
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

    private func warmUp(_ server: PageServerProcess, apps count: Int) throws {
        let earliest = monotonicNs() + Self.warmUpNs
        let needed = Self.warmUpPages * Int64(PageTemplate.entries)
        _ = try server.await("\(Self.warmUpPages) pages through each of \(count) apps", seconds: 30) { counts in
            counts.apps.count == count && counts.apps.values.allSatisfy { $0.entries >= needed }
        }
        try Interruption.shared.pause(until: earliest)
    }

    /// What the server saw between two instants.
    private struct Window {
        var entries: Double
        var bytes: Double
        var seconds: Double
        var serverSeconds: Double

        var entryBytes: Cell { .number(bytes / entries, decimals: 0) }

        var cells: [Cell] {
            [
                .number(entries / seconds, decimals: 0), .number(bytes / seconds / 1e6, decimals: 0),
                .number(serverSeconds * 1e6 / entries, decimals: 2),
            ]
        }
    }

    private func window(_ server: PageServerProcess) throws -> Window {
        let usedBefore = ProcessAccounts.cpuSeconds(server.process.pid)
        let before = try server.counts()
        try Interruption.shared.pause(until: before.timeNs + Int64(seconds) * 1_000_000_000)
        let after = try server.counts()
        let used = ProcessAccounts.cpuSeconds(server.process.pid) - usedBefore
        return Window(
            entries: Double(after.entries - before.entries), bytes: Double(after.bytes - before.bytes),
            seconds: Double(after.timeNs - before.timeNs) / 1e9, serverSeconds: used)
    }
}
