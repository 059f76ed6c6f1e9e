// How long the parent's loop stands still while it makes and ends very many processes: the round trips of a worker that
// asks it something all the time, and of the same worker while nothing happens.

import Glibc

/// Measures the parent's loop.
struct LoopStall {
    let programs: Programs
    let apps: Int

    private static let idleSeconds: Int64 = 2

    /// The measurement's section.
    func run() throws -> ReportSection {
        progress("the parent's loop while \(2 * apps) workers are started")
        let scratch = try ScratchFolder()
        let libexec = try StandIn.stall.libexec(in: scratch, programs)
        let server = try PageServerProcess(content: .empty)
        let names = (1...apps).map { "app-\($0)" }
        var settings = FleetUnderTest.Settings(apps: names, port: server.port)
        settings.libexec = libexec
        let fleet = try FleetUnderTest(programs, settings)
        try fleet.awaitReady(names.map(FleetUnderTest.streamer), seconds: 120)
        try fleet.awaitReady(names.map(FleetUnderTest.appServer), seconds: 120)
        guard let probe = fleet.pids(under: "sinks/console").first else { throw fleet.trouble("there is no probe") }
        kill(probe, StallProbe.signal)
        let starting = try figures(fleet, 1)
        try Interruption.shared.pause(until: monotonicNs() + Self.idleSeconds * 1_000_000_000)
        kill(probe, StallProbe.signal)
        let idle = try figures(fleet, 2)
        try fleet.checkUndisturbed()
        try fleet.stop()
        let stopping = try figures(fleet, 3)
        server.process.stop(signal: SIGTERM)

        var section = ReportSection(
            title: "The parent's loop: a worker asks it something every millisecond, \(2 * apps) workers beside it",
            columns: ["round trips", "median µs", "99 % µs", "longest ms"])
        for (name, row) in [
            ("while they are started", starting), ("while they idle, \(Self.idleSeconds) s", idle),
            ("while they are stopped", stopping),
        ] {
            section.rows.append(
                (
                    name,
                    [
                        .number(row[0], decimals: 0), .number(row[1] / 1e3, decimals: 0),
                        .number(row[2] / 1e3, decimals: 0), .number(row[3] / 1e6, decimals: 2),
                    ]
                ))
        }
        section.notes = [
            "as a worker sees it: the parent's stall, and the wait of both for one of the machine's cores"
        ]
        return section
    }

    /// The probe's report number `count`, once it is there.
    private func figures(_ fleet: FleetUnderTest, _ count: Int) throws -> [Double] {
        let deadline = monotonicNs() + 5_000_000_000
        while true {
            let reports = fleet.words(after: StallProbe.mark)
            if reports.count >= count {
                let row = reports[count - 1].split(separator: " ").compactMap { Double($0) }
                guard row.count == 4, row[0] > 0 else { throw fleet.trouble("the probe timed nothing") }
                return row
            }
            guard monotonicNs() < deadline else { throw fleet.trouble("the probe does not report") }
            try Interruption.shared.pause(until: monotonicNs() + 10_000_000)
        }
    }
}
