// Which executable a leaf is, what it is told, and which of the parent's environment it sees. Pure but for the pid.

internal import EventLoop
internal import WorkerProtocol

/// How to start one leaf.
struct WorkerLaunchPlan {
    /// The executable's name in the libexec folder.
    var executable: String
    var configurePayload: [UInt8]
    var environment: [(name: String, value: String)]
    /// Descriptors of the parent that the worker gets as 3 and upwards.
    var extraDescriptors: [Int32] = []
}

/// Knows every leaf of the tree.
struct WorkerCatalog {
    /// The executables of a fleet; the last only where it is asked for.
    static func executables(sandbox: Bool) -> [String] {
        ["flyfleet-store", "flyfleet-registry", "flyfleet-tokens", "flyfleet-sink", "flyfleet-streamer"]
            + (sandbox ? ["flysim"] : [])
    }

    private let options: FleetOptions
    private let parentEnvironment: [String: String]
    private let parentPid: Int32
    private let sandboxEpochNs: Int64
    private let outputDescriptor: Int32
    /// Where the sandbox listens, once it said so; it is given the same port again after a restart.
    var sandboxAddress: SandboxAddressRequest.Reply?
    /// Whether the last console died in the middle of something.
    var consoleDiedWithBatches = false
    /// What each sink that keeps a position acknowledged last, by path of the leaf.
    var sinkPositions: [String: String] = [:]
    /// Apps of which a cursor was committed since the fleet began: a Streamer goes on from that.
    var begunApps: Set<String> = []
    /// How far an app's lines were shown again, in ns since 1970, where its Streamer died meanwhile.
    var replayFrom: [String: Int64] = [:]

    init(
        options: FleetOptions, environment: [String: String], parentPid: Int32, sandboxEpochNs: Int64,
        outputDescriptor: Int32
    ) {
        self.options = options
        self.parentEnvironment = environment
        self.parentPid = parentPid
        self.sandboxEpochNs = sandboxEpochNs
        self.outputDescriptor = outputDescriptor
    }

    /// The plan for one start of a leaf.
    ///
    /// - Throws: what JSONEncoder throws; no settings are known to make it.
    func plan(path: String, incarnation: Int) throws -> WorkerLaunchPlan {
        let app = LeafPath.lastComponent(path)
        switch path {
        case LeafPath.sandbox:
            let settings = SandboxSettings(
                apps: options.apps, rate: SandboxTraffic.rate, seed: SandboxTraffic.seed, epochNs: sandboxEpochNs,
                port: sandboxAddress?.port ?? 0)
            return try plan("flysim", .sandbox, path, incarnation, settings)
        case LeafPath.store:
            return try plan(
                "flyfleet-store", .store, path, incarnation, StoreSettings(directory: options.stateDirectory))
        case LeafPath.tokenRegistry, LeafPath.logRegistry:
            return try plan("flyfleet-registry", .registry, path, incarnation, RegistrySettings())
        case LeafPath.tokenTable:
            return try plan("flyfleet-tokens", .table, path, incarnation, TableSettings())
        case LeafPath.console:
            let settings = ConsoleSettings(
                output: options.output, colour: options.colour, isTerminal: options.isTerminal,
                endsTornLine: consoleDiedWithBatches ? true : nil,
                sinceNs: options.fileSinks.isEmpty ? nil : options.sinceNs,
                mergeWindowMs: options.apps.count > 1 ? options.mergeWindowMs : 0, highlight: options.highlight)
            var console = try plan("flyfleet-sink", .console, path, incarnation, settings)
            console.extraDescriptors = [outputDescriptor]
            return console
        case LeafPath.appServer(app):
            return try plan("flyfleet-tokens", .appServer, path, incarnation, appServerSettings(app))
        case LeafPath.streamer(app):
            return try plan("flyfleet-streamer", .streamer, path, incarnation, streamerSettings(app), network: true)
        default:
            guard let sink = fileSink(path) else { preconditionFailure("\(path) is no leaf of the tree") }
            let settings = FileSinkSettings(
                path: sink.path, position: sinkPositions[path], rotateBytes: sink.rotateBytes,
                rotateMs: sink.rotateMs, compression: sink.compression, keep: sink.keep, sync: sink.sync)
            return try plan("flyfleet-sink", .fileSink, path, incarnation, settings)
        }
    }

    /// The file sink at a path of the tree.
    func fileSink(_ path: String) -> FileSinkOptions? {
        for (index, sink) in options.fileSinks.enumerated() where LeafPath.fileSink(index + 1) == path { return sink }
        return nil
    }

    private func plan(
        _ executable: String, _ role: WorkerRole, _ path: String, _ incarnation: Int,
        _ settings: some Codable & Sendable,
        network: Bool = false
    ) throws -> WorkerLaunchPlan {
        let configure = Configure(path: path, incarnation: incarnation, role: role, settings: settings)
        return WorkerLaunchPlan(
            executable: executable, configurePayload: try MessageCoding.encode(configure),
            environment: workerEnvironment(network: network))
    }

    private func streamerSettings(_ app: String) -> StreamerSettings {
        // An explicit beginning is obeyed once; after that the stream goes on from where it is.
        let hasBegun = begunApps.contains(app)
        return StreamerSettings(
            appName: app, dialect: options.dialect, apiURL: sandboxAddress?.url ?? options.apiURL,
            caFile: options.caFile, region: options.region, machine: options.machine,
            pollIntervalMs: options.pollIntervalMs, overlapMs: options.overlapMs,
            sinceNs: hasBegun ? replayFrom[app] : options.sinceNs, untilNs: options.untilNs,
            tail: hasBegun ? nil : options.tail, follow: options.follow, hasKeepers: !options.fileSinks.isEmpty,
            filter: options.filter)
    }

    /// In the sandbox no token of the user's is looked at: the simulator gives out its own.
    private func appServerSettings(_ app: String) -> AppServerSettings {
        var environment = inherited(Self.commandVariables)
        if let directory = options.flyConfigDirectory { environment["FLY_CONFIG_DIR"] = directory }
        if options.sandbox {
            environment["FLYSIM_SEED"] = String(SandboxTraffic.seed)
            let command =
                ["\(options.libexec)/flysim", "fly", "tokens", "create", "readonly", "sandbox", "-n", "flyfleet-{app}"]
                + ["-x", "24h"]
            return AppServerSettings(
                appName: app, environmentToken: nil, configFile: nil, tokenCommand: command, organization: nil,
                commandEnvironment: environment)
        }
        return AppServerSettings(
            appName: app, environmentToken: options.environmentToken,
            configFile: options.flyConfigDirectory.map { "\($0)/config.yml" }, tokenCommand: options.tokenCommand,
            organization: options.organization, commandEnvironment: environment)
    }

    private static let baseVariables = ["HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"]
    private static let networkVariables = [
        "ALL_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "all_proxy", "http_proxy",
        "https_proxy", "no_proxy",
    ]
    private static let commandVariables =
        baseVariables + networkVariables
        + ["FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_ORG", "NO_COLOR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"]

    /// A worker sees what it needs and no secret; a crash must not wait for a backtrace.
    private func workerEnvironment(network: Bool) -> [(name: String, value: String)] {
        var environment = inherited(Self.baseVariables + (network ? Self.networkVariables : []))
        environment["SWIFT_BACKTRACE"] = "enable=no"
        environment["UV_THREADPOOL_SIZE"] = "1"
        environment[WorkerLaunch.parentPidVariable] = String(parentPid)
        return environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    private func inherited(_ names: [String]) -> [String: String] {
        var environment: [String: String] = [:]
        for name in names { environment[name] = parentEnvironment[name] }
        return environment
    }
}
