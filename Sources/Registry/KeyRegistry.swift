// Which worker owns which key: the decision, as a value without I/O.
//
// Invariant: a key has at most one owner, and `keysByPath` is the exact inverse of `owners`. Uniqueness is decided
// here and nowhere else.

/// The keys of one group of workers and who owns them.
package struct KeyRegistry: Sendable {
    /// One start of one worker.
    package struct Owner: Equatable, Sendable {
        /// The leaf's path in the tree.
        package var path: String
        /// Which start of that path.
        package var incarnation: Int

        package init(path: String, incarnation: Int) {
            self.path = path
            self.incarnation = incarnation
        }
    }

    /// What became of a claim.
    package enum Outcome: Equatable, Sendable {
        /// The claimant owns the key now.
        case granted
        /// Somebody else does.
        case alreadyRegistered(Owner)
        /// The registry holds as many keys as it may.
        case full
    }

    /// The most keys held at a time.
    package static let defaultLimit = 100_000
    /// The longest key and the longest path, in bytes.
    package static let maximumTextBytes = 255

    private let limit: Int
    private var owners: [String: Owner] = [:]
    private var keysByPath: [String: Set<String>] = [:]

    package init(limit: Int = KeyRegistry.defaultLimit) {
        self.limit = limit
    }

    /// How many keys are owned.
    package var count: Int { owners.count }

    /// Claims `key`.
    ///
    /// Granted when the key is free, or held by an earlier start of the same path: that one is dead, although its
    /// release has not come yet. The same start may claim again, because a claim whose answer was lost is repeated.
    package mutating func register(key: String, path: String, incarnation: Int) -> Outcome {
        if let owner = owners[key] {
            guard owner.path == path, owner.incarnation <= incarnation else { return .alreadyRegistered(owner) }
        } else if owners.count >= limit {
            return .full
        }
        owners[key] = Owner(path: path, incarnation: incarnation)
        keysByPath[path, default: []].insert(key)
        return .granted
    }

    /// Frees every key that `path` claimed in this start or an earlier one; what a later start claimed stays.
    package mutating func release(path: String, incarnation: Int) {
        guard var keys = keysByPath[path] else { return }
        for key in keys {
            guard let owner = owners[key], owner.incarnation <= incarnation else { continue }
            owners[key] = nil
            keys.remove(key)
        }
        keysByPath[path] = keys.isEmpty ? nil : keys
    }

    /// Who owns `key`, if anybody does.
    package func lookup(_ key: String) -> Owner? { owners[key] }
}
