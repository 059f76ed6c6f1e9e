// The tree of a fleet: which supervisors there are, in which order, under which limits. Pure.
//
// Order is dependence: what stands lower needs what stands above it, so it starts later and stops earlier.

package import Supervision

/// The paths of the leaves that exist once.
package enum LeafPath {
    package static let root = "flyfleet"
    package static let sandbox = "sandbox"
    package static let store = "store"
    package static let tokenRegistry = "tokens/registry"
    package static let tokenTable = "tokens/table"
    package static let appServers = "tokens/servers"
    package static let console = "sinks/console"
    package static let logRegistry = "logs/registry"
    package static let streamers = "logs/streamers"

    /// The path of a file sink; they count from 1 in the order given.
    package static func fileSink(_ number: Int) -> String { "sinks/file-\(number)" }

    /// The path of an app's AppServer.
    package static func appServer(_ app: String) -> String { "\(appServers)/\(app)" }

    /// The path of an app's Streamer.
    package static func streamer(_ app: String) -> String { "\(streamers)/\(app)" }

    /// The last word of a path: the app, for an AppServer or a Streamer.
    package static func lastComponent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}

/// Builds the tree of a fleet.
package enum FleetTree {
    /// The limit of the fixed supervisors: Elixir's default, 3 restarts in 5 s.
    package static let fixedIntensity = RestartIntensity(maxRestarts: 3, maxSeconds: 5)

    /// The specification of the root.
    package static func specification(_ options: FleetOptions) -> SupervisorSpec {
        var children: [ChildSpec] = []
        if options.sandbox { children.append(ChildSpec(id: "sandbox")) }
        children.append(ChildSpec(id: "store"))
        children.append(
            supervisor(
                "tokens", .restForOne, fixedIntensity,
                [
                    ChildSpec(id: "registry"), ChildSpec(id: "table"),
                    dynamicGroup("servers", options, declared: []),
                ]))
        let sinks = sinkPaths(options).map { ChildSpec(id: LeafPath.lastComponent($0)) }
        children.append(supervisor("sinks", .oneForOne, options.intensity, sinks))
        children.append(
            supervisor(
                "logs", .restForOne, fixedIntensity,
                [ChildSpec(id: "registry"), dynamicGroup("streamers", options, declared: options.apps)]))
        return SupervisorSpec(strategy: .oneForOne, intensity: fixedIntensity, children: children)
    }

    /// The paths of all sinks, the console first.
    package static func sinkPaths(_ options: FleetOptions) -> [String] {
        [LeafPath.console] + options.fileSinks.indices.map { LeafPath.fileSink($0 + 1) }
    }

    /// The specification of an AppServer, which is added when its app first needs it.
    package static func appServer(_ app: String) -> ChildSpec { ChildSpec(id: app) }

    private static func supervisor(
        _ id: String, _ strategy: Strategy, _ intensity: RestartIntensity, _ children: [ChildSpec]
    ) -> ChildSpec {
        ChildSpec(
            id: id, kind: .supervisor(SupervisorSpec(strategy: strategy, intensity: intensity, children: children)))
    }

    private static func dynamicGroup(_ id: String, _ options: FleetOptions, declared: [String]) -> ChildSpec {
        ChildSpec(
            id: id,
            kind: .supervisor(
                SupervisorSpec(
                    strategy: .oneForOne, intensity: options.intensity,
                    // A Streamer that is through with a finite run is not wanted again.
                    children: declared.map { ChildSpec(id: $0, restart: options.isFinite ? .transient : .permanent) },
                    dynamic: true)))
    }
}
