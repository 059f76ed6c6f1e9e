// The walk of an acquisition through the sources behind the table, and its two ends.

internal import WorkerProtocol

extension TokenChain {
    mutating func begin(refreshing token: Token?) -> [Action] {
        acquisition = Acquisition(refreshing: token)
        return [.askStorage]
    }

    mutating func storageAnswered(
        _ answer: Result<StoredTokensRequest.Reply, SkipReason>, _ nowMs: Int64
    ) -> [Action] {
        guard let current = acquisition else { return [] }
        acquisition?.stored = try? answer.get()
        // A refresh wants a token that lives longer than the one it has.
        if current.refreshing == nil, case .success(let stored) = answer, let cached = stored.cached,
            isGood(cached, nowMs), !isOutdated(cached)
        {
            return succeed(cached, isNew: false)
        }
        let cached = answer.map(\.cached)
        if case .success(let token?) = cached, isGood(token, nowMs) {
            skip("store", isOutdated(token) ? "the environment names another token now" : "its token is to be replaced")
        } else {
            skip("store", note(cached, nowMs))
        }
        return tryEnvironment(nowMs)
    }

    /// A cached copy of the environment's token ends with the setting it came from.
    private func isOutdated(_ cached: Token) -> Bool {
        cached.source == .environment && cached.value != sources.environmentToken.flatMap(TokenText.normalized)
    }

    private mutating func tryEnvironment(_ nowMs: Int64) -> [Action] {
        let reason = SkipReason("neither FLY_ACCESS_TOKEN nor FLY_API_TOKEN is set")
        let text = sources.environmentToken.map { Result<String, SkipReason>.success($0) } ?? .failure(reason)
        if let token = candidate(.environment, "environment", text, nowMs) { return succeed(token) }
        if sources.hasConfigFile { return [.readConfigFile] }
        skip("config file", "there is none to read")
        return tryCommand(nowMs)
    }

    mutating func tryCommand(_ nowMs: Int64) -> [Action] {
        if sources.hasCommand { return [.runCommand] }
        skip("command", "there is none to run")
        return tryManual(nowMs)
    }

    mutating func tryManual(_ nowMs: Int64) -> [Action] {
        let text: Result<String, SkipReason>
        switch acquisition?.stored {
        case nil: text = .failure(SkipReason("the store was not reachable"))
        case let stored?: text = stored.manual.map { .success($0.value) } ?? .failure(SkipReason("none is set"))
        }
        if let token = candidate(.manual, "manual", text, nowMs) { return succeed(token) }
        return giveUp(nowMs)
    }

    /// The token a source gave, or nil and a note why it is of no use.
    mutating func candidate(
        _ source: TokenSource, _ name: String, _ text: Result<String, SkipReason>, _ nowMs: Int64
    ) -> Token? {
        switch text {
        case .failure(let reason):
            skip(name, reason.text)
            return nil
        case .success(let text):
            guard let value = TokenText.normalized(text) else {
                skip(name, "what it gives is not a token")
                return nil
            }
            let life = TokenLife.ofSource(source)
            let token = Token(value: value, source: source, expiresAtMs: nowMs + life, acquiredAtMs: nowMs)
            guard !isRejected(token, nowMs) else {
                skip(name, "it still gives the token the API refused")
                return nil
            }
            return token
        }
    }

    private mutating func skip(_ name: String, _ reason: String) {
        acquisition?.notes.append("\(name): \(reason)")
    }

    /// Ends the acquisition with a token.
    ///
    /// One set by hand is not cached: whoever takes it back wants it gone.
    mutating func succeed(_ token: Token, isNew: Bool = true) -> [Action] {
        let callers = waiting
        waiting = []
        acquisition = nil
        var actions: [Action] = [.putTable(token)]
        if isNew, token.source != .manual { actions.append(.persist(token)) }
        return actions + callers.map { .reply(caller: $0, token) } + arm(token)
    }

    /// Ends the acquisition without a token.
    private mutating func giveUp(_ nowMs: Int64) -> [Action] {
        guard let ended = acquisition else { return [] }
        let callers = waiting
        waiting = []
        acquisition = nil
        guard let old = ended.refreshing else { return callers.map { .fail(caller: $0, failure(ended)) } }
        let reasons = ended.notes.joined(separator: "; ")
        var actions: [Action] = [.log("could not refresh the token of \(sources.appName): \(reasons)")]
        // The old token serves on until its end, unless it was refused meanwhile.
        guard isGood(old, nowMs) else {
            armed = nil
            return actions + callers.map { .fail(caller: $0, failure(ended)) }
        }
        actions += callers.map { .reply(caller: $0, old) }
        return actions + arm(old, atMs: TokenLife.retryTime(expiresAtMs: old.expiresAtMs, nowMs: nowMs))
    }

    private func failure(_ ended: Acquisition) -> Failure {
        let reasons = ([tableNote] + ended.notes).joined(separator: "; ")
        return Failure(
            .noToken,
            "no token for \(sources.appName) (\(reasons)): "
                + "check that the app exists, set FLY_ACCESS_TOKEN, or run `fly auth login`")
    }
}
