// Entries from the Streamers to the sink, acknowledgements back, cursors into the store between the two.
//
//     Streamer -entries-> relay -entries-> sink -ack-> relay -commit-> store -reply-> relay -ack-> Streamer
//
// The bytes of a batch are never looked at, only its head. When too much is held, the Streamers' pipes are left full:
// they wait, and with them the API.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

/// What the relay needs of the fleet.
protocol LogRelayHost: AnyObject {
    /// The worker at a path, if it is ready.
    func readyWorker(_ path: String) -> WorkerProcess?
    /// Every Streamer's process, ready or not.
    func forEachStreamer(_ body: (WorkerProcess) -> Void)
    /// Sends a request of the parent's own.
    func ask(_ path: String, _ request: some WorkerRequest, timeoutMs: Int64, _ completion: @escaping (Bool) -> Void)
    /// A worker moves large batches.
    func widenPipes(of worker: WorkerProcess)
    /// The sink broke the protocol.
    func relayFailed(_ worker: WorkerProcess, reason: String)
}

/// Moves batches.
///
/// Confined to the loop.
final class LogRelay {
    /// Bytes held over all apps above which no Streamer is read.
    static let pauseBytes = 64 * 1024 * 1024
    /// Bytes held below which reading goes on.
    static let resumeBytes = 48 * 1024 * 1024
    private static let commitTimeoutMs: Int64 = 10_000
    /// How long a store that refused a commit is left alone, in ms.
    private static let commitRetryMs: Int64 = 1_000

    private unowned let host: any LogRelayHost
    private var ledger = BatchLedger<Frame>()
    private var commits = CommitLedger()
    private var settledWaiters: [String: [() -> Void]] = [:]
    private let retryTimer: LoopTimer
    private(set) var isPaused = false
    private var isAbandoned = false

    init(_ loop: Loop, host: any LogRelayHost) {
        self.host = host
        retryTimer = LoopTimer(loop)
    }

    /// What the pipe of a worker that moves large batches is widened to, in bytes.
    static let widePipeBytes: Int32 = 1024 * 1024
    /// How many workers may have wide pipes at a time: a user's pipes may take 64 MiB in all, and past that the kernel
    /// makes every new pipe tiny.
    static let widePipes = 16

    /// A Streamer sent a batch.
    ///
    /// - Throws: ``FrameError`` when the head makes no sense or names another app.
    func receive(_ frame: Frame, from streamer: WorkerProcess) throws(FrameError) {
        let (head, _) = try withExtendedLifetime(frame.slab) { () throws(FrameError) in
            try EntriesHead.decode(frame.payloadBytes)
        }
        guard LeafPath.streamer(head.appName) == streamer.path else {
            throw .malformedPayload(.entries, reason: "\(head.appName) is not its app")
        }
        guard !isAbandoned else {
            return forget(
                CommitLedger.Receipt(app: head.appName, number: head.batch, incarnation: streamer.incarnation))
        }
        ledger.append(
            Batch(
                app: head.appName, number: head.batch, incarnation: streamer.incarnation, cursor: head.cursor,
                bytes: frame.wireBytes.count, body: frame))
        deliver()
        if !streamer.hasWidePipes, frame.wireBytes.count > FrameDecoder.smallestSlab { host.widenPipes(of: streamer) }
        if !isPaused, ledger.heldBytes > Self.pauseBytes {
            isPaused = true
            host.forEachStreamer { $0.pauseReading() }
        }
    }

    /// The sink has a batch safe.
    func acknowledge(_ acknowledgement: Acknowledgement, from sink: WorkerProcess) {
        guard !isAbandoned else { return }
        guard let settled = ledger.acknowledge(app: acknowledgement.appName, number: acknowledgement.batch) else {
            host.relayFailed(sink, reason: "it acknowledged batch \(acknowledgement.batch) out of turn")
            return
        }
        let receipt = CommitLedger.Receipt(app: settled.app, number: settled.number, incarnation: settled.incarnation)
        if settled.cursor.isEmpty {
            forget(receipt)
        } else {
            commits.add(cursor: settled.cursor, receipt: receipt)
            commit()
        }
        deliver()
        if isPaused, ledger.heldBytes < Self.resumeBytes {
            isPaused = false
            host.forEachStreamer { $0.resumeReading() }
        }
        serveWaiters(settled.app)
    }

    /// Nobody will take lines any more: the Streamers need not wait for it, and no cursor moves.
    func abandon() {
        isAbandoned = true
        for batch in ledger.removeAll() {
            forget(CommitLedger.Receipt(app: batch.app, number: batch.number, incarnation: batch.incarnation))
        }
    }

    /// The sink is ready.
    func sinkIsReady() {
        ledger.attach()
        deliver()
    }

    /// The sink is gone.
    ///
    /// - Returns: whether it had batches in hand, one of which may be half written.
    func sinkIsGone() -> Bool {
        defer { ledger.detach() }
        return ledger.hasBatchesInHand
    }

    /// The store is ready: commits that waited for it go on.
    func storeIsReady() {
        commit()
    }

    /// Delivers everything that is held, so that the sink's stop frame comes after it.
    func flushToSink() {
        while let batch = ledger.nextDelivery(ignoringWindow: true) { send(batch) }
    }

    /// Hands the store every cursor that is not on its way, so that the store's stop frame comes after them.
    func flushToStore() {
        let cursors = commits.uncommitted()
        guard !cursors.isEmpty else { return }
        host.ask(LeafPath.store, Self.request(cursors), timeoutMs: Self.commitTimeoutMs) { _ in }
    }

    /// Calls back when nothing of an app is on its way any more: its cursor in the store is then the true one.
    func whenSettled(_ app: String, _ body: @escaping () -> Void) {
        guard !isSettled(app) else { return body() }
        settledWaiters[app, default: []].append(body)
    }

    /// Whether an app has neither batches on their way nor cursors to commit.
    private func isSettled(_ app: String) -> Bool {
        ledger.isSettled(app) && commits.isClean(app)
    }

    private func serveWaiters(_ app: String) {
        guard isSettled(app), let waiters = settledWaiters.removeValue(forKey: app) else { return }
        for waiter in waiters { waiter() }
    }

    private func deliver() {
        while let batch = ledger.nextDelivery() { send(batch) }
    }

    private func send(_ batch: Batch<Frame>) {
        host.readyWorker(LeafPath.console)?.forward(batch.body)
    }

    private func commit() {
        guard host.readyWorker(LeafPath.store) != nil, let cursors = commits.begin() else { return }
        host.ask(LeafPath.store, Self.request(cursors), timeoutMs: Self.commitTimeoutMs) { [unowned self] committed in
            guard committed else {
                commits.fail()
                retryTimer.start(after: Self.commitRetryMs) { [unowned self] in commit() }
                return
            }
            for receipt in commits.succeed() { forget(receipt) }
            commit()
            for (app, _) in cursors { serveWaiters(app) }
        }
    }

    private static func request(_ cursors: [(app: String, cursor: String)]) -> CommitCursorsRequest {
        CommitCursorsRequest(
            cursors: cursors.map { CommitCursorsRequest.Position(appName: $0.app, cursor: $0.cursor) })
    }

    /// Tells the Streamer that numbered the batch, if it still runs, that it may forget it.
    private func forget(_ receipt: CommitLedger.Receipt) {
        guard let streamer = host.readyWorker(LeafPath.streamer(receipt.app)),
            streamer.incarnation == receipt.incarnation
        else { return }
        streamer.send(.ack, payload: Acknowledgement(appName: receipt.app, batch: receipt.number).encode())
    }
}
