// A run without faults in which readers stand still under full load: a stopped file sink that the heartbeat replaces,
// stdout that nobody reads, a stopped file sink that nobody replaces.
//
// Memory stays under its limits, nobody is killed for waiting, and afterwards everything arrives, everywhere once.

import Foundation

/// Everything a run of standstills consists of.
final class StandstillRun {
    /// Seconds between looks at the memory.
    private static let memoryPeriod = 0.1
    /// Seconds within which a commit has to be made while nothing is wrong.
    private static let commitTime = 2.0
    /// Seconds of ordinary work under load before anybody stands still.
    private static let warmUp = 3.0
    /// Seconds within which a stopped child has to have a successor: 4 of silence, found at the next beat, and its start.
    private static let replacementTime = 15.0
    /// Seconds within which flysim answers, though the whole fleet catches up with it.
    private static let answerTime = 20.0
    /// How long lines may stay away in seconds, beside the length of the standstill.
    private static let patience = 60.0
    /// How long a fleet that was started again has time to repeat something.
    private static let secondLook = 8.0
    /// Who is stopped.
    private static let victim = "sinks/file-1"

    /// The parent ended: what comes next cannot be done.
    private struct FleetEnded: Error {}

    private let options: SoakOptions
    private let seconds: Double
    private let plan: SoakPlan
    private let folder: RunFolder
    private let journal: Journal
    private let interruption: Interruption
    private let simulator: SimulatorUnderChaos
    private let fleet: FleetUnderChaos
    private let console: ConsoleReader
    private let tails: [FileTail]
    private let memory = MemoryWatch(period: StandstillRun.memoryPeriod)
    private var victims: Set<pid_t> = []
    private var report: SoakReport

    init(_ options: SoakOptions, _ seconds: Double, _ folder: RunFolder, _ interruption: Interruption) throws {
        self.options = options
        self.seconds = seconds
        self.folder = folder
        self.interruption = interruption
        let plan = try SoakPlan(options)
        self.plan = plan
        journal = Journal(folder.journal)
        folder.tellTokenCommand("token")
        console = try ConsoleReader(
            folder.console, most: Dictionary(uniqueKeysWithValues: plan.apps.map { ($0, plan.linesPerApp) }))
        tails = (1...plan.sinkCount).map { FileTail(folder.sink($0), apps: plan.apps, most: plan.linesPerApp) }
        simulator = try SimulatorUnderChaos(
            plan, binaries: options.binaries, folder: folder, journal: journal, epoch: Int64(Clock.wall * 1e9))
        fleet = FleetUnderChaos(plan, binaries: options.binaries, folder: folder, journal: journal)
        report = SoakReport(command: options.command, plan: plan.description)
    }

    /// Runs it and reports; ends all processes whatever happens.
    func run() throws -> SoakReport {
        folder.write("\(options.command)\n\(fleet.commandLine)\n", to: "commands")
        defer { endProcesses() }
        let start = Clock.seconds
        do {
            try begin()
            try standStill("a stopped file sink that the heartbeat finds", awaitReplacement)
            try standStill("stdout that nobody reads", leaveStdoutUnread)
            try stopFleet()
            fleet.heartbeat = "1s/\(Int(seconds.rounded(.up)) + 60)s"
            try fleet.start()
            try standStill("a stopped file sink that nobody replaces", stopSink)
            try finish()
        } catch is FleetEnded {
            report.complaints.append("the parent ended")
        }
        report.seconds = Clock.seconds - start
        try account()
        return report
    }

    /// From the first process to full load.
    private func begin() throws {
        console.start()
        tails.forEach { $0.start() }
        memory.start()
        try fleet.start()
        try simulator.awaitQuestions(plan.apps, errors: folder.errors, meanwhile: lookAfter)
        // By then the place where reading begins is committed, and the lines may begin.
        try pass(Self.commitTime)
        try order(#"{"rate":\#(plan.rate)}"#)
        try pass(Self.warmUp)
    }

    // MARK: standstills

    /// One standstill, from lines that arrive as they come to lines that do so again.
    ///
    /// - Parameter body: Lets somebody stand still and go on; gives how long it took to replace them, if that is to be.
    private func standStill(_ name: String, _ body: () throws -> Double?) throws {
        _ = try awaitEverywhere(try emissions())
        journal.note("standstill: \(name)")
        var news = EventNews(folder.events)
        _ = memory.takePeaks()
        var standstill = Standstill(name: name)
        let before = try emissions()
        let start = Clock.seconds
        standstill.replacement = try body()
        standstill.seconds = Clock.seconds - start
        let after = try emissions()
        standstill.emitted = after.values.reduce(0, +) - before.values.reduce(0, +)
        journal.note("over: \(name)")
        standstill.catchUp = try awaitEverywhere(after)
        journal.note("everything is everywhere, or never comes: \(name)")
        standstill.deaths = deaths(news.next(), isReplacement: standstill.replacement != nil)
        standstill.memory = memory.takePeaks()
        for (kind, peak) in standstill.memory { report.standstillMemory[kind, default: MemoryPeak()].note(peak) }
        report.standstills.append(standstill)
    }

    private func awaitReplacement() throws -> Double? {
        var news = EventNews(folder.events)
        let stopped = try stopVictim()
        let start = Clock.seconds
        while Clock.seconds < start + Self.replacementTime {
            try pass(0.02)
            if news.next().contains(where: { $0.event == "ready" && $0.path == Self.victim }) {
                return Clock.seconds - start
            }
        }
        report.complaints.append("nobody replaced a stopped file sink within \(Int(Self.replacementTime)) s")
        stopped.send(SIGCONT)
        return nil
    }

    private func stopSink() throws -> Double? {
        let stopped = try stopVictim()
        defer { stopped.send(SIGCONT) }
        try pass(seconds)
        if !stopped.isStopped { report.complaints.append("the stopped file sink did not stand still to the end") }
        return nil
    }

    private func leaveStdoutUnread() throws -> Double? {
        console.pause(true)
        defer { console.pause(false) }
        try pass(seconds)
        return nil
    }

    private func stopVictim() throws -> ProcessIdentity {
        guard let victim = fleet.workers.first(where: { $0.path == Self.victim })?.identity, victim.send(SIGSTOP) else {
            throw SoakError("there is no \(Self.victim) to stop: see \(folder.errors)")
        }
        victims.insert(victim.pid)
        return victim
    }

    /// Who died that should not have: anybody but a sink whose replacement was waited for.
    private func deaths(_ events: [FleetEvent], isReplacement: Bool) -> [String] {
        var isExpected = isReplacement
        var words: [String] = []
        for event in events where event.event == "killed" || event.event == "gave_up" {
            if isExpected, event.path == Self.victim, event.reason == "heartbeat" {
                isExpected = false
            } else {
                words.append("\(event.path) \(event.event) (\(event.reason ?? "no reason"))")
            }
        }
        let killed = Set(events.filter { $0.event == "killed" }.compactMap(\.pid))
        for event in events where event.event == "exited" && event.pid.map(killed.contains) != true {
            let code = event.exit?.code.map { "exit code \($0)" } ?? event.exit?.signal ?? "unknown"
            words.append("\(event.path) ended (\(code))")
        }
        return words
    }

    // MARK: the end

    private func finish() throws {
        try order(#"{"stop_at":"\#(Int64((Clock.wall + 0.5) * 1e9))"}"#)
        let isSilent = try Clock.await(seconds: 20) {
            try lookAfter()
            return simulator.emissions(within: Self.answerTime)?.values.allSatisfy(\.complete) == true
        }
        guard isSilent else { throw SoakError("flysim goes on: see \(folder.simulatorErrors)") }
        if try awaitEverywhere(try emissions()) == nil { report.complaints.append("the last lines did not come") }
        try stopFleet()
        // Another life: it reads the overlap again, and writes nothing of it.
        try fleet.start()
        try pass(Self.secondLook)
        try stopFleet()
    }

    private func account() throws {
        let expected = try emissions()
        _ = Clock.await(seconds: 20) { console.isDrained }
        report.sinks = try (1...plan.sinkCount).map { try Verifier.judge(folder.sink($0), expected: expected) }
        report.sinks.append(console.account(expected: expected))
        let latencies = tails[0].latencies
        report.latencies = latencies.mapValues { LatencySummary($0) }
        report.overallLatency = LatencySummary(latencies.values.flatMap { $0 })
        report.parent = fleet.record
        report.memory = report.standstillMemory.mapValues(\.proportional)
        report.workerEnds = WorkerEnds.unexplained(in: folder.events, victims: victims)
        report.complaints += report.standstillComplaints
        report.verdict =
            report.isClean
            ? "nothing lost, nothing repeated, nobody killed for waiting, no memory above its limit" : "FAILED"
    }

    // MARK: the means

    /// Waits until all sinks have the lines up to these numbers.
    ///
    /// - Returns: The seconds it took; nil if it never came to that.
    private func awaitEverywhere(_ numbers: [String: Int]) throws -> Double? {
        let start = Clock.seconds
        let isThere = try Clock.await(seconds: seconds + Self.patience) {
            try lookAfter()
            return tails.allSatisfy { $0.hasAll(numbers) } && console.hasAll(numbers)
        }
        return isThere ? Clock.seconds - start : nil
    }

    /// How many lines each app has emitted.
    private func emissions() throws -> [String: Int] {
        guard let emissions = simulator.emissions(within: Self.answerTime) else {
            throw SoakError("flysim does not answer: see \(folder.simulatorErrors)")
        }
        return emissions.mapValues(\.emitted)
    }

    private func order(_ order: String) throws {
        guard simulator.post(order, to: "/_sim/settings", seconds: Self.answerTime) else {
            throw SoakError("flysim did not take \(order): see \(folder.simulatorErrors)")
        }
    }

    /// Lets time go by.
    private func pass(_ seconds: Double) throws {
        let end = Clock.seconds + seconds
        while Clock.seconds < end {
            try lookAfter()
            Clock.sleep(min(0.02, max(0, end - Clock.seconds)))
        }
    }

    private func lookAfter() throws {
        if interruption.isSeen { throw SoakError("interrupted") }
        memory.follow(fleet.pid)
        if fleet.watch() { throw FleetEnded() }
        if simulator.hasEnded { throw SoakError("flysim ended: see \(folder.simulatorErrors)") }
    }

    private func stopFleet() throws {
        memory.follow(nil)
        try fleet.stop { if interruption.isSeen { throw SoakError("interrupted") } }
    }

    private func endProcesses() {
        tails.forEach { $0.stop() }
        console.stop()
        memory.stop()
        fleet.end()
        simulator.end()
    }
}
