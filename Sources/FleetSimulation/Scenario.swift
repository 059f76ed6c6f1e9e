// The given facts of a run: which tree, under which settings, for how long the faults last and how it is stopped. Half
// of the runs have the real fleet's tree, the others random ones with every strategy.

internal import Fleet
internal import Supervision

/// What a run begins with.
struct Scenario {
    /// How the run ends.
    enum Ending {
        /// Stopped while the faults go on.
        case inChaos(atMs: Int64)
        /// Stopped when the faults have ceased and the fleet has recovered.
        case recovered
        /// Killed with everybody in it.
        case parentKilled(atMs: Int64)
    }

    let isFleet: Bool
    let apps: [String]
    let machine: FleetMachine.Settings
    /// Every duration is a multiple of this; a coarse one makes things happen at the same moment.
    let grainMs: Int64
    /// No fault before the tree was up for the first time: a failed first start ends a run early.
    let isCalmAtFirst: Bool
    let chaosMs: Int64
    let ending: Ending
    /// How late a notification may be, in ms.
    let latestMs: Int64
    let hasBatches: Bool
    /// How many files there are beside the console, and whether the console only looks on.
    let files: Int
    let consoleIsLive: Bool
    /// The driver hands the machine an answer in the middle of carrying out orders.
    let answersAtOnce: Bool

    init(_ random: inout SimulationRandom, _ sites: inout FaultSites) {
        isFleet = random.chance(50)
        let isLarge = isFleet && sites.happens(.manyApps, &random, percent: 2)
        grainMs = random.chance(60) ? 1 : random.pick([50, 250, 500])
        apps = isFleet ? (0..<(isLarge ? 200 : random.between(1, 5))).map { "app-\($0)" } : []
        files = isFleet && !isLarge ? random.pick([0, 1, 1, 2]) : 0
        consoleIsLive = files > 0 && random.chance(30)
        chaosMs = isLarge ? 1_000 : Int64(random.between(500, 10_000))
        isCalmAtFirst = random.chance(80)
        let heartbeat = Self.heartbeat(&random)
        if isFleet {
            machine = Self.fleet(apps, files, heartbeat, &random)
        } else {
            machine = Self.randomTree(heartbeat, &random)
        }
        // What a heartbeat and a start timeout can bear: otherwise nothing would ever be well.
        let patience = [heartbeat.map { $0.limitMs - $0.intervalMs }, machine.supervision.startTimeoutMilliseconds]
        latestMs = patience.compactMap { $0 }.map { $0 / 3 }.reduce(1_200, min)
        answersAtOnce = random.chance(75)
        hasBatches = isFleet && !isLarge && random.chance(50)
        if machine.supervision.startTimeoutMilliseconds == nil { sites.remove(.neverReady) }
        let isKilled = hasBatches && sites.happens(.parentIsKilled, &random, percent: 50)
        let stopsInStart = sites.happens(.stoppedInStart, &random, percent: 30)
        if isKilled {
            ending = .parentKilled(atMs: Int64(random.between(100, Int(chaosMs))))
        } else if stopsInStart {
            ending = .inChaos(atMs: Int64(random.between(0, 250)))
        } else if sites.happens(.stoppedInChaos, &random, percent: 40) {
            ending = .inChaos(atMs: Int64(random.between(250, Int(chaosMs))))
        } else {
            ending = .recovered
        }
    }

    /// The console first.
    var sinkPaths: [String] { [LeafPath.console] + (0..<files).map { LeafPath.fileSink($0 + 1) } }

    private static func heartbeat(_ random: inout SimulationRandom) -> FleetOptions.Heartbeat? {
        guard random.chance(75) else { return nil }
        let interval = Int64(random.pick([500, 1_000, 2_000, 5_000]))
        return FleetOptions.Heartbeat(intervalMs: interval, limitMs: interval * Int64(random.between(2, 4)))
    }

    private static func supervision(_ random: inout SimulationRandom) -> SupervisionSettings {
        let cap = Int64(random.between(300, 3_000))
        return SupervisionSettings(
            backoff: random.chance(60)
                ? BackoffSettings(initialMilliseconds: Int64(random.between(20, 200)), capMilliseconds: cap) : nil,
            startTimeoutMilliseconds: random.chance(85) ? Int64(random.between(500, 4_000)) : nil,
            stopGraceMilliseconds: Int64(random.between(100, 3_000)), countsRestartTime: random.chance(30))
    }

    private static func settings(
        _ spec: SupervisorSpec, _ root: String, _ heartbeat: FleetOptions.Heartbeat?, _ random: inout SimulationRandom
    ) -> FleetMachine.Settings {
        var settings = FleetMachine.Settings(
            spec: spec, rootName: root, supervision: supervision(&random), heartbeat: heartbeat, seed: random.next())
        settings.spawnsPerTurn = random.between(1, 8)
        settings.drainMs = Int64(random.between(20, 600))
        return settings
    }

    // MARK: the fleet

    /// The options of an ordinary fleet, parsed once: parsing is not what is tested here.
    private static let options: FleetOptions = {
        var values = OptionValues()
        values.add(flag: .apps, "app")
        values.add(flag: .sink, "file:/one\nfile:/two")
        let surroundings = OptionSurroundings(
            environment: ["HOME": "/"], executableDirectory: "/", isTerminal: false, nowNs: 0)
        do {
            return try FleetOptions(values, surroundings)
        } catch {
            preconditionFailure("the options of the simulated fleet: \(error)")
        }
    }()

    private static func fleet(
        _ apps: [String], _ files: Int, _ heartbeat: FleetOptions.Heartbeat?, _ random: inout SimulationRandom
    ) -> FleetMachine.Settings {
        var options = options
        options.apps = apps
        options.fileSinks = Array(options.fileSinks.prefix(files))
        options.sandbox = random.chance(20)
        options.intensity = RestartIntensity(
            maxRestarts: random.between(2, 20), maxSeconds: random.between(1, 60),
            clock: random.chance(80) ? .exact : .wholeSeconds)
        return settings(FleetTree.specification(options), LeafPath.root, heartbeat, &random)
    }

    // MARK: random trees

    private static func randomTree(
        _ heartbeat: FleetOptions.Heartbeat?, _ random: inout SimulationRandom
    ) -> FleetMachine.Settings {
        var leavesLeft = 12
        let root = supervisor(levels: 2, leavesLeft: &leavesLeft, &random)
        return settings(root, "top", heartbeat, &random)
    }

    private static func supervisor(
        levels: Int, leavesLeft: inout Int, _ random: inout SimulationRandom
    ) -> SupervisorSpec {
        let isDynamic = random.chance(25)
        var spec = SupervisorSpec(
            strategy: isDynamic ? .oneForOne : random.pick(Strategy.allCases),
            intensity: RestartIntensity(
                maxRestarts: random.pick([0, 1, 2, 3, 5, 10]), maxSeconds: random.between(1, 5),
                clock: random.chance(70) ? .exact : .wholeSeconds),
            autoShutdown: random.chance(80) ? .never : random.pick(AutoShutdown.allCases), dynamic: isDynamic)
        for index in 0..<random.between(1, 4) where leavesLeft > 0 {
            let restart: RestartType = random.chance(75) ? .permanent : random.pick(RestartType.allCases)
            var child = ChildSpec(
                id: "c\(index)", restart: restart,
                significant: restart != .permanent && spec.autoShutdown != .never && random.chance(50))
            if levels > 0, random.chance(35) {
                child.kind = .supervisor(
                    supervisor(levels: levels - 1, leavesLeft: &leavesLeft, &random))
                if random.chance(15) { child.shutdown = random.pick([.brutalKill, .grace(milliseconds: 700)]) }
            } else {
                leavesLeft -= 1
                if random.chance(30) {
                    child.shutdown = random.pick(
                        [.brutalKill, .grace(milliseconds: 0), .grace(milliseconds: 501), .infinity])
                }
            }
            spec.children.append(child)
        }
        return spec
    }
}
