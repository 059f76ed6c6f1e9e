// What must be there before the first process starts: better one clear line now than a crash loop later.

internal import Glibc

/// A thing the fleet needs and does not find.
package struct PreflightError: Error, CustomStringConvertible {
    /// 66, 69 or 73.
    package let exitCode: Int32
    package let description: String
}

/// Checks made before a fleet starts.
package enum Preflight {
    /// Looks for the workers' executables, the certificate file, and descriptors for all workers.
    ///
    /// - Throws: ``PreflightError`` for the first that is missing.
    package static func check(_ options: FleetOptions) throws(PreflightError) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            try checkDescriptors(
                apps: options.apps.count, sinks: options.fileSinks.count, allowed: UInt64(limit.rlim_cur))
        }
        for name in WorkerCatalog.executables(sandbox: options.sandbox) {
            let path = "\(options.libexec)/\(name)"
            guard access(path, X_OK) == 0 else {
                let reason = String(cString: strerror(errno))
                throw PreflightError(
                    exitCode: 69,
                    description: "cannot run the worker \(path): \(reason); build it, or name its folder with --libexec"
                )
            }
        }
        for sink in options.fileSinks { try checkFolder(of: sink.path) }
        if let file = options.caFile, access(file, R_OK) != 0 {
            let code = errno
            let reason = String(cString: strerror(code))
            throw PreflightError(
                exitCode: code == ENOENT ? 66 : 69,
                description: "cannot read --ca-file \(file): \(reason); name a PEM file, or leave it out")
        }
    }

    /// Looks at the folder that a sink's file lies in; the file itself is its sink's business.
    private static func checkFolder(of path: String) throws(PreflightError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        guard access(folder.isEmpty ? "/" : folder, W_OK | X_OK) != 0 else { return }
        let code = errno
        throw PreflightError(
            exitCode: code == ENOENT || code == ENOTDIR ? 66 : 73,
            description: "cannot write --sink file:\(path): \(folder): \(String(cString: strerror(code))); "
                + "make the folder, or name another file")
    }

    /// Compares what the processes of a fleet take, three pipes and a pidfd each, with what may be opened.
    ///
    /// - Throws: ``PreflightError`` when they are too few: the fleet would give up while it starts.
    static func checkDescriptors(apps: Int, sinks: Int = 0, allowed: UInt64) throws(PreflightError) {
        let workers = 2 * apps + sinks + fixedWorkers
        let needed = UInt64(4 * workers + ownDescriptors)
        guard allowed < needed else { return }
        throw PreflightError(
            exitCode: 69,
            description: "\(apps) apps need \(needed) open files and \(allowed) are allowed: raise the limit with "
                + "'ulimit -n \(needed)', or stream fewer apps")
    }

    /// Sandbox, store, two registries, token table, console.
    private static let fixedWorkers = 6
    /// The loop's, the standard ones, state and events, and the pipes of a process that is just being started.
    private static let ownDescriptors = 24

    /// Opens the events file, if one was asked for.
    ///
    /// - Throws: ``PreflightError`` when it cannot be written.
    package static func openEvents(_ options: FleetOptions) throws(PreflightError) -> Int32? {
        guard let path = options.events else { return nil }
        guard let descriptor = EventJournal.open(path) else {
            let reason = String(cString: strerror(errno))
            throw PreflightError(
                exitCode: 73, description: "cannot write the events file \(path): \(reason); name another with --events"
            )
        }
        return descriptor
    }
}
