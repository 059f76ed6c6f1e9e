// The shared cache of tokens, as a value without a clock.
//
// Invariant: what `get` gives has not expired at the time it is told; `bytes` is the sum of the secrets' lengths and
// never above the limit.

package import WorkerProtocol

/// Tokens by app, bounded in number and in bytes.
package struct TokenTable: Sendable {
    /// What the table may hold.
    package struct Limits: Sendable {
        package var apps = 100_000
        /// Of secrets, all together.
        package var bytes = 64 * 1024 * 1024

        package init() {}

        package init(apps: Int, bytes: Int) {
            self.apps = apps
            self.bytes = bytes
        }
    }

    private let limits: Limits
    private var tokens: [String: Token] = [:]
    private var bytes = 0

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// How many apps have a token here, expired or not.
    package var count: Int { tokens.count }

    /// The app's token, unless it expired; then it is dropped.
    ///
    /// - Parameter nowMs: Unix time in ms.
    package mutating func get(_ appName: String, nowMs: Int64) -> Token? {
        guard let token = tokens[appName] else { return nil }
        guard token.expiresAtMs > nowMs else {
            remove(appName)
            return nil
        }
        return token
    }

    /// Keeps `token` in place of what the app had.
    ///
    /// - Returns: false when the table is full even without what has expired; then nothing changed for the app but
    ///   that its former token is gone.
    package mutating func put(_ appName: String, _ token: Token, nowMs: Int64) -> Bool {
        remove(appName)
        if !hasRoom(for: token) { dropExpired(nowMs) }
        guard hasRoom(for: token) else { return false }
        tokens[appName] = token
        bytes += token.value.utf8.count
        return true
    }

    /// Drops the app's token if it has this fingerprint; another one stays.
    package mutating func forget(_ appName: String, fingerprint: String) {
        if tokens[appName]?.fingerprint == fingerprint { remove(appName) }
    }

    private func hasRoom(for token: Token) -> Bool {
        tokens.count < limits.apps && bytes + token.value.utf8.count <= limits.bytes
    }

    private mutating func remove(_ appName: String) {
        guard let token = tokens.removeValue(forKey: appName) else { return }
        bytes -= token.value.utf8.count
    }

    private mutating func dropExpired(_ nowMs: Int64) {
        for (appName, token) in tokens where token.expiresAtMs <= nowMs { remove(appName) }
    }
}
