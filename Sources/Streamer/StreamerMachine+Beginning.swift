// Where reading begins: at what is committed, where people want to, or at the newest page; and what people see again.

internal import FlyAPI
internal import WorkerProtocol

extension StreamerMachine {
    /// How the page under way is to be taken.
    package var pageOrder: PageOrder {
        var order = PageOrder()
        if tail != nil {
            order.isProbe = true
            return order
        }
        order.until = settings.rules.until
        order.replay = replay
        order.horizon = cursors.horizon
        if cursors.isLookingBack { order.lateThrough = cursors.position?.reached }
        return order
    }

    /// The store told what is committed.
    mutating func begin(
        at committed: StreamPosition?, loaded: [LoadedChunk], now: StreamMoment
    ) -> [StreamerEffect] {
        let effects = flows()
        ledger.load(loaded, reached: committed?.reached ?? LogCursor(nanoseconds: 0))
        sentFirstKept = ledger.firstKept
        self.committed = committed
        // The parent says where people want to begin only to the process that shall do so; the others go on.
        if let tail = settings.tail {
            self.tail = TailSearch(lines: tail, wall: now.wall)
            return effects + take(.askToken, now: now)
        }
        return effects + begin(since: settings.sinceNs.map { LogCursor(time: $0) }, now: now)
            + take(.askToken, now: now)
    }

    /// Reading begins now that everything is known which decides where.
    mutating func begin(since: LogCursor?, now: StreamMoment) -> [StreamerEffect] {
        defer { committed = nil }
        switch (committed, since) {
        case (nil, nil):
            // The newest page will show.
            return []
        case (.some(let committed), nil):
            return goOn(from: committed, now: now)
        case (.some(let committed), .some(let since)) where settings.hasKeepers:
            guard since < committed.reached else { return goOn(from: committed, now: now) }
            replay = PageOrder.Replay(since: since, settled: committed.settled)
            return goOn(from: committed, start: since.previous, now: now)
        case (_, .some(let since)):
            // In front of it, for a server whose cursors are exclusive.
            let place = StreamPosition(at: since.previous)
            let forgotten = ledger.forgetAll()
            cursors.begin(at: place, evidence: evidence(of: place, now: now), now: now.monotonic)
            return (forgotten > 0 ? [.forget(forgotten)] : []) + [sendPosition(now: now)]
        }
    }

    private mutating func goOn(
        from committed: StreamPosition, start: LogCursor? = nil, now: StreamMoment
    ) -> [StreamerEffect] {
        let begin = StreamStart(committed: committed, now: now.wall)
        // What was reached may be the time of a line that is dated ahead.
        cursors.begin(at: begin.position, from: start, evidence: committed.settled, now: now.monotonic)
        guard let gap = begin.gap else {
            sent = committed
            return []
        }
        // The gap's line and the place behind it are committed together: it is told once.
        return [notice(.gap(.retention(gap)), position: begin.position, now: now)]
    }

    /// A time that the server's clock has passed, without any line of it: ours may be wrong, but not by a day.
    private func evidence(of place: StreamPosition, now: StreamMoment) -> LogCursor {
        min(place.settled, LogCursor(time: now.wall).rewound(nanoseconds: 86_400_000_000_000))
    }

    /// A page of the search for the newest lines was read.
    mutating func probed(_ page: PageSummary, times: [Int64], now: StreamMoment) -> [StreamerEffect] {
        guard var search = tail else { return [] }
        let step = search.pageRead(page, times: times, now: now)
        tail = search
        switch step {
        case .readOn(let next):
            return next == .atOnce ? take(.fetch, now: now) : wait(settings.pollIntervalMs, then: .fetch)
        case .again:
            return [.endReplay] + take(.fetch, now: now)
        case .found(let since):
            tail = nil
            return [.endReplay] + begin(since: since, now: now) + take(.fetch, now: now)
        }
    }

    /// Ends the replay once it has come to where reading had been.
    mutating func endReplay(_ plan: PagePlan) -> [StreamerEffect] {
        guard replay != nil, !cursors.isLookingBack || plan.isEnd else { return [] }
        replay = nil
        return [.endReplay]
    }
}
