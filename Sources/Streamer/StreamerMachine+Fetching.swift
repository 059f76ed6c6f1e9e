// What follows a fetch: the next one, a pause, or another token; and what people are told of it.

package import FlyAPI
internal import WorkerProtocol

extension StreamerMachine {
    /// A page was read to its end.
    ///
    /// - Parameters:
    ///   - page: what the cursor rules need to know of it.
    ///   - batches: the batches made of its new entries, in order.
    ///   - open: identities that are in no batch yet.
    ///   - times: for a probe, the times of its entries.
    /// - Returns: the next fetch, or the pause before it, stands before the sending: the connection is kept busy.
    package mutating func pageRead(
        _ page: PageSummary, batches: [BatchSummary] = [], open: Int = 0, times: [Int64] = [], now: StreamMoment
    ) -> [StreamerEffect] {
        guard phase == .fetching else { return [] }
        tokenIsFresh = false
        fetchBackoff.succeeded()
        refusedBackoff.succeeded()
        unauthorizedBackoff.succeeded()
        let recovery = flows()
        if tail != nil { return recovery + probed(page, times: times, now: now) }
        let plan = cursors.pageRead(page, now: now.monotonic, wall: now.wall)
        var sending: [StreamerEffect] = []
        if let began = plan.began { sending.append(sendPosition(began, now: now)) }
        if let cut = plan.cut { sending += tellLimit(cut) }
        let reached = min(plan.pageReached, settings.rules.until ?? plan.pageReached)
        sending += send(batches, open: open, pageReached: reached, now: now)
        let replayEnds = endReplay(plan)
        return recovery + next(plan, hasNews: page.unseenCount > 0, now: now) + sending + replayEnds + end(now: now)
    }

    /// A fetch brought no page, or one that broke off; entries read before the break are in `batches`.
    ///
    /// - Parameter reached: no entry of the page that broke off is later; nil where nothing is known.
    package mutating func fetchFailed(
        _ problem: StreamProblem, batches: [BatchSummary] = [], open: Int = 0, reached: LogCursor? = nil,
        now: StreamMoment
    ) -> [StreamerEffect] {
        guard phase == .fetching else { return [] }
        // Genuine entries of a page that broke off go out without moving the cursor: they come again, and are dropped.
        guard let position else {
            // Where reading begins is not known yet, so none of them may go out: they come again.
            let identities = batches.reduce(open) { $0 + $1.identities }
            return (identities > 0 ? [.forget(identities)] : []) + follow(problem, now: now)
        }
        let sending = sendParts(batches, open: open, reached: max(position.reached, reached ?? position.reached))
        return sending + follow(problem, now: now)
    }

    private mutating func next(_ plan: PagePlan, hasNews: Bool, now: StreamMoment) -> [StreamerEffect] {
        if isComplete(plan, now: now) {
            phase = .completing
            return []
        }
        switch plan.next {
        case .atOnce: return take(.fetch, now: now)
        case .afterInterval where !settings.follow && hasNews:
            return take(.fetch, now: now)
        case .afterInterval: return wait(settings.pollIntervalMs, then: .fetch)
        }
    }

    private mutating func follow(_ problem: StreamProblem, now: StreamMoment) -> [StreamerEffect] {
        switch problem {
        case .status(.unauthorized, _) where !tokenIsFresh, .token where !tokenIsFresh:
            // An expired token is no news: another one is asked for, and the fetch tried again at once.
            return take(.resolveToken(rejected: true), now: now)
        case .status(.unauthorized, _), .token:
            return say(problem, pause: pause(\.unauthorizedBackoff, problem), then: .resolveToken(rejected: true))
        case .status(.forbidden, _), .status(.notFound, _), .status(.unexpected, _):
            return say(problem, pause: pause(\.refusedBackoff, problem), then: .fetch)
        case .status, .transport, .page, .registry, .store:
            return say(problem, pause: pause(\.fetchBackoff, problem), then: .fetch)
        }
    }

    /// A question to another worker failed: it is asked again.
    mutating func retry(_ problem: StreamProblem, _ step: Step) -> [StreamerEffect] {
        var backoff = \StreamerMachine.controlBackoff
        // Whoever said that there is no token will not have one in a moment.
        if case .token(let failure) = problem, failure.code == .noToken { backoff = \.refusedBackoff }
        return say(problem, pause: pause(backoff, problem), then: step)
    }

    /// It works: said once, when it did not before.
    mutating func flows() -> [StreamerEffect] {
        controlBackoff.succeeded()
        guard saidProblem != nil, phase == .fetching else { return [] }
        saidProblem = nil
        return [.log("reading the logs of app \(settings.app.text) works again")]
    }

    private mutating func pause(
        _ backoff: WritableKeyPath<StreamerMachine, FetchBackoff>, _ problem: StreamProblem
    ) -> Int64 {
        var pauses = self[keyPath: backoff]
        let pause = pauses.failed(retryAfter: problem.retryAfter, using: &generator)
        self[keyPath: backoff] = pauses
        return pause.components.seconds * 1000 + pause.components.attoseconds / 1_000_000_000_000_000
    }

    private mutating func say(_ problem: StreamProblem, pause: Int64, then step: Step) -> [StreamerEffect] {
        var effects: [StreamerEffect] = []
        if problem.key != saidProblem {
            saidProblem = problem.key
            let sentence = problem.sentence(app: settings.app, dialect: settings.dialect)
            effects.append(.log("\(sentence); trying again in \(Self.text(pause))"))
        }
        return effects + wait(pause, then: step)
    }

    mutating func wait(_ milliseconds: Int64, then step: Step) -> [StreamerEffect] {
        phase = .waiting(then: step)
        return [.arm(milliseconds: milliseconds)]
    }

    private static func text(_ milliseconds: Int64) -> String {
        milliseconds < 1000 ? "\(milliseconds) ms" : "\((milliseconds + 500) / 1000) s"
    }
}
