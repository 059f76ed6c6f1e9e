// A fleet of many idle apps: how long it takes to start, what it weighs, what it costs to keep.

import Glibc

/// Measures a fleet of idle apps.
struct Scale {
    /// What is asked for.
    struct Wish: OptionSet {
        let rawValue: Int
        static let startup = Wish(rawValue: 1)
        static let memory = Wish(rawValue: 2)
        static let idle = Wish(rawValue: 4)
    }

    let programs: Programs
    let count: Int
    let wish: Wish

    private static let starts = 3
    private static let idleSeconds: Int64 = 10

    private var apps: [String] { (1...count).map { "app-\($0)" } }

    /// A fleet whose every app has polled once, and how long that took.
    private struct Started {
        var server: PageServerProcess
        var fleet: FleetUnderTest
        var readyMs: Double
        var firstPollMs: Double
    }

    /// The measurements' sections.
    func run() throws -> [ReportSection] {
        var sections: [ReportSection] = []
        var samples: [Started] = []
        for number in 1...(wish.contains(.startup) ? Self.starts : 1) {
            progress("start of \(count) apps, \(number)")
            if let previous = samples.last { try stop(previous) }
            samples.append(try start())
        }
        if wish.contains(.startup) { sections.append(startup(samples)) }
        guard let last = samples.last else { return sections }
        if wish.contains(.memory) || wish.contains(.idle) {
            progress("settling of \(count) apps")
            _ = try last.server.await("two polls of each of \(count) apps", seconds: 60) { counts in
                counts.apps.count == count && counts.apps.values.allSatisfy { $0.polls >= 2 }
            }
            try last.fleet.awaitReady(apps.map(FleetUnderTest.appServer), seconds: 30)
            try last.fleet.checkUndisturbed()
        }
        if wish.contains(.memory) { sections.append(memory(last.fleet)) }
        if wish.contains(.idle) { sections.append(try idle(last)) }
        try stop(last)
        return sections
    }

    private func start() throws -> Started {
        let server = try PageServerProcess(content: .empty)
        let fleet = try FleetUnderTest(programs, .init(apps: apps, port: server.port))
        let ready = try fleet.awaitReady(apps.map(FleetUnderTest.streamer), seconds: 120)
        let counts: ServerCounts
        do {
            counts = try server.await("a first poll of each of \(count) apps", seconds: 60) { $0.apps.count == count }
        } catch let error as BenchError where error.exitCode == 70 {
            throw fleet.trouble(error.description)
        }
        let firstPoll = counts.apps.values.map(\.firstPollNs).max() ?? 0
        let started = fleet.process.startedNs
        return Started(
            server: server, fleet: fleet, readyMs: Double(ready - started) / 1e6,
            firstPollMs: Double(firstPoll - started) / 1e6)
    }

    private func stop(_ started: Started) throws {
        try started.fleet.stop()
        started.server.process.stop(signal: SIGTERM)
    }

    private func startup(_ samples: [Started]) -> ReportSection {
        var section = ReportSection(
            title: "Start of \(count) apps, \(samples.count) times", columns: ["median ms", "maximum ms"])
        for (name, values) in [
            ("until all Streamers are ready", samples.map(\.readyMs)),
            ("until all have polled", samples.map(\.firstPollMs)),
        ] {
            guard let spread = Spread(values) else { continue }
            section.rows.append((name, [.number(spread.median, decimals: 0), .number(spread.maximum, decimals: 0)]))
        }
        section.notes = ["from the spawn of flyfleet; a step that binds it to the bench takes the first 2 ms or so"]
        return section
    }

    private func memory(_ fleet: FleetUnderTest) -> ReportSection {
        var section = ReportSection(
            title: "Memory with \(count) idle apps, in kB a process",
            columns: ["processes", "PSS", "private", "PSS in all"])
        let parts: [(String, [Int32])] = [
            ("Streamer", fleet.pids(under: "logs/streamers")), ("AppServer", fleet.pids(under: "tokens/servers")),
            ("parent", [fleet.process.pid]), ("sink", fleet.pids(under: "sinks/console")),
            ("store", fleet.pids(under: "store")), ("token table", fleet.pids(under: "tokens/table")),
            ("registry", fleet.pids(under: "tokens/registry") + fleet.pids(under: "logs/registry")),
        ]
        var total = 0.0
        var processes = 0
        for (name, pids) in parts {
            let figures = pids.compactMap(ProcessAccounts.memory)
            guard !figures.isEmpty else {
                section.rows.append((name, [.number(Double(pids.count), decimals: 0), .none, .none, .none]))
                continue
            }
            let proportional = figures.reduce(0) { $0 + $1.proportional }
            let unique = figures.reduce(0) { $0 + $1.unique }
            let number = Double(figures.count)
            total += proportional
            processes += figures.count
            section.rows.append(
                (
                    name,
                    [
                        .number(number, decimals: 0), .number(proportional / number, decimals: 0),
                        .number(unique / number, decimals: 0), .number(proportional, decimals: 0),
                    ]
                ))
        }
        section.rows.append(
            ("all", [.number(Double(processes), decimals: 0), .none, .none, .number(total, decimals: 0)]))
        if processes < parts.reduce(0, { $0 + $1.1.count }) {
            section.notes.append("some processes may not be looked at by this user: run it as root for all figures")
        }
        section.notes.append("means, from smaps_rollup, when every app had polled at least twice")
        return section
    }

    private func idle(_ started: Started) throws -> ReportSection {
        progress("\(count) idle apps for \(Self.idleSeconds) s")
        let before = started.fleet.usage()
        let pollsBefore = try started.server.counts()
        try Interruption.shared.pause(until: pollsBefore.timeNs + Self.idleSeconds * 1_000_000_000)
        let after = started.fleet.usage()
        let pollsAfter = try started.server.counts()
        try started.fleet.checkUndisturbed()
        let seconds = Double(pollsAfter.timeNs - pollsBefore.timeNs) / 1e9
        func perSecond(_ part: KeyPath<FleetUnderTest.Usage, Double>) -> Cell {
            .number((after[keyPath: part] - before[keyPath: part]) / seconds, decimals: 4)
        }
        func polls(_ counts: ServerCounts) -> Int64 { counts.apps.values.reduce(0) { $0 + $1.polls } }
        var section = ReportSection(
            title: "CPU of \(count) idle apps, polled every 2 s, over \(Self.idleSeconds) s: CPU seconds per second",
            columns: ["tree", "streamers", "parent", "sink", "others", "polls/s"])
        section.rows.append(
            (
                "\(count) idle apps",
                [
                    perSecond(\.total), perSecond(\.streamers), perSecond(\.parent), perSecond(\.sink),
                    perSecond(\.others),
                    .number(Double(polls(pollsAfter) - polls(pollsBefore)) / seconds, decimals: 1),
                ]
            ))
        return section
    }
}
