// Which sinks a fleet has, as its relay sees them. Pure.

extension LeafPath {
    /// The group of the sinks.
    package static let sinks = "sinks"
}

extension FleetTree {
    /// The sinks of a fleet, in the order of ``sinkPaths(_:)``.
    static func relaySinks(_ options: FleetOptions) -> [RelaySink] {
        let console = RelaySink(path: LeafPath.console, name: nil, isLive: options.consoleIsLive)
        let files = options.fileSinks.enumerated().map { index, sink in
            RelaySink(path: LeafPath.fileSink(index + 1), name: sink.path, isLive: false)
        }
        return [console] + files
    }
}
