// Workers of the benchmark that take the product's places, so that a cost can be measured by leaving it out.
//
// Which one a process is follows from how it was started: the executable's name and the folder it lies in. A folder is
// filled with links, to the product's workers and to this program.

import Glibc

/// A folder of workers in which some are stand-ins.
enum StandIn: String {
    /// The parent is asked something all the time: the sink is a ``StallProbe``.
    case stall
    /// Everything is written, nothing is waited for.
    case unwaited
    /// Nothing is written, nothing is waited for.
    case unwritten

    private static let workers = [
        "flyfleet-registry", "flyfleet-sink", "flyfleet-store", "flyfleet-streamer", "flyfleet-tokens",
    ]

    private var executables: [String] {
        self == .stall ? ["flyfleet-sink"] : ["flyfleet-sink", "flyfleet-store"]
    }

    /// Lives as the worker that these arguments name; nil when they name none of ours.
    static func run(_ arguments: [String]) -> Int32? {
        let path = arguments.first?.split(separator: "/").suffix(2).map(String.init) ?? []
        guard arguments.count == 3, arguments[1] == "--worker", path.count == 2 else { return nil }
        guard let place = StandIn(rawValue: path[0]), place.executables.contains(path[1]) else { return nil }
        switch (place, path[1]) {
        case (.stall, _): return StallProbe.run()
        case (_, "flyfleet-store"): return UnwaitedStore.run()
        default: return UnwaitedSink.run(writes: place == .unwaited)
        }
    }

    /// Makes the folder; its path.
    func libexec(in scratch: ScratchFolder, _ programs: Programs) throws(BenchError) -> String {
        let folder = try scratch.folder(rawValue)
        for name in Self.workers {
            let program = executables.contains(name) ? Programs.ownPath() : "\(programs.folder)/\(name)"
            guard let path = realpath(program, nil) else { throw BenchError.system("find \(program)", errno) }
            defer { free(path) }
            guard symlink(path, "\(folder)/\(name)") == 0 else { throw BenchError.system("make \(name)", errno) }
        }
        return folder
    }
}
