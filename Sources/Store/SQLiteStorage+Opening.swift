// How the database file is opened, brought up to date and examined. Nothing here ever deletes a file.
//
// Of a damaged file only the cache of tokens and the history are made anew, and only when what cannot be replaced is
// sound before and after: damaged pages may be claimed by two tables at once.

internal import GRDB
internal import Glibc

extension SQLiteStorage {
    /// Opens, or makes, the database in `directory`.
    ///
    /// Blocks. Not on the loop's thread.
    ///
    /// - Throws: ``StorageError``; with `corrupt` and `newerSchema` the file is as it was.
    package static func open(directory: String) throws(StorageError) -> SQLiteStorage {
        let path = directory + "/" + fileName
        do {
            try prepareFile(path)
            let queue = try DatabaseQueue(path: path, configuration: configuration())
            try queue.writeWithoutTransaction { try prepare($0, path: path) }
            return SQLiteStorage(path: path, queue: queue)
        } catch {
            throw failure(error, path: path)
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = NORMAL;
                    PRAGMA secure_delete = ON;
                    PRAGMA trusted_schema = OFF;
                    """)
        }
        return configuration
    }

    /// Makes the file before SQLite does, so that it is never readable to others, whatever the umask; its journal and
    /// shared memory take over its mode.
    private static func prepareFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw cannotOpen(path, errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw cannotOpen(path, errno) }
    }

    private static func cannotOpen(_ path: String, _ code: Int32) -> StorageError {
        StorageError(
            .cannotOpen,
            "could not open \(path): \(String(cString: strerror(code))); make its directory writable for you")
    }

    /// Examines before it migrates: a file that is refused is left as it is.
    private static func prepare(_ database: Database, path: String) throws {
        try inTransaction(database) { try refuseNewer(database, path: path) }
        // Not in a transaction; a file that is not a database was noticed by the one above.
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        try examine(database, path: path)
        try inTransaction(database) { try Schema.migrate(database) }
    }

    /// - Throws: ``StorageError`` with `newerSchema`.
    static func refuseNewer(_ database: Database, path: String) throws {
        let version = try Schema.version(database)
        guard version > Schema.migrations.count else { return }
        throw StorageError(
            .newerSchema,
            "\(path) was written by a newer flyfleet (schema \(version), this one knows \(Schema.migrations.count)): "
                + "use that flyfleet, or another --state-dir")
    }

    private static func examine(_ database: Database, path: String) throws {
        guard try check(database, "quick_check") != nil else { return }
        try requireIrreplaceable(database, path)
        let present = try Schema.replaceable.filter { try database.tableExists($0.name) }
        let damaged = try present.filter { try check(database, "quick_check(\($0.name))") != nil }
        if !damaged.isEmpty, damaged.count < present.count, try rebuild(damaged, database, path) == nil { return }
        // Not, or not alone, where a table by itself looks damaged: pages may be claimed by both.
        if let damage = try rebuild(present, database, path) { throw StorageError.corrupt(path, damage) }
    }

    /// Makes tables anew.
    ///
    /// - Returns: the damage that is left.
    private static func rebuild(
        _ tables: [(name: String, definition: String)], _ database: Database, _ path: String
    ) throws -> String? {
        try inTransaction(database) {
            for table in tables { try database.execute(sql: Schema.rebuild(table)) }
            try requireIrreplaceable(database, path)
        }
        do {
            // Writes the file anew from what is sound, all or nothing.
            try database.execute(sql: "VACUUM")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return error.message ?? "VACUUM failed"
        }
        return try check(database, "quick_check")
    }

    /// Cursors count as irreplaceable too: without one its app's stream would go on from the newest page.
    private static func requireIrreplaceable(_ database: Database, _ path: String) throws {
        for table in ["manual_tokens", "cursors"] {
            if let damage = try check(database, "quick_check(\(table))") { throw StorageError.corrupt(path, damage) }
        }
    }

    /// What SQLite's check finds wrong first, on one line, if anything; damage may also be what ends the check.
    private static func check(_ database: Database, _ pragma: String) throws -> String? {
        do {
            let finding = try String.fetchOne(database, sql: "PRAGMA \(pragma)") ?? "no answer"
            return finding == "ok" ? nil : finding.split(whereSeparator: \.isNewline).joined(separator: " ")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return error.message ?? "\(pragma) failed"
        }
    }

    private static func inTransaction(_ database: Database, _ body: () throws -> Void) throws {
        try database.inTransaction(.immediate) {
            try body()
            return .commit
        }
    }
}
