// How the database file is opened, brought up to date and examined. Nothing here ever deletes a file.
//
// Of a damaged file only the cache of tokens and the history are made anew, and only when what cannot be replaced is
// sound before and after: damaged pages may be claimed by two tables at once.

internal import GRDB
internal import Glibc

extension SQLiteStorage {
    /// Bytes of a page of a database that is made; one that exists keeps its own.
    ///
    /// Commits change a few rows here and there, and each writes a whole page.
    private static let pageBytes = 1024
    /// Bytes in the log from which on it is moved into the database.
    private static let logBytes = 4 * 1024 * 1024

    /// Opens, or makes, the database in `directory`, once no other store has it any more.
    ///
    /// Blocks. Not on the loop's thread.
    ///
    /// - Throws: ``StorageError``; with `corrupt` and `newerSchema` the file is as it was.
    package static func open(directory: String) throws(StorageError) -> SQLiteStorage {
        try open(directory: directory, patience: StoreLock.patience)
    }

    /// Opens with a patience of its own for a dying predecessor.
    package static func open(directory: String, patience: Duration) throws(StorageError) -> SQLiteStorage {
        let path = directory + "/" + fileName
        do {
            try prepareFile(path)
            let lock = try StoreLock(besides: path, patience: patience)
            let queue = try DatabaseQueue(path: path, configuration: configuration())
            let index = try queue.writeWithoutTransaction { database in
                try prepare(database, path: path)
                return try memoryIndex(database)
            }
            return SQLiteStorage(path: path, queue: queue, lock: lock, index: index)
        } catch {
            throw failure(error, path: path)
        }
    }

    /// Lets the database have so many pages and no more, as a full disk does.
    ///
    /// For tests.
    package func limitPages(_ count: Int) {
        try? queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = \(count)") }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA page_size = \(pageBytes);
                    PRAGMA synchronous = NORMAL;
                    \(sparingPragma);
                    PRAGMA trusted_schema = OFF;
                    """)
        }
        return configuration
    }

    /// Makes the file before SQLite does, so that it is never readable to others, whatever the umask; its journal and
    /// shared memory take over its mode.
    private static func prepareFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StorageError.cannotOpen(path, errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw StorageError.cannotOpen(path, errno) }
    }

    /// Examines before it migrates: a file that is refused is left as it is.
    private static func prepare(_ database: Database, path: String) throws {
        try inTransaction(database) { try refuseNewer(database, path: path) }
        // Not in a transaction; a file that is not a database was noticed by the one above.
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        let pageBytes = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? pageBytes
        try database.execute(sql: "PRAGMA wal_autocheckpoint = \(logBytes / pageBytes)")
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

    private static func requireIrreplaceable(_ database: Database, _ path: String) throws {
        let version = try Schema.version(database)
        for table in Schema.irreplaceable where table.version <= version {
            guard try database.tableExists(table.name) else {
                throw StorageError.corrupt(path, "the table \(table.name) is missing")
            }
            if let damage = try check(database, "quick_check(\(table.name))") {
                throw StorageError.corrupt(path, damage)
            }
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
