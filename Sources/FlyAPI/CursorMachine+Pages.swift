// What a page that was read to its end means: where it ended, whether more is waiting, and what the next request is.

extension CursorMachine {
    /// Takes in a page that was read to its end.
    ///
    /// - Parameter wall: our wall clock, in ns since 1970; only used when the newest page was asked for and empty.
    package mutating func pageRead(_ page: PageSummary, now: Int64, wall: Int64) -> PagePlan {
        noteSize(of: page)
        for time in [page.firstTimestamp, page.latestTimestamp] {
            if let time { precision = min(precision, Self.precision(of: time)) }
        }
        if let latest = page.latest { clock.observe(min(latest, page.servedAt ?? latest), at: now) }
        let began = asked == nil ? beginAtNewest(page, now: now, wall: wall) : nil
        // Only a request without a cursor can have had none.
        guard let asked, let position else { preconditionFailure("a page was read before one was asked for") }
        var plan = PagePlan(next: .afterInterval, pageReached: position.reached, began: began)
        if let suspect {
            // Asked for this nanosecond, a server whose cursors include it repeats it; one that does not repeat it may
            // have had more of it.
            if page.unseenCount == page.entryCount { plan.cut = StreamStart.Gap(from: suspect, to: suspect) }
            self.suspect = nil
        }
        let (end, isTokenGood) = pageEnd(page)
        if page.entryCount > 0, !isTokenGood { doubtfulTokens += 1 }
        if let end {
            plan.pageReached = max(end, page.latest ?? end)
            readOn(page, asked: asked, end: end, now: now, plan: &plan)
        } else if page.entryCount == 0 {
            finish(asked: asked, plan: &plan)
        } else {
            // Entries, and nothing that says of what time: the same again, at once only while it brings something.
            plan.next = page.unseenCount > 0 && page.entryCount >= rules.fullPageEntries ? .atOnce : .afterInterval
            isLookingBack = false
        }
        settleAfter(page, end: end)
        let isShort = page.entryCount < min(largestPage, rules.fullPageEntries)
        plan.isCaughtUp = !isLookingBack && (plan.isEnd || isShort)
        isResting = plan.next == .afterInterval
        return plan
    }

    private mutating func noteSize(of page: PageSummary) {
        if page.entryCount > largestPage {
            (largestPage, largestPages, largestPageEnd) = (page.entryCount, 1, page.latest)
        } else if page.entryCount == largestPage, page.latest != largestPageEnd {
            (largestPages, largestPageEnd) = (largestPages + 1, page.latest)
        }
    }

    /// Whether the largest page so far was as large as pages get, and not just all there was.
    private var isSizeKnown: Bool { largestPage >= rules.fullPageEntries || largestPages > 1 }

    /// Where a page ended: its token, when that is near its last entry; otherwise that entry's time.
    ///
    /// Tokens may be finer than the times shown, so they are preferred as long as the last entry's time may be theirs,
    /// rounded; any other would skip lines or repeat them for ever.
    private func pageEnd(_ page: PageSummary) -> (LogCursor?, isTokenGood: Bool) {
        guard page.entryCount > 0 else { return (nil, true) }
        guard case .cursor(let token) = page.nextToken else { return (page.latest, page.nextToken == .absent) }
        guard let latest = page.latest else { return (token, true) }
        let distance = token > latest ? token.nanoseconds - latest.nanoseconds : latest.nanoseconds - token.nanoseconds
        return distance < precision ? (token, true) : (latest, false)
    }

    /// How finely a time is shown, as far as its trailing zeros tell, in ns.
    private static func precision(of time: Int64) -> UInt64 {
        var precision: Int64 = 1
        while precision < 1_000_000_000, time % (1000 * precision) == 0 { precision *= 1000 }
        return UInt64(precision)
    }

    /// Where reading begins with the newest page: in front of its first line; of an empty one, a day ago.
    private mutating func beginAtNewest(_ page: PageSummary, now: Int64, wall: Int64) -> StreamPosition {
        let day: UInt64 = 86_400_000_000_000
        let first = page.firstTimestamp.flatMap { $0 >= 0 ? LogCursor(time: $0) : nil }
        // An empty newest page says that there is no line of the last 24 h by the server's clock. A place in the past
        // by our own clock is behind every line to come, even with a clock that is wrong by less than a day.
        let dayAgo = LogCursor(time: wall).rewound(nanoseconds: day)
        var start = (first ?? page.latest).map { min($0, page.latest ?? $0).previous }
        // And if nothing is on it but what is dated ahead, all others are still to come.
        if let servedAt = page.servedAt, let ahead = start, ahead > servedAt.advanced(nanoseconds: Self.clockDoubt) {
            start = nil
        }
        let place = StreamPosition(at: start ?? dayAgo)
        begin(at: place, evidence: start == nil ? place.settled : nil, now: askedAt)
        asked = place.settled
        return place
    }

    private mutating func readOn(
        _ page: PageSummary, asked: LogCursor, end: LogCursor, now: Int64, plan: inout PagePlan
    ) {
        let frontierBefore = frontier
        let isFull = page.entryCount >= rules.fullPageEntries
        var onward = end.previous
        if onward <= asked, isFull, page.unseenCount == 0, let latest = page.latest {
            // A token that stands still while the entries go on.
            onward = max(onward, latest.previous)
        }
        // A server may have smaller pages than the API's: a moment with as many lines as any page had may go on.
        let mayGoOn = isFull || page.entryCount >= max(largestPage, Self.leastCutPage)
        let isNews = page.unseenCount > 0 || page.latest.map { $0 > latestSeen ?? LogCursor(nanoseconds: 0) } ?? true
        if onward > asked {
            // Full or not, a page may have been cut by a server whose pages are small. Its last nanosecond may go on
            // behind it, and counts as read with the next page.
            coverage.read(from: asked, to: onward, askedAt: askedAt)
            request = onward
            plan.next = isNews && (isFull || isLookingBack && onward < frontierBefore) ? .atOnce : .afterInterval
            steppedBefore = false
            if isLookingBack { endLookBack(at: onward, frontierBefore: frontierBefore, now: now, plan: &plan) }
        } else if mayGoOn, page.unseenCount > 0 {
            stay(page, asked: asked, end: max(end, page.latest ?? end), plan: &plan)
        } else if mayGoOn {
            // However it is read, a full page is no end of the log: what lies behind it was not asked for.
            guard !step(page, asked: asked, end: end, plan: &plan) else { return }
            if isFull { isLookingBack = false } else { finish(asked: asked, plan: &plan) }
        } else if page.unseenCount > 0 {
            isLookingBack = false
        } else {
            finish(asked: asked, plan: &plan)
        }
    }

    /// A full page with something new that did not move the cursor: the same again, or the nanosecond it ended in.
    private mutating func stay(_ page: PageSummary, asked: LogCursor, end: LogCursor, plan: inout PagePlan) {
        plan.next = .atOnce
        if end == asked.next {
            suspect = page.entryCount >= largestPage && isSizeKnown ? end : nil
            nanosecondSteps += 1
            request = end
            floor = max(floor, end)
        }
    }

    /// A full page with nothing new that did not move the cursor is stepped over, one nanosecond at a time, if it ends
    /// where it was asked for; a page of something else altogether is no reason to.
    ///
    /// - Returns: whether a step was made.
    private mutating func step(_ page: PageSummary, asked: LogCursor, end: LogCursor, plan: inout PagePlan) -> Bool {
        let end = max(end, page.latest ?? end)
        guard end == asked || end == asked.next else { return false }
        // A server that was seen to put more on a page has not cut this one.
        let mayBeCut = page.entryCount >= largestPage && isSizeKnown
        if end == asked {
            // The next moment that can be told from this one: by the token, or by the times shown.
            let hasToken = page.nextToken == .cursor(end)
            let next = end.advanced(nanoseconds: hasToken ? 1 : precision)
            if mayBeCut { plan.cut = StreamStart.Gap(from: end, to: next.previous) }
            request = next
        } else {
            suspect = mayBeCut ? end : nil
            request = end
        }
        nanosecondSteps += 1
        floor = max(floor, request ?? floor)
        coverage.read(from: asked, to: request, askedAt: askedAt)
        // A server that echoes whatever cursor it is asked for would be stepped after for ever.
        plan.next = steppedBefore ? .afterInterval : .atOnce
        steppedBefore = true
        return true
    }

    /// Nothing new, and nothing behind it: the log ends here.
    private mutating func finish(asked: LogCursor, plan: inout PagePlan) {
        coverage.read(from: asked, to: nil, askedAt: askedAt)
        plan.isEnd = true
        request = nil
        steppedBefore = false
        isLookingBack = false
    }

    /// A look back ends where reading had been; or before, when it has settled what can be settled, or takes so long
    /// that new lines would wait for it.
    private mutating func endLookBack(
        at onward: LogCursor, frontierBefore: LogCursor, now: Int64, plan: inout PagePlan
    ) {
        if onward >= frontierBefore {
            isLookingBack = false
        } else if let goal = lookBackGoal,
            onward >= goal || now - lookedBackAt > Int64(clamping: rules.overlap / 4)
        {
            isLookingBack = false
            request = frontierBefore
            plan.next = .atOnce
        }
    }

    private mutating func settleAfter(_ page: PageSummary, end: LogCursor?) {
        if let latest = page.latest { latestSeen = latest }
        settle(reached: end ?? LogCursor(nanoseconds: 0))
        if rules.overlap == 0, let position, !isLookingBack, horizon == nil {
            coverage.giveUp(through: min(position.reached.previous, frontier))
            settle(reached: position.reached)
        }
        guard let position else { return }
        // Behind the settled place nothing is remembered: only a replay goes there.
        if let request, request >= position.settled { startsEarlier = false }
        let least = isLookingBack ? (startsEarlier ? asked : position.settled) : frontier
        request = max(request ?? frontier, least ?? frontier)
        if isLookingBack, let request, request >= frontier { isLookingBack = false }
    }
}
