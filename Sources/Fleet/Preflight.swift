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
    /// Looks for the workers' executables and the certificate file.
    ///
    /// - Throws: ``PreflightError`` for the first that is missing.
    package static func check(_ options: FleetOptions) throws(PreflightError) {
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
        if let file = options.caFile, access(file, R_OK) != 0 {
            let reason = String(cString: strerror(errno))
            throw PreflightError(
                exitCode: errno == ENOENT ? 66 : 69, description: "cannot read --ca-file \(file): \(reason)")
        }
    }

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
