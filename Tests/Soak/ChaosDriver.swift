// The chaos: draws whom to hit, with what and when, and how the weather changes; keeps parent and flysim running.
//
// One seed, one order of decisions: whether a fault finds its process depends on the machine, what is tried does not.

import Foundation

/// Carries out faults until it is told to end.
final class ChaosDriver {
    /// Seconds between faults of one fixed group, so that it does not give up by policy all the time.
    private static let fixedSpacing = 2.0
    /// Seconds between changes of the weather, on average.
    private static let weatherWait = 1.5
    /// How likely a fault is a storm instead: faults to one fixed group until it has to give up.
    private static let stormShare = 0.004

    private struct Waking {
        let time: Double
        let what: String
        let wake: () -> Void
    }

    private let fleet: FleetUnderChaos
    private let simulator: SimulatorUnderChaos
    private let journal: Journal
    private let folder: RunFolder
    private let plan: SoakPlan
    private let faultWait: Double
    private let targets: [(weight: Double, element: Target)]
    private var faults: Draws
    private var weather: Draws
    private var wakings: [Waking] = []
    private var lastHit: [String: Double] = [:]
    private var storm: [Target] = []
    private(set) var record = ChaosRecord()
    /// Every worker that was hit, by pid.
    private(set) var victims: Set<pid_t> = []

    init(
        _ options: SoakOptions, _ plan: SoakPlan, _ folder: RunFolder, fleet: FleetUnderChaos,
        simulator: SimulatorUnderChaos, journal: Journal
    ) {
        self.folder = folder
        self.fleet = fleet
        self.simulator = simulator
        self.journal = journal
        self.plan = plan
        faultWait = 1 / options.faultsPerSecond
        targets = Target.all(apps: plan.apps, sinks: plan.sinkCount)
        faults = Draws(seed: options.seed, purpose: "faults")
        weather = Draws(seed: options.seed, purpose: "weather")
    }

    /// Does its work until the time (seconds of the steady clock) or until `isInterrupted`.
    func run(until end: Double, isInterrupted: () -> Bool) throws {
        var nextFault = Clock.seconds
        var nextWeather = Clock.seconds
        while Clock.seconds < end, !isInterrupted() {
            try lookAfter()
            if Clock.seconds >= nextFault {
                try fault()
                nextFault = Clock.seconds + faults.wait(mean: faultWait)
            }
            if Clock.seconds >= nextWeather {
                changeWeather(to: Weather.draw(&weather, plan))
                nextWeather = Clock.seconds + weather.wait(mean: Self.weatherWait)
            }
            Clock.sleep(0.004)
        }
    }

    /// Keeps parent and flysim running and wakes whom it stopped.
    func lookAfter() throws {
        for (index, waking) in wakings.enumerated().reversed() where waking.time <= Clock.seconds {
            wakings.remove(at: index)
            journal.note("going on: \(waking.what)")
            waking.wake()
        }
        if fleet.watch() { try fleet.start(laterFlags()) }
        try simulator.watch()
    }

    /// Ends the chaos: everybody goes on, the sky is clear.
    func calm() throws {
        for waking in wakings { waking.wake() }
        wakings = []
        _ = try Clock.await(seconds: 20) {
            try simulator.watch()
            return simulator.post(#"{"fault":"clear"}"#, to: "/_sim/switch")
        }
        journal.note("calm")
        record.simulatorRestarts = simulator.restarts
    }

    /// Now and then people ask for old lines, which no file may get twice.
    private func laterFlags() -> [String] {
        faults.chance(0.15) ? ["--since", "\(5 + faults.below(60))s"] : []
    }

    private func fault() throws {
        let drawn = storm.popLast() ?? faults.pick(weighted: targets)
        let deed = Deed.draw(&faults, for: drawn)
        let startsStorm = faults.chance(Self.stormShare)
        if startsStorm, storm.isEmpty {
            storm = [Target](repeating: faults.chance(0.5) ? .worker("store") : .worker("logs/registry"), count: 6)
            journal.note("a storm over \(storm[0].kind)")
        } else if storm.isEmpty, let group = drawn.fixedGroup {
            guard Clock.seconds - lastHit[group, default: 0] >= Self.fixedSpacing else {
                record.missed += 1
                return
            }
            lastHit[group] = Clock.seconds
        }
        try carryOut(deed, to: drawn)
    }

    private func carryOut(_ deed: Deed, to target: Target) throws {
        let isDone: Bool
        switch target {
        case .parent: isDone = try hitParent(deed)
        case .simulator: isDone = hitSimulator(deed)
        case .worker(let path): isDone = hitWorker(path, deed)
        }
        if isDone { record.note(deed, to: target) } else { record.missed += 1 }
    }

    private func hitParent(_ deed: Deed) throws -> Bool {
        guard let pid = fleet.pid else { return false }
        journal.note("\(deed.words) to the parent, pid \(pid)")
        switch deed {
        case .kill: fleet.killParent(with: SIGKILL)
        case .segfault: fleet.killParent(with: SIGSEGV)
        case .askToStop: fleet.askToStop()
        case .stop(let seconds):
            kill(pid, SIGSTOP)
            wake(after: seconds ?? 1, "the parent, pid \(pid)") { [fleet] in
                if fleet.pid == pid { kill(pid, SIGCONT) }
            }
        }
        // Another parent at once, while the children of the dead one may still be ending.
        try lookAfter()
        return true
    }

    private func hitSimulator(_ deed: Deed) -> Bool {
        guard let pid = simulator.pid else { return false }
        journal.note("\(deed.words) to flysim, pid \(pid)")
        if case .stop(let seconds) = deed {
            simulator.send(SIGSTOP)
            wake(after: seconds ?? 1, "flysim, pid \(pid)") { [simulator] in
                if simulator.pid == pid { simulator.send(SIGCONT) }
            }
        } else {
            simulator.send(SIGKILL)
        }
        return true
    }

    private func hitWorker(_ path: String, _ deed: Deed) -> Bool {
        guard let worker = fleet.workers.first(where: { $0.path == path }) else { return false }
        let identity = worker.identity
        journal.note("\(deed.words) to \(path), pid \(identity.pid)")
        victims.insert(identity.pid)
        switch deed {
        case .kill, .askToStop: return identity.send(SIGKILL)
        case .segfault: return identity.send(SIGSEGV)
        case .stop(let seconds):
            if let seconds { wake(after: seconds, "\(path), pid \(identity.pid)") { identity.send(SIGCONT) } }
            return identity.send(SIGSTOP)
        }
    }

    private func wake(after seconds: Double, _ what: String, _ body: @escaping () -> Void) {
        wakings.append(Waking(time: Clock.seconds + seconds, what: what, wake: body))
    }

    private func changeWeather(to weather: Weather) {
        switch weather.change {
        case .post(let path, let order):
            guard simulator.post(order, to: path) else {
                record.weatherMissed += 1
                return
            }
            journal.note("weather: \(order)")
        case .tokenCommand(let behaviour, let seconds):
            folder.tellTokenCommand(behaviour)
            journal.note("weather: \(weather.name)")
            wake(after: seconds, "the token command") { [folder] in folder.tellTokenCommand("token") }
        }
        record.weather[weather.name, default: 0] += 1
    }
}
