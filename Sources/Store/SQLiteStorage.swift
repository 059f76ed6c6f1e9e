// Storage in one SQLite file. Opening is in SQLiteStorage+Opening.swift.
//
// The journal is a WAL with synchronous NORMAL: a crash of any process loses nothing, and a power loss may take back
// the last commits, never half of one. What a commit of cursors, memory and positions says is already safe elsewhere, and
// all of it is of one moment, so one that was taken back only makes lines be fetched, and files be cut, again. A cached
// token that was taken back is acquired again. A token set by hand is not replaceable, so its commit is followed by a
// checkpoint, which waits for the disk. Exits that were taken back are missing from the history.

internal import GRDB
internal import Glibc
internal import Synchronization
internal import WorkerProtocol

/// Keeps cursors, memory, positions, tokens and the history of exits in a database file.
package final class SQLiteStorage: Storage {
    /// The database's name in the state directory.
    package static let fileName = "flyfleet.sqlite"
    /// How long a lock of another process is waited for, in seconds: a dying predecessor may hold it for some ms.
    static let busyTimeoutSeconds = 5.0

    let path: String
    let queue: DatabaseQueue
    private let lock: StoreLock
    private let index: Mutex<MemoryIndex>

    init(path: String, queue: DatabaseQueue, lock: StoreLock, index: MemoryIndex) {
        self.path = path
        self.queue = queue
        self.lock = lock
        self.index = Mutex(index)
    }

    package func perform(_ batch: [StorageOperation]) -> [Result<StorageAnswer, StorageError>] {
        do {
            return try performTogether(batch).map { .success($0) }
        } catch  where batch.count > 1 {
            // One of them cannot be done; alone, each finds out whether it is the one.
            return batch.map { operation in
                Result { try performTogether([operation])[0] }.mapError { failure($0, path: path) }
            }
        } catch {
            return [.failure(failure(error, path: path))]
        }
    }

    /// Carries out a batch in one transaction, or else nothing of it.
    private func performTogether(_ batch: [StorageOperation]) throws -> [StorageAnswer] {
        do {
            return try performInTransaction(batch)
        } catch let error as DatabaseError where error.isLackOfRoom {
            // The log holds many pages over and over: moved into the database they take less, and the log begins anew.
            queue.inDatabase { try? Self.checkpoint($0) }
            return try performInTransaction(batch)
        }
    }

    private func performInTransaction(_ batch: [StorageOperation]) throws -> [StorageAnswer] {
        let writes = batch.contains { $0.isWrite }
        return try queue.writeWithoutTransaction { database in
            let deletesTokens = batch.contains(where: \.deletesTokens)
            if deletesTokens { try database.execute(sql: Self.erasingPragma) }
            defer { if deletesTokens { try? database.execute(sql: Self.sparingPragma) } }
            var answers: [StorageAnswer] = []
            var index = self.index.withLock { $0 }
            try database.inTransaction(writes ? .immediate : .deferred) {
                answers = try batch.map { try Self.perform($0, &index, database) }
                return .commit
            }
            self.index.withLock { $0 = index }
            if batch.contains(where: \.needsCheckpoint) { try Self.checkpoint(database) }
            return answers
        }
    }

    /// What is deleted is overwritten wherever it lies: for tokens.
    private static let erasingPragma = "PRAGMA secure_delete = ON"
    /// What is deleted is overwritten only on pages that are written anyway.
    ///
    /// Whole pages of identities, which are no secret, are not: that wrote up to 80 % more.
    static let sparingPragma = "PRAGMA secure_delete = FAST"

    /// Moves the log into the database and empties it, waiting for the disk.
    ///
    /// After `forget` too: until then the old pages, secret and all, stay in the log.
    private static func checkpoint(_ database: Database) throws {
        _ = try Row.fetchAll(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }

    private static func perform(
        _ operation: StorageOperation, _ index: inout MemoryIndex, _ database: Database
    ) throws -> StorageAnswer {
        switch operation {
        case .cursor(let appName):
            return try cursor(of: appName, index, database)
        case .commit(let payload, let atMs):
            try commit(payload, atMs: atMs, &index, database)
            return .done
        case .sinkPosition(let sink):
            return try sinkPosition(sink, database)
        case .placeSink(let sink, let position, let atMs):
            try place(sink, position, atMs: atMs, database)
            return .done
        case .tokens(let appName):
            // A cache that names a source this build does not know is a cache miss; what was set by hand is a token.
            let cached = try token(of: appName, in: .cached, database)
            let manual = try token(of: appName, in: .manual, database)
            return .tokens(cached: cached, manual: manual)
        case .putToken(let appName, let slot, let token):
            try database.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO \(slot.tableName)
                        (app_name, value, source, fingerprint, expires_at_ms, acquired_at_ms) VALUES (?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                appName, token.value, token.source.rawValue, token.fingerprint, token.expiresAtMs, token.acquiredAtMs,
            ])
            return .done
        case .forgetToken(let appName, let fingerprint):
            try database.cachedStatement(sql: "DELETE FROM cached_tokens WHERE app_name = ? AND fingerprint = ?")
                .execute(arguments: [appName, fingerprint])
            return .done
        case .recordExits(let records, let run):
            try record(records, run: run, database)
            return .done
        case .exits(let path, let before, let limit):
            return .exits(try exits(path: path, before: before, limit: limit, database))
        }
    }

    private static func token(
        of appName: String, in slot: StoreTokenRequest.Slot, _ database: Database
    ) throws -> Token? {
        let statement = try database.cachedStatement(
            sql: "SELECT value, source, expires_at_ms, acquired_at_ms FROM \(slot.tableName) WHERE app_name = ?")
        guard let row = try Row.fetchOne(statement, arguments: [appName]) else { return nil }
        let source = TokenSource(rawValue: row[1]) ?? (slot == .manual ? .manual : nil)
        guard let source else { return nil }
        return Token(value: row[0], source: source, expiresAtMs: row[2], acquiredAtMs: row[3])
    }
}

extension StorageOperation {
    /// Whether a token may be deleted, or another take its place.
    fileprivate var deletesTokens: Bool {
        switch self {
        case .putToken, .forgetToken: true
        default: false
        }
    }

    fileprivate var needsCheckpoint: Bool {
        switch self {
        case .putToken(_, .manual, _), .forgetToken: true
        default: false
        }
    }
}

extension StoreTokenRequest.Slot {
    fileprivate var tableName: String {
        switch self {
        case .cached: "cached_tokens"
        case .manual: "manual_tokens"
        }
    }
}

extension DatabaseError {
    /// Whether a disk is full or a file may not grow.
    fileprivate var isLackOfRoom: Bool {
        resultCode == .SQLITE_FULL || extendedResultCode == .SQLITE_IOERR_WRITE
    }
}

/// SQLite's error in the store's words.
///
/// The statement's arguments are never part of it.
func failure(_ error: any Error, path: String) -> StorageError {
    if let error = error as? StorageError { return error }
    guard let error = error as? DatabaseError else { return StorageError(.unavailable, "\(path): \(type(of: error))") }
    let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
        return .corrupt(path, reason)
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
        return StorageError(
            .cannotOpen, "could not open \(path): \(reason); make it and its directory readable and writable for you")
    case .SQLITE_FULL:
        return StorageError(.unavailable, "could not write \(path): the disk is full; free some space")
    case .SQLITE_IOERR where error.isLackOfRoom:
        return StorageError(
            .unavailable, "could not write \(path): \(reason); look at its disk and at the limits of file sizes")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
        return StorageError(.unavailable, "\(path) is locked by another process; end it or wait")
    default:
        return StorageError(.unavailable, "could not use \(path): \(reason)")
    }
}

extension StorageError {
    static func cannotOpen(_ path: String, _ code: Int32) -> StorageError {
        StorageError(
            .cannotOpen,
            "could not open \(path): \(String(cString: strerror(code))); make its directory writable for you")
    }

    static func corrupt(_ path: String, _ reason: String) -> StorageError {
        StorageError(
            .corrupt,
            "\(path) is damaged (\(reason)), and tokens set by hand may be in it, so it is left as it is: "
                + "move it away or restore a copy, then start again")
    }
}
