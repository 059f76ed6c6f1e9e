// runsv and s6-supervise, each with one service of ours, for comparison in the same minutes on the same machine.

import Glibc

/// A supervisor from the system's packages.
struct OtherSupervisor {
    let name: String
    /// The Debian package that has it.
    let package: String
    /// What ends it and its service.
    let stopSignal: Int32
    /// Whether a service can tell it that it is ready.
    let takesReadiness: Bool

    static let all = [
        OtherSupervisor(name: "runsv", package: "runit", stopSignal: SIGTERM, takesReadiness: false),
        OtherSupervisor(name: "s6-supervise", package: "s6", stopSignal: SIGTERM, takesReadiness: true),
    ]

    /// Starts it with each kind of child; nil when it is not installed.
    func contenders() throws -> [any RestartContender]? {
        guard let program = Programs.find(name) else { return nil }
        return try ServiceChild.allCases.map { child in
            try ServiceContender(program, of: self, child: child)
        }
    }
}

/// What is being supervised.
enum ServiceChild: CaseIterable {
    /// This program: linked like a worker, so its start costs what a worker's start costs.
    case swift
    /// The lightest that a system has: what remains is the supervisor's own time.
    case shell

    var words: String {
        switch self {
        case .swift: "a Swift child"
        case .shell: "a /bin/sh child"
        }
    }

    /// Makes the service's `run`.
    func install(_ path: String) throws(BenchError) {
        switch self {
        case .swift:
            // Started under the name `run`, this program is the child; a script before it would cost a start more.
            guard symlink(Programs.ownPath(), path) == 0 else { throw BenchError.system("make \(path)", errno) }
        case .shell:
            let readiness = SupervisedChild.readiness
            try writeFile(
                path,
                "#!/bin/sh\necho $$ >\(SupervisedChild.sign)\n[ ! -e \(readiness.file) ] || echo >&\(readiness.descriptor)\n"
                    + "exec sleep 600\n", mode: 0o700)
        }
    }
}

/// One service under one supervisor.
final class ServiceContender: RestartContender {
    let name: String
    private(set) var aliveSinceNs: Int64 = 0
    private let scratch: ScratchFolder
    private let signs: LineReader
    private let process: LaunchedProcess
    private let stopSignal: Int32
    private var child: Int32 = 0

    /// Starts the service and waits for its first sign.
    init(_ program: String, of supervisor: OtherSupervisor, child: ServiceChild) throws {
        name = "\(supervisor.name), \(child.words)"
        stopSignal = supervisor.stopSignal
        scratch = try ScratchFolder()
        signs = try scratch.fifo(SupervisedChild.sign, keptOpen: true)
        try child.install("\(scratch.path)/run")
        if supervisor.takesReadiness {
            let readiness = SupervisedChild.readiness
            try scratch.file(readiness.file, "\(readiness.descriptor)\n")
        }
        let path = getenv("PATH").map { "PATH=\(String(cString: $0))" }
        process = try LaunchedProcess(
            program, [scratch.path], environment: [path].compactMap { $0 },
            streams: .init(input: nil, output: nil, error: STDERR_FILENO), directory: scratch.path)
        try awaitSign()
    }

    private func awaitSign() throws {
        let deadline = monotonicNs() + Latency.patienceSeconds * 1_000_000_000
        guard let line = try signs.next(until: deadline), let pid = Int32(line.text), pid > 1 else {
            let ending = process.ending.map { ": \($0)" } ?? ""
            throw BenchError(exitCode: 69, "\(name): no sign of its child within \(Latency.patienceSeconds) s\(ending)")
        }
        child = pid
        aliveSinceNs = line.arrivedNs
    }

    func killAndAwait() throws -> Int64 {
        let killed = monotonicNs()
        kill(child, SIGKILL)
        try awaitSign()
        return aliveSinceNs - killed
    }

    func stop() {
        process.stop(signal: stopSignal, graceMs: 3_000)
    }

    deinit { stop() }
}
