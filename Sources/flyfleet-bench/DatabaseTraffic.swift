// What a steady stream costs the disk: the store's writes while many apps get a page a second each.

import Glibc

/// Measures what is written to the database.
struct DatabaseTraffic {
    let programs: Programs
    let apps: Int
    let seconds: Int

    /// Pages each app has taken before the window begins.
    private static let warmUpPages: Int64 = 3

    /// The measurement's section.
    func run() throws -> ReportSection {
        progress("the database under \(apps) apps with a page a second each, for \(seconds) s")
        let file = try SinkFile()
        let server = try PageServerProcess(content: .paced)
        defer { server.process.stop(signal: SIGTERM) }
        let names = (1...apps).map { "app-\($0)" }
        var settings = FleetUnderTest.Settings(apps: names, port: server.port)
        settings.extra = file.flags + ["--poll-interval", "1s", "--merge-window", "0"]
        let fleet = try FleetUnderTest(programs, settings)
        try fleet.awaitReady(names.map(FleetUnderTest.streamer), seconds: 120)
        do {
            _ = try server.await("\(Self.warmUpPages) pages through each of \(apps) apps", seconds: 120) { counts in
                counts.apps.count == apps && counts.apps.values.allSatisfy { $0.pages >= Self.warmUpPages }
            }
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
        try fleet.checkUndisturbed()
        guard let store = fleet.pids(under: "store").first else { throw fleet.trouble("there is no store") }
        let sampled = try window(server, fleet, store)
        try fleet.checkUndisturbed()
        try fleet.stop()
        return section(sampled)
    }

    private struct Sample {
        var seconds: Double
        var pages: Double
        var toDisk: Double
        var written: Double
        var growth: Double
        var size: Double
        var cpu: Double
    }

    private func window(_ server: PageServerProcess, _ fleet: FleetUnderTest, _ store: Int32) throws -> Sample {
        guard let before = ProcessAccounts.output(store) else {
            throw BenchError(exitCode: 69, "/proc/\(store)/io cannot be read: run it as the fleet's user or as root")
        }
        let (counts, size, cpu) = (try server.counts(), fleet.databaseBytes(), ProcessAccounts.cpuSeconds(store))
        try Interruption.shared.pause(until: counts.timeNs + Int64(seconds) * 1_000_000_000)
        let (countsAfter, sizeAfter) = (try server.counts(), fleet.databaseBytes())
        guard let after = ProcessAccounts.output(store) else { throw fleet.trouble("the store is gone") }
        func pages(_ counts: ServerCounts) -> Int64 { counts.apps.values.reduce(0) { $0 + $1.pages } }
        return Sample(
            seconds: Double(countsAfter.timeNs - counts.timeNs) / 1e9,
            pages: Double(pages(countsAfter) - pages(counts)), toDisk: after.toDisk - before.toDisk,
            written: after.written - before.written, growth: Double(sizeAfter - size), size: Double(sizeAfter),
            cpu: ProcessAccounts.cpuSeconds(store) - cpu)
    }

    private func section(_ sample: Sample) -> ReportSection {
        var section = ReportSection(
            title: "The database under \(apps) apps, one page of \(PageTemplate.entries) entries a second each, "
                + "over \(seconds) s",
            columns: ["pages/s", "kB/s to disk", "kB/s by calls", "B/entry", "growth kB/s", "size kB", "store CPU"])
        section.rows.append(
            (
                "\(apps) apps",
                [
                    .number(sample.pages / sample.seconds, decimals: 1),
                    .number(sample.toDisk / sample.seconds / 1e3, decimals: 1),
                    .number(sample.written / sample.seconds / 1e3, decimals: 1),
                    .number(sample.toDisk / max(sample.pages * Double(PageTemplate.entries), 1), decimals: 2),
                    .number(sample.growth / sample.seconds / 1e3, decimals: 1), .number(sample.size / 1e3, decimals: 0),
                    .number(sample.cpu / sample.seconds, decimals: 4),
                ]
            ))
        section.notes = [
            "to disk: write_bytes of the store in /proc, what it made the kernel write; by calls: its wchar, answers included",
            "B/entry: bytes to disk an entry; growth and size: of the database and the files beside it",
            "store CPU: CPU seconds a second",
        ]
        return section
    }
}
