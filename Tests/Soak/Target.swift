// Whom a fault may hit.

/// A process of the fleet, its parent, or the API.
enum Target: Hashable {
    case worker(String)
    case parent
    case simulator

    /// Its kind, for the report.
    var kind: String {
        switch self {
        case .parent: "parent"
        case .simulator: "flysim"
        case .worker(let path):
            if path.hasPrefix("logs/streamers/") {
                "streamers"
            } else if path.hasPrefix("tokens/servers/") {
                "app servers"
            } else if path.hasPrefix("sinks/file") {
                "file sinks"
            } else {
                path
            }
        }
    }

    /// The group whose limit of 3 restarts in 5 s no flag raises; nil for the others.
    var fixedGroup: String? {
        switch self {
        case .worker("store"): "root"
        case .worker("tokens/registry"), .worker("tokens/table"): "tokens"
        case .worker("logs/registry"): "logs"
        default: nil
        }
    }

    /// All targets of a run, each with how often it is hit compared with the others.
    static func all(apps: [String], sinks: Int) -> [(weight: Double, element: Target)] {
        let count = Double(apps.count)
        var targets: [(weight: Double, element: Target)] = []
        targets += apps.map { (6 / count, .worker("logs/streamers/\($0)")) }
        targets += apps.map { (3 / count, .worker("tokens/servers/\($0)")) }
        targets += (0..<sinks).map { (3 / Double(sinks), .worker("sinks/file-\($0 + 1)")) }
        targets += [
            (1, .worker("sinks/console")), (2, .worker("store")), (0.7, .worker("tokens/registry")),
            (0.7, .worker("tokens/table")), (0.7, .worker("logs/registry")), (1.5, .parent), (1, .simulator),
        ]
        return targets
    }
}

/// What is done to a target.
enum Deed: Equatable {
    case kill
    case segfault
    /// SIGSTOP, and SIGCONT after so many seconds; nil leaves it to the heartbeat.
    case stop(Double?)
    /// SIGTERM, to the parent alone.
    case askToStop

    /// For the report.
    var name: String {
        switch self {
        case .kill: "SIGKILL"
        case .segfault: "SIGSEGV"
        case .stop(nil): "SIGSTOP for good"
        case .stop: "SIGSTOP"
        case .askToStop: "SIGTERM"
        }
    }

    /// For the journal.
    var words: String {
        if case .stop(let seconds?) = self { return "SIGSTOP for \(Int(seconds * 1000)) ms" }
        return name
    }

    static func draw(_ draws: inout Draws, for target: Target) -> Deed {
        let pause = draws.spread(0.1, 20)
        let drawn = draws.unit()
        switch target {
        case .parent:
            if drawn < 0.5 { return .kill }
            if drawn < 0.6 { return .segfault }
            return drawn < 0.8 ? .askToStop : .stop(min(pause, 8))
        case .simulator: return drawn < 0.7 ? .kill : .stop(min(pause, 8))
        case .worker:
            if drawn < 0.55 { return .kill }
            if drawn < 0.7 { return .segfault }
            return drawn < 0.95 ? .stop(pause) : .stop(nil)
        }
    }
}
