// One run from its folder to its report: start, chaos, calm, verdict.

import Foundation

/// Everything one run consists of.
final class SoakRun {
    /// Seconds between the start of flysim and its first line: time for every app to be asked once.
    private static let headStart = 6.0
    /// Seconds within which a commit has to be made while nothing is wrong.
    private static let commitTime = 2.0
    /// How long after the chaos the last line may take, if nothing new comes meanwhile.
    private static let patience = 60.0
    /// How long a fleet that was started again has time to repeat something.
    private static let secondLook = 8.0
    /// Seconds within which a fleet without faults packs all that waits for it.
    private static let packingTime = 60.0

    private let options: SoakOptions
    private let plan: SoakPlan
    private let folder: RunFolder
    private let journal: Journal
    private let interruption: Interruption
    private let simulator: SimulatorUnderChaos
    private let fleet: FleetUnderChaos
    private let driver: ChaosDriver
    private let tail: FileTail
    private let memory = MemoryWatch(period: 1)
    private let sinks: [String]
    private var report: SoakReport

    init(_ options: SoakOptions, _ folder: RunFolder, _ interruption: Interruption) throws {
        self.options = options
        self.folder = folder
        self.interruption = interruption
        plan = try SoakPlan(options)
        journal = Journal(folder.journal)
        let epoch = Int64((Clock.wall + Self.headStart) * 1e9)
        simulator = try SimulatorUnderChaos(
            plan, binaries: options.binaries, folder: folder, journal: journal, epoch: epoch)
        fleet = FleetUnderChaos(plan, binaries: options.binaries, folder: folder, journal: journal)
        driver = ChaosDriver(options, plan, folder, fleet: fleet, simulator: simulator, journal: journal)
        sinks = (1...plan.sinkCount).map(folder.sink)
        tail = FileTail(sinks[0], apps: plan.apps, most: plan.linesPerApp)
        report = SoakReport(command: options.command, plan: plan.description)
    }

    /// Runs it and reports; ends all processes whatever happens.
    func run() throws -> SoakReport {
        folder.write("\(options.command)\n\(fleet.commandLine)\n", to: "commands")
        defer { endProcesses() }
        let start = Clock.seconds
        try begin()
        tail.watchSilence(true)
        let end = Clock.seconds + options.minutes * 60
        if options.isCalm {
            try waitCalmly(until: end)
        } else {
            try driver.run(until: end) { [self] in
                memory.follow(fleet.pid)
                return interruption.isSeen
            }
        }
        tail.watchSilence(false)
        try checkInterruption()
        try finish()
        report.seconds = Clock.seconds - start
        try account()
        return report
    }

    /// From the first process to the moment from which nothing may be lost: every app was asked once.
    private func begin() throws {
        try fleet.start()
        tail.start()
        memory.start()
        try simulator.awaitQuestions(plan.apps, errors: folder.errors) {
            try checkInterruption()
            try driver.lookAfter()
        }
        // By now the place where reading begins is committed: from here on nothing may be lost.
        Clock.sleep(Self.commitTime)
    }

    private func waitCalmly(until end: Double) throws {
        while Clock.seconds < end, !interruption.isSeen {
            memory.follow(fleet.pid)
            try driver.lookAfter()
            Clock.sleep(0.02)
        }
    }

    /// From the last fault to the last process: everything has to arrive, and to be there once.
    private func finish() throws {
        try driver.calm()
        try awaitLines()
        try stopFleet()
        // Another life: it reads the overlap again, and writes nothing of it.
        try fleet.start()
        _ = try Clock.await(seconds: Self.secondLook) {
            try checkInterruption()
            return fleet.watch()
        }
        try awaitPacking()
        try stopFleet()
        tail.stop()
        memory.stop()
    }

    private func awaitLines() throws {
        var fewest = Int.max
        var deadline = Clock.seconds + Self.patience
        while Clock.seconds < deadline {
            try checkInterruption()
            try driver.lookAfter()
            memory.follow(fleet.pid)
            let emissions = simulator.emissions() ?? [:]
            let begun = Clock.seconds
            let isEmitted = plan.apps.allSatisfy { emissions[$0]?.complete == true }
            let missing = try judge().reduce(0) { $0 + $1.lost }
            if isEmitted, missing == 0 {
                journal.note("everything is there")
                return
            }
            if missing < fewest || !isEmitted {
                fewest = missing
                deadline = Clock.seconds + Self.patience
            }
            Clock.sleep(max(0.5, Clock.seconds - begun))
        }
        journal.note("\(fewest) lines did not come")
        report.complaints.append("\(fewest) lines had not come \(Int(Self.patience)) s after the last one that did")
    }

    /// Whatever was half packed at somebody's death is packed now, and no file is there twice.
    private func awaitPacking() throws {
        guard plan.packing != .none else { return }
        var unpacked: [String] = []
        _ = try Clock.await(seconds: Self.packingTime) {
            try checkInterruption()
            unpacked = sinks.flatMap(unpackedFiles)
            return unpacked.isEmpty || fleet.watch()
        }
        report.complaints += unpacked.map { "\($0) after \(Int(Self.packingTime)) s without faults" }
    }

    private func unpackedFiles(_ sink: String) -> [String] {
        let listing = SinkListing(sink)
        // The last ones are packed once more is committed in a later one.
        let plain = listing.originals.filter { $0.number != nil }.dropLast(plan.syncs ? 2 : 1)
        return plain.map { "\($0.name) was not packed" }
            + listing.doubles.map { "\($0.packed.name) lies beside its original" }
            + listing.unfinished.map { "\($0) was left" }
    }

    private func stopFleet() throws { try fleet.stop(checking: checkInterruption) }

    private func judge() throws -> [SinkAccount] {
        let expected = Dictionary(uniqueKeysWithValues: plan.apps.map { ($0, plan.linesPerApp) })
        return try sinks.map { try Verifier.judge($0, expected: expected) }
    }

    private func account() throws {
        report.sinks = try judge()
        let latencies = tail.latencies
        report.latencies = latencies.mapValues { LatencySummary($0) }
        report.overallLatency = LatencySummary(latencies.values.flatMap { $0 })
        report.lateLatency = LatencySummary(tail.lateLatencies)
        report.longestSilence = tail.longestSilence
        report.chaos = driver.record
        report.parent = fleet.record
        report.memory = memory.peaks.mapValues(\.proportional)
        report.workerEnds = WorkerEnds.unexplained(in: folder.events, victims: driver.victims)
        report.verdict =
            report.isClean
            ? "nothing lost, nothing repeated, nothing out of order" : "FAILED"
    }

    private func checkInterruption() throws {
        if interruption.isSeen { throw SoakError("interrupted") }
    }

    private func endProcesses() {
        tail.stop()
        memory.stop()
        fleet.end()
        simulator.end()
    }
}
