// How an app's token is found: table, store, environment, config file, command, manual override; the first that has one
// wins. A value without clock or I/O: what happened goes in, what to do comes out. The steps are in
// TokenChain+Steps.swift.
//
// Invariant: at most one question to the table and at most one acquisition are under way; every caller stands in exactly
// one of `lookingUp` and `waiting` and is answered once. No reason and no log line holds a secret.

package import WorkerProtocol

/// Why a source gave no token; half a sentence for people, without any secret.
package struct SkipReason: Error, Equatable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }
}

/// The token chain of one app.
package struct TokenChain: Sendable {
    /// What the chain is told about its app once and for all.
    package struct Sources: Sendable {
        package var appName: String
        /// Text of the environment's token, as it was found there.
        package var environmentToken: String?
        /// Whether there is a config file to look into.
        package var hasConfigFile: Bool
        /// Whether there is a command to run.
        package var hasCommand: Bool

        package init(appName: String, environmentToken: String?, hasConfigFile: Bool, hasCommand: Bool) {
            self.appName = appName
            self.environmentToken = environmentToken
            self.hasConfigFile = hasConfigFile
            self.hasCommand = hasCommand
        }
    }

    /// What happened.
    package enum Input: Equatable, Sendable {
        /// Somebody needs a token, and may have had one refused, named by its fingerprint.
        case resolve(caller: UInt32, rejected: String?)
        case tableAnswered(Result<Token?, SkipReason>)
        case storageAnswered(Result<StoredTokensRequest.Reply, SkipReason>)
        /// The text of the file's token, or why there is none.
        case configFileRead(Result<String, SkipReason>)
        /// The text of the token the command printed, or why there is none.
        case commandEnded(Result<String, SkipReason>)
        /// The time of the last ``Action/armRefresh(atMs:)`` came, or an earlier one.
        case timeReached
    }

    /// What to do about it, in order.
    package enum Action: Equatable, Sendable {
        case askTable
        case askStorage
        case readConfigFile
        case runCommand
        case putTable(Token)
        /// Keeps it in the store's cache; if that fails it is logged and nothing more.
        case persist(Token)
        case forgetInTable(fingerprint: String)
        case forgetInStorage(fingerprint: String)
        case reply(caller: UInt32, Token)
        case fail(caller: UInt32, Failure)
        /// Gives ``Input/timeReached`` at this time, in ms since 1970, in place of any time before.
        case armRefresh(atMs: Int64)
        case disarmRefresh
        case log(String)
    }

    /// The most callers that wait at a time.
    package static let mostCallers = 1000
    /// The most refused tokens that are remembered; the oldest gives way.
    static let mostRejections = 32

    struct Rejection {
        let fingerprint: String
        let untilMs: Int64
    }

    /// A walk through the sources behind the table.
    struct Acquisition {
        /// The token whose successor is sought ahead of time; nil when a caller has none.
        var refreshing: Token?
        var stored: StoredTokensRequest.Reply?
        /// What each source gave so far, in the order of the chain.
        var notes: [String] = []
    }

    let sources: Sources
    var lookingUp: [UInt32] = []
    var waiting: [UInt32] = []
    var tableNote = "table: not asked"
    var acquisition: Acquisition?
    var rejections: [Rejection] = []
    /// The token in use, and when its successor is sought, in ms since 1970.
    var armed: (token: Token, atMs: Int64)?

    package init(_ sources: Sources) {
        self.sources = sources
    }

    /// Takes what happened and says what to do.
    ///
    /// - Parameter nowMs: Unix time in ms.
    package mutating func handle(_ input: Input, nowMs: Int64) -> [Action] {
        switch input {
        case .resolve(let caller, let rejected):
            return resolve(caller, rejected: rejected, nowMs)
        case .tableAnswered(let answer):
            return tableAnswered(answer, nowMs)
        case .storageAnswered(let answer):
            return storageAnswered(answer, nowMs)
        case .configFileRead(let text):
            guard acquisition != nil else { return [] }
            if let token = candidate(.config, "config file", text, nowMs) { return succeed(token) }
            return tryCommand(nowMs)
        case .commandEnded(let text):
            guard acquisition != nil else { return [] }
            if let token = candidate(.command, "command", text, nowMs) { return succeed(token) }
            return tryManual(nowMs)
        case .timeReached:
            return timeReached(nowMs)
        }
    }

    private mutating func resolve(_ caller: UInt32, rejected: String?, _ nowMs: Int64) -> [Action] {
        var actions: [Action] = []
        if let rejected { actions += reject(rejected, nowMs) }
        guard lookingUp.count + waiting.count < Self.mostCallers else {
            let failure = Failure(.unavailable, "\(Self.mostCallers) callers wait for a token already: ask again")
            return actions + [.fail(caller: caller, failure)]
        }
        if lookingUp.isEmpty { actions.append(.askTable) }
        lookingUp.append(caller)
        return actions
    }

    private mutating func reject(_ fingerprint: String, _ nowMs: Int64) -> [Action] {
        rejections.removeAll { $0.fingerprint == fingerprint || $0.untilMs <= nowMs }
        if rejections.count == Self.mostRejections { rejections.removeFirst() }
        rejections.append(Rejection(fingerprint: fingerprint, untilMs: nowMs + TokenLife.rejectionMs))
        var actions: [Action] = [
            .forgetInTable(fingerprint: fingerprint), .forgetInStorage(fingerprint: fingerprint),
        ]
        if armed?.token.fingerprint == fingerprint {
            armed = nil
            actions.append(.disarmRefresh)
        }
        return actions
    }

    private mutating func tableAnswered(_ answer: Result<Token?, SkipReason>, _ nowMs: Int64) -> [Action] {
        let callers = lookingUp
        lookingUp = []
        if case .success(let token?) = answer, isGood(token, nowMs) {
            return callers.map { .reply(caller: $0, token) } + arm(token)
        }
        tableNote = "table: " + note(answer, nowMs)
        waiting += callers
        return acquisition == nil && !waiting.isEmpty ? begin(refreshing: nil) : []
    }

    private mutating func timeReached(_ nowMs: Int64) -> [Action] {
        guard let armed, acquisition == nil else { return [] }
        return nowMs < armed.atMs ? [.armRefresh(atMs: armed.atMs)] : begin(refreshing: armed.token)
    }

    /// Sees to it that the successor of the token in use is sought in time.
    mutating func arm(_ token: Token) -> [Action] {
        guard armed?.token != token, acquisition == nil else { return [] }
        return arm(token, atMs: TokenLife.refreshTime(of: token))
    }

    mutating func arm(_ token: Token, atMs: Int64) -> [Action] {
        armed = (token, atMs)
        return [.armRefresh(atMs: atMs)]
    }

    /// Whether a token can be handed out.
    func isGood(_ token: Token, _ nowMs: Int64) -> Bool {
        token.expiresAtMs > nowMs && !isRejected(token, nowMs)
    }

    func isRejected(_ token: Token, _ nowMs: Int64) -> Bool {
        let fingerprint = token.fingerprint
        return rejections.contains { $0.fingerprint == fingerprint && $0.untilMs > nowMs }
    }

    /// Why a kept token was of no use.
    func note(_ answer: Result<Token?, SkipReason>, _ nowMs: Int64) -> String {
        switch answer {
        case .failure(let reason): reason.text
        case .success(nil): "it has none"
        case .success(let token?):
            isRejected(token, nowMs) ? "the API refused the one it has" : "the one it has is expired"
        }
    }
}
