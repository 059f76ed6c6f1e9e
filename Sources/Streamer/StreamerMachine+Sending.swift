// What goes out: batches with their cursor and their chunk of memory, places without lines, and notices.
//
// A commit takes any prefix of what was sent. So a batch carries the oldest chunk needed with the settled time that is
// committed with it: in the middle of a page that is the one of the page before. Invariant: cursor and memory of every
// prefix fit, and no remembered entry is later than what was reached.

internal import FlyAPI
internal import WorkerProtocol

extension StreamerMachine {
    /// A position that only moved over entries left out is sent this often, in ns.
    static let quietPositionInterval: Int64 = 5_000_000_000
    /// And one of an app that says nothing, each time it has moved this far, in ns: the store must not take a log
    /// without lines for one that was not read.
    static let idlePositionDistance: UInt64 = 3_600_000_000_000
    /// Identities of entries left out that may wait for a batch.
    static let mostOpen = 4096
    private static let mostToldLimits = 64

    /// Sends a page's batches; the last one carries the position, if that moved.
    mutating func send(
        _ batches: [BatchSummary], open: Int, pageReached: LogCursor, now: StreamMoment
    ) -> [StreamerEffect] {
        var outgoing = self.outgoing(batches, open: open, reached: pageReached)
        let effects = settleMemory(now: now)
        guard let position = cursors.position else { return effects }
        let carrier = batches.lastIndex { !$0.isReplay }
        guard let carrier else {
            let parts: [StreamerEffect] = outgoing.isEmpty ? [] : [.send(outgoing)]
            return effects + parts + (isPositionDue(now: now) ? [sendPosition(position, now: now)] : [])
        }
        if position != sent {
            note(position, now: now)
            outgoing[carrier].cursor = position.text
            outgoing[carrier].firstKept = sentFirstKept
        }
        return effects + [.send(outgoing)]
    }

    /// Sends what was read of a page that broke off.
    mutating func sendParts(_ batches: [BatchSummary], open: Int, reached: LogCursor) -> [StreamerEffect] {
        let outgoing = self.outgoing(batches, open: open, reached: reached)
        return outgoing.isEmpty ? [] : [.send(outgoing)]
    }

    /// Sends a place without lines.
    mutating func sendPosition(_ position: StreamPosition? = nil, now: StreamMoment) -> StreamerEffect {
        guard let position = position ?? cursors.position else { preconditionFailure("there is no place to send") }
        var chunk: UInt64?
        if ledger.openCount > 0 {
            chunk = ledger.close(ledger.openCount, reached: position.reached)
            ledger.openCount = 0
        }
        note(position, now: now)
        let number = unacknowledged.add([0])
        return .sendPosition(
            OutgoingBatch(number: number, cursor: position.text, chunk: chunk, firstKept: sentFirstKept))
    }

    /// A line of our own, with the place behind it if it moves that.
    mutating func notice(
        _ notice: StreamNotice, position: StreamPosition? = nil, now: StreamMoment? = nil
    ) -> StreamerEffect {
        if let position, let now { note(position, now: now) }
        let number = unacknowledged.add([notice.line(app: settings.app).utf8.count])
        return .sendNotice(
            notice,
            OutgoingBatch(number: number, cursor: position?.text ?? "", chunk: nil, firstKept: sentFirstKept))
    }

    /// Tells of a moment that may have more lines than a page holds, once.
    mutating func tellLimit(_ cut: StreamStart.Gap) -> [StreamerEffect] {
        guard !toldLimits.contains(cut.from) else { return [] }
        toldLimits.append(cut.from)
        if toldLimits.count > Self.mostToldLimits { toldLimits.removeFirst() }
        return [notice(.gap(.pageLimit(cut)))]
    }

    private mutating func outgoing(_ batches: [BatchSummary], open: Int, reached: LogCursor) -> [OutgoingBatch] {
        let first = unacknowledged.add(batches.map(\.bytes))
        var cursor = ""
        // The next process takes the reached time for that of all chunks it finds, so it goes with the first of them.
        if let sent, reached > sent.reached, batches.contains(where: { !$0.isReplay }) {
            let provisional = StreamPosition(settled: sent.settled, reached: reached)
            self.sent = provisional
            cursor = provisional.text
        }
        let outgoing = batches.enumerated().map { index, batch in
            let chunk = batch.identities > 0 ? ledger.close(batch.identities, reached: reached) : nil
            defer { if !batch.isReplay { cursor = "" } }
            return OutgoingBatch(
                number: first + UInt64(index), cursor: batch.isReplay ? reached.text : cursor, chunk: chunk,
                firstKept: sentFirstKept)
        }
        ledger.openCount = open
        return outgoing
    }

    private mutating func note(_ position: StreamPosition, now: StreamMoment) {
        sent = position
        sentAt = now.monotonic
        sentFirstKept = ledger.firstKept
    }

    /// Forgets what cannot come again, and, where the memory is full, what comes again least likely.
    private mutating func settleMemory(now: StreamMoment) -> [StreamerEffect] {
        guard let position = cursors.position else { return [] }
        var effects: [StreamerEffect] = []
        let horizon = cursors.horizon(at: now.monotonic)
        if let horizon { ledger.limit(to: horizon) }
        var forgotten = ledger.forget(settled: position.settled)
        if let room = ledger.makeRoom(reached: min(position.reached, horizon ?? position.reached)) {
            forgotten += room.identities
            cursors.giveUp(through: room.givenUp)
            if !saidMemoryIsFull, settings.rules.overlap > 0, room.givenUp > position.settled {
                saidMemoryIsFull = true
                effects.append(
                    .log(
                        "app \(settings.app.text) logs more than \(MemoryLedger.mostIdentities) lines within the "
                            + "overlap: lines that appear late may be missed; a shorter --overlap needs less memory"))
            }
        }
        if forgotten > 0 { effects.append(.forget(forgotten)) }
        return effects
    }

    private func isPositionDue(now: StreamMoment) -> Bool {
        guard let position = cursors.position, position != sent else { return false }
        guard let sent else { return true }
        if ledger.openCount > Self.mostOpen { return true }
        if position.settled > sent.settled.advanced(nanoseconds: Self.idlePositionDistance) { return true }
        return ledger.openCount > 0 && now.monotonic - sentAt >= Self.quietPositionInterval
    }
}
