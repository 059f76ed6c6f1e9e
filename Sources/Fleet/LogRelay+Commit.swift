// When what is safe in the sinks goes into the store. One commit at a time: what comes meanwhile shares the next one. It
// begins at once when somebody waits for it or an app has much to commit, and else after a while, so that many apps share
// it.

internal import EventLoop
internal import Framing

extension LogRelay {
    private static let commitTimeoutMs: Int64 = 10_000
    /// How long what nobody waits for is gathered, in ms.
    private static let gatheringMs: Int64 = 100
    /// How long a store that refused a commit is left alone, in ms.
    private static let commitRetryMs: Int64 = 1_000

    /// The store is ready: commits that waited for it go on.
    func storeIsReady() {
        retryTimer.stop()
        isResting = false
        considerCommit()
    }

    /// Brings the store everything that may be committed, one commit after the other, and then calls back.
    ///
    /// At the first that fails it calls back too: what comes behind it must not be committed without it.
    func flushToStore(then body: @escaping () -> Void) {
        onFlushed = body
        retryTimer.stop()
        isResting = false
        considerCommit()
        if !ledger.isCommitting { endFlush() }
    }

    private func endFlush() {
        guard let body = onFlushed else { return }
        onFlushed = nil
        body()
    }

    /// Begins a commit if there is something to commit, now or soon.
    func considerCommit() {
        guard ledger.canCommit, !isResting, host.readyWorker(LeafPath.store) != nil else { return }
        if ledger.isUnderPressure || hasWaiters || onFlushed != nil { return commit() }
        guard !isGathering else { return }
        isGathering = true
        commitTimer.start(after: Self.gatheringMs) { [unowned self] in
            isGathering = false
            commit()
        }
    }

    private func commit() {
        commitTimer.stop()
        isGathering = false
        guard !isResting, host.readyWorker(LeafPath.store) != nil,
            let payload = ledger.beginCommit(identities: \.identities)
        else { return }
        let moved = payload.apps.filter { !$0.cursor.isEmpty }.map(\.name)
        host.commit(payload.encode(), timeoutMs: Self.commitTimeoutMs) { [unowned self] committed in
            if committed { succeeded(moved) } else { failed() }
        }
    }

    private func succeeded(_ moved: [String]) {
        for app in moved { host.cursorWasCommitted(app) }
        ledger.commitSucceeded()
        release()
        gate.holds(ledger.heldBytes)
        considerCommit()
        if !ledger.isCommitting { endFlush() }
    }

    private func failed() {
        ledger.commitFailed()
        isResting = true
        // At the end there is no later.
        guard onFlushed == nil else { return endFlush() }
        retryTimer.start(after: Self.commitRetryMs) { [unowned self] in storeIsReady() }
    }
}

/// The words that a live subscriber missed lines.
enum MissedNotice {
    /// A batch of one line that says so.
    static func frame(_ missed: LiveFeed.Missed) -> Frame {
        var line = JSONLine()
        line.add("type", "missed")
        line.add("app_name", missed.app)
        line.add("lines", Int64(missed.lines))
        let head = EntriesHead(appName: missed.app, batch: LiveFeed.noticeNumber, count: 1, cursor: "")
        guard let frame = try? Frame(kind: .entries, payload: head.encode() + line.finished()) else {
            preconditionFailure("a notice that does not fit a frame")
        }
        return frame
    }
}
