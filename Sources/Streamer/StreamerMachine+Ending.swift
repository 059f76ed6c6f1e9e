// When everything that was wanted is read: with an end in time, or without waiting for new lines. Such a stream ends by
// itself once all of it is safe, without a line that says so: nobody stopped it, and its lines are all there.

internal import FlyAPI
internal import WorkerProtocol

extension StreamerMachine {
    /// Whether nothing more is to be read.
    mutating func isComplete(_ plan: PagePlan, now: StreamMoment) -> Bool {
        if let until = settings.rules.until {
            guard !cursors.isLookingBack, plan.isCaughtUp || plan.pageReached > until else { return false }
            // What was asked for after the last line before the end could be late no more is final.
            let overlap = settings.rules.overlap
            let final = until.advanced(nanoseconds: overlap)
            if !settings.follow { return true }
            let began = cursors.lookedBackAt
            if wall(at: began, now: now) >= final || cursors.serverTime(now: began) ?? final.previous >= final {
                return true
            }
            let isOver = LogCursor(time: now.wall) >= final
            if isOver || cursors.serverTime(now: now.monotonic) ?? final.previous >= final {
                cursors.lookBack(now: now.monotonic, isLast: true)
            }
            return false
        }
        return !settings.follow && plan.isCaughtUp
    }

    private func wall(at moment: Int64, now: StreamMoment) -> LogCursor {
        LogCursor(time: now.wall - (now.monotonic - moment))
    }

    /// What a complete stream still has to say, behind the batches of its last page: its last position.
    ///
    /// It ends when everything is safe.
    mutating func end(now: StreamMoment) -> [StreamerEffect] {
        guard phase == .completing else { return [] }
        if let position = cursors.position, position != sent || ledger.openCount > 0 {
            return [sendPosition(position, now: now)]
        }
        guard unacknowledged.isEmpty else { return [] }
        phase = .finished
        return [.disarm, .finish]
    }
}
