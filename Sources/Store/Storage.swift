// What the store can do, apart from how: operations in, answers out. SQLite in the product, memory in tests.
//
// Invariant: operations of one batch take effect in their order, and an answer is given only once the operation's
// effect is committed. Of two writes of one thing the last wins: a commit whose answer was lost comes again.

package import Framing
package import WorkerProtocol

/// One thing to do in the store.
package enum StorageOperation: Equatable, Sendable {
    /// Reads an app's committed cursor and memory.
    case cursor(appName: String)
    /// Commits positions, cursors and memory, all or none.
    case commit(CommitPayload, atMs: Int64)
    /// Reads where a sink stood when it was last committed, and whether something was committed without it since.
    case sinkPosition(sink: String)
    /// Commits a sink's position by itself.
    case placeSink(sink: String, position: String, atMs: Int64)
    /// Reads an app's tokens.
    case tokens(appName: String)
    /// Keeps a token in one of the two slots.
    case putToken(appName: String, slot: StoreTokenRequest.Slot, token: Token)
    /// Deletes the cached token if it has this fingerprint.
    case forgetToken(appName: String, fingerprint: String)
    /// Adds exits to the history, but for those that are in it; the oldest past ``HistoryLimits`` go.
    case recordExits([ExitRecord], run: String)
    /// Reads the history, newest first: of one leaf or of all, older than an id.
    case exits(path: String?, before: Int64?, limit: Int)

    /// Whether it changes anything.
    package var isWrite: Bool {
        switch self {
        case .cursor, .sinkPosition, .tokens, .exits: false
        case .commit, .placeSink, .putToken, .forgetToken, .recordExits: true
        }
    }
}

/// What an operation gave.
package enum StorageAnswer: Equatable, Sendable {
    /// The memory's chunks come oldest first.
    case cursor(String?, memory: [CommitPayload.Chunk])
    case sinkPosition(String?, missedCommits: Bool)
    case tokens(cached: Token?, manual: Token?)
    case exits([StoredExit])
    case done
}

/// How much of the history of exits is kept.
///
/// A leaf's bound is far below the whole, so that one that crashes in a loop does not push out what others left.
package enum HistoryLimits {
    /// The most exits in all.
    package static let exits = 10_000
    /// The most exits of one leaf; more than one request holds, so that a repeated one finds what it recorded.
    package static let exitsPerPath = 200
}

/// Why the store could not do something.
///
/// Never holds a token.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// What cannot be rebuilt cannot be read: somebody has to decide.
        case corrupt
        /// A newer flyfleet wrote the database.
        case newerSchema
        /// The file cannot be opened at all.
        case cannotOpen
        /// Another process holds the database, or the disk is full or failing: it may work later.
        case unavailable
        /// It would be over a limit, now and later.
        case refused
    }

    package let code: Code
    /// One sentence: what is wrong, with what, and what to do.
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Where cursors, memory, positions, tokens and the history of exits are kept.
///
/// Calls may come from any thread, one at a time, and may block.
package protocol Storage: Sendable {
    /// Carries out a batch in order; the answers come in the same order, one an operation.
    ///
    /// The batch shares one commit where it can; an operation that cannot be done does not keep the others from it.
    func perform(_ batch: [StorageOperation]) -> [Result<StorageAnswer, StorageError>]
}
