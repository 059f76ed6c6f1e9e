// The history of exits as a stranger reads it: beside a running store or without one, never writing to the database.
//
// Each page is read in a transaction of its own. A reader that stands still between two, as in a pager, must not hold
// up the checkpoints of the store.

internal import GRDB
internal import Glibc
internal import WorkerProtocol

/// Why the history cannot be shown.
package struct HistoryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 64, 66, 69 or 78.
    package let exitCode: Int32
    /// One sentence: what is wrong, with what, and what to do.
    package let description: String

    /// An exit code as in sysexits, and the sentence.
    package init(_ exitCode: Int32, _ description: String) {
        self.exitCode = exitCode
        self.description = description
    }
}

/// Reads the exits in a state directory.
struct HistoryReader {
    private let path: String
    /// nil where the database is older than the history.
    private let queue: DatabaseQueue?

    /// - Throws: ``HistoryError`` where there is no database, or none that can be read.
    init(directory: String) throws(HistoryError) {
        path = directory + "/" + SQLiteStorage.fileName
        guard access(directory, F_OK) == 0 else {
            throw HistoryError(66, "\(directory): \(Self.lastReason); name the state directory of a fleet")
        }
        guard access(path, F_OK) == 0 else {
            throw HistoryError(66, "\(path): \(Self.lastReason); no fleet was started on this state directory yet")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: Self.configuration())
            let version = try queue.read { [path] database in
                try SQLiteStorage.refuseNewer(database, path: path)
                return try Schema.version(database)
            }
            self.queue = version >= Schema.historyVersion ? queue : nil
        } catch {
            throw Self.failure(error, path)
        }
    }

    /// The exits before an id, newest first.
    func page(path leaf: String?, before: Int64?, limit: Int) throws(HistoryError) -> [StoredExit] {
        guard let queue else { return [] }
        do {
            return try queue.read {
                try SQLiteStorage.exits(path: leaf, before: before, limit: limit, $0)
            }
        } catch {
            throw Self.failure(error, path)
        }
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(SQLiteStorage.busyTimeoutSeconds)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA trusted_schema = OFF") }
        return configuration
    }

    private static var lastReason: String { String(cString: strerror(errno)) }

    private static func failure(_ error: any Error, _ path: String) -> HistoryError {
        let error = Store.failure(error, path: path)
        switch error.code {
        case .corrupt:
            return HistoryError(
                78, "\(path) is damaged; 'flyfleet start' mends what it can and says what to do about the rest")
        case .newerSchema:
            return HistoryError(78, error.description)
        case .cannotOpen, .unavailable, .refused:
            return HistoryError(69, error.description)
        }
    }
}
