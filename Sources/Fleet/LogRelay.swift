// Entries from the Streamers to the sinks, acknowledgements back, then the Streamers' receipts and commits into the store.
//
//     Streamer -memory, entries-> relay -entries-> every sink -ack-> relay -ack-> Streamer
//                                                                    relay -commit-> store
//
// The bytes of a batch are never looked at, only its head. What is held is bounded: see StreamerGate. What is committed
// when is in LogRelay+Commit.swift.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

/// What the relay needs of the fleet.
protocol LogRelayHost: AnyObject {
    /// The worker at a path, if it is ready.
    func readyWorker(_ path: String) -> WorkerProcess?
    /// Every Streamer's process, ready or not.
    func forEachStreamer(_ body: (WorkerProcess) -> Void)
    /// Sends the store a transaction; `completion` is called once, with whether the store has it.
    func commit(_ payload: [UInt8], timeoutMs: Int64, _ completion: @escaping (Bool) -> Void)
    /// An app's cursor was committed.
    func cursorWasCommitted(_ app: String)
    /// A worker moves large batches.
    func widenPipes(of worker: WorkerProcess)
    /// A sink broke the protocol.
    func relayFailed(_ worker: WorkerProcess, reason: String)
}

/// A sink as the relay sees it.
struct RelaySink {
    /// The leaf's.
    let path: String
    /// Its name in the store, if it keeps a position.
    let name: String?
    /// Whether it may miss lines rather than hold anybody up.
    let isLive: Bool
}

/// A batch with the identities that came before it.
struct RelayedBatch {
    /// Nil once all sinks have it.
    var entries: Frame?
    let memory: HeldMemory?

    /// The identities as bytes; empty where there are none.
    var identities: [UInt8] {
        guard let memory else { return [] }
        return withExtendedLifetime(memory.frame.slab) { [UInt8](memory.frame.payloadBytes[memory.bodyOffset...]) }
    }
}

/// Moves batches.
///
/// Confined to the loop.
final class LogRelay {
    /// Bytes held above which a frame that is small for its memory gets memory of its own.
    private static let compactionBytes = 8 * 1024 * 1024
    /// How many may wait until an app is settled.
    private static let mostWaiters = 4

    private enum Role {
        /// Its place among the durable ones.
        case durable(Int)
        case live
    }

    unowned let host: any LogRelayHost
    let gate: StreamerGate
    var ledger: BatchLedger<RelayedBatch>
    let commitTimer: LoopTimer
    let retryTimer: LoopTimer
    /// What waits for the timer that gathers commits.
    var isGathering = false
    /// A store that refused a commit is left alone for a while.
    var isResting = false
    /// Whoever waits until all is committed that can be.
    var onFlushed: (() -> Void)?
    private var feed = LiveFeed()
    private let durable: [String]
    private let livePath: String?
    private var roles: [String: Role] = [:]
    private var waiters: [String: [() -> Void]] = [:]
    private(set) var isAbandoned = false
    /// How far each app's lines were shown again, as the last of those batches says; none once new lines came.
    private(set) var replayCursors: [String: String] = [:]

    /// A relay to these sinks, of which at most one is live.
    init(_ loop: Loop, sinks: [RelaySink], host: any LogRelayHost) {
        self.host = host
        let durable = sinks.filter { !$0.isLive }
        self.durable = durable.map(\.path)
        livePath = sinks.first(where: \.isLive)?.path
        ledger = BatchLedger(subscribers: durable.map { BatchSubscriber(name: $0.name) }) { $0.entries = nil }
        gate = StreamerGate(loop) { [unowned host] body in host.forEachStreamer(body) }
        commitTimer = LoopTimer(loop)
        retryTimer = LoopTimer(loop)
        for (place, sink) in durable.enumerated() { roles[sink.path] = .durable(place) }
        if let livePath { roles[livePath] = .live }
    }

    /// What the pipe of a worker that moves large batches is widened to, in bytes.
    static let widePipeBytes: Int32 = 1024 * 1024
    /// How many workers may have wide pipes at a time: a user's pipes may take 64 MiB in all, and past that the kernel
    /// makes every new pipe tiny.
    static let widePipes = 16

    // MARK: from Streamers

    /// A Streamer sent a batch, or the memory of the next one.
    ///
    /// - Throws: ``FrameError`` when the head makes no sense or names another app, or when memory and batch do not belong
    ///   together.
    func receive(_ frame: Frame, from streamer: WorkerProcess) throws(FrameError) {
        if frame.kind == .memory { return try keepMemory(frame, of: streamer) }
        let (head, _) = try withExtendedLifetime(frame.slab) { () throws(FrameError) in
            try EntriesHead.decode(frame.payloadBytes)
        }
        try check(head.appName, frame.kind, streamer)
        let memory = streamer.memory
        streamer.memory = nil
        if let memory, frame.kind != .entries || memory.head.batch != head.batch {
            throw .malformedPayload(.memory, reason: "batch \(memory.head.batch) did not follow it")
        }
        gate.batchCame(from: streamer)
        guard !isAbandoned else {
            return forget(BatchReceipt(app: head.appName, number: head.batch, incarnation: streamer.incarnation))
        }
        noteReplay(head, frame.kind)
        take(head, frame, memory, streamer.incarnation)
        if !streamer.hasWidePipes, frame.wireBytes.count > FrameDecoder.smallestSlab { host.widenPipes(of: streamer) }
    }

    private func take(_ head: EntriesHead, _ frame: Frame, _ memory: HeldMemory?, _ incarnation: Int) {
        let bytes = frame.wireBytes.count
        let chunk = memory.map {
            Batch<RelayedBatch>.Chunk(number: $0.head.chunk, firstKept: $0.head.firstKept, bytes: $0.identityBytes)
        }
        ledger.append(
            Batch(
                app: head.appName, number: head.batch, incarnation: incarnation,
                cursor: frame.kind == .replay ? "" : head.cursor, bytes: bytes, isReplay: frame.kind == .replay,
                chunk: chunk, body: RelayedBatch(entries: compacted(frame), memory: memory)))
        deliver()
        if let livePath, feed.offer(app: head.appName, number: head.batch, bytes: bytes, lines: Int(head.count)) {
            host.readyWorker(livePath)?.forward(frame)
        }
        release()
        considerCommit()
        gate.holds(ledger.heldBytes)
    }

    private func keepMemory(_ frame: Frame, of streamer: WorkerProcess) throws(FrameError) {
        let head = try withExtendedLifetime(frame.slab) { () throws(FrameError) in
            try BatchMemory.decodeHead(frame.payloadBytes)
        }
        try check(head.appName, .memory, streamer)
        guard streamer.memory == nil else {
            throw .malformedPayload(.memory, reason: "the batch of one did not follow")
        }
        guard frame.payloadCount - head.bodyOffset <= BatchLimits.mostChunk else {
            throw .malformedPayload(.memory, reason: "it is longer than \(BatchLimits.mostChunk) bytes")
        }
        streamer.memory = HeldMemory(head: head, frame: compacted(frame))
    }

    private func check(_ app: String, _ kind: FrameKind, _ streamer: WorkerProcess) throws(FrameError) {
        guard LeafPath.streamer(app) == streamer.path else {
            throw .malformedPayload(kind, reason: "\(app) is not its app")
        }
    }

    /// The frame in memory of its own, if it keeps a quarter more than it needs and much is held already: what is held is
    /// counted by the frames.
    private func compacted(_ frame: Frame) -> Frame {
        guard ledger.heldBytes > Self.compactionBytes, frame.slab.capacity > frame.wireBytes.count * 5 / 4,
            let copy = try? Frame(kind: frame.kind, id: frame.id, payload: frame.payload)
        else { return frame }
        return copy
    }

    /// A Streamer that dies while it shows lines again has a successor that goes on there.
    private func noteReplay(_ head: EntriesHead, _ kind: FrameKind) {
        if kind == .replay {
            if !head.cursor.isEmpty { replayCursors[head.appName] = head.cursor }
        } else if head.count > 0, !replayCursors.isEmpty {
            replayCursors[head.appName] = nil
        }
    }

    /// Up to when a Streamer's lines were shown again, in ns since 1970; nil when that is over, or never was.
    func replayTime(of path: String) -> Int64? {
        // `settled..reached`, or one number for both.
        guard let cursor = replayCursors[LeafPath.lastComponent(path)] else { return nil }
        return Int64(cursor[(cursor.lastIndex(of: ".").map { cursor.index(after: $0) } ?? cursor.startIndex)...])
    }

    /// A Streamer is gone.
    func streamerIsGone(_ streamer: WorkerProcess) {
        gate.isGone(streamer)
        // Its successor asks anew.
        waiters[LeafPath.lastComponent(streamer.path)] = nil
    }

    // MARK: sinks

    /// A sink has a batch safe.
    func acknowledge(_ acknowledgement: Acknowledgement, from sink: WorkerProcess) {
        guard !isAbandoned, let role = roles[sink.path] else { return }
        let (app, number) = (acknowledgement.appName, acknowledgement.batch)
        switch role {
        case .live:
            guard feed.acknowledge(app: app, number: number) else { return refuse(acknowledgement, sink) }
            tellMissed()
        case .durable(let place):
            guard ledger.acknowledge(app: app, number: number, position: acknowledgement.position, by: place) else {
                return refuse(acknowledgement, sink)
            }
            deliver(to: place)
            release()
            considerCommit()
            gate.holds(ledger.heldBytes)
        }
    }

    private func refuse(_ acknowledgement: Acknowledgement, _ sink: WorkerProcess) {
        host.relayFailed(
            sink, reason: "it acknowledged batch \(acknowledgement.batch) out of turn or without a position it keeps")
    }

    /// A sink is ready.
    func sinkIsReady(_ path: String) {
        switch roles[path] {
        case .durable(let place):
            ledger.attach(place)
            deliver(to: place)
        case .live:
            feed.attach()
            tellMissed()
        case nil: break
        }
    }

    /// A sink is gone.
    ///
    /// - Returns: whether it had batches in hand, one of which may be half written.
    func sinkIsGone(_ path: String) -> Bool {
        switch roles[path] {
        case .durable(let place):
            defer { ledger.detach(place) }
            return ledger.hasBatchesInHand(place)
        case .live:
            defer { feed.detach() }
            return feed.hasBatchesInHand
        case nil: return false
        }
    }

    /// Where a sink stood when it was last heard of.
    func position(of path: String) -> String? {
        guard case .durable(let place) = roles[path] else { return nil }
        return ledger.position(of: place)
    }

    /// A sink begins anew at a position, because what it wrote before is no longer there.
    func place(_ path: String, at position: String) {
        guard case .durable(let place) = roles[path] else { return }
        ledger.place(place, at: position)
    }

    /// Delivers everything that is held, so that the sink's stop frame comes after it.
    func flushToSink(_ path: String) {
        switch roles[path] {
        case .durable(let place): deliver(to: place, ignoringWindow: true)
        case .live: tellMissed(ignoringRoom: true)
        case nil: break
        }
    }

    /// Whoever looked on went away.
    func readerIsGone() {
        guard livePath == nil else { return feed.detach() }
        isAbandoned = true
        for receipt in ledger.abandon() { forget(receipt) }
        release()
        gate.holds(ledger.heldBytes)
        considerCommit()
    }

    private func deliver() {
        for place in durable.indices { deliver(to: place) }
    }

    private func deliver(to place: Int, ignoringWindow: Bool = false) {
        while let batch = ledger.nextDelivery(to: place, ignoringWindow: ignoringWindow) {
            // What is delivered is not yet acknowledged, so its lines are there.
            if let entries = batch.body.entries { host.readyWorker(durable[place])?.forward(entries) }
        }
    }

    private func tellMissed(ignoringRoom: Bool = false) {
        guard let livePath else { return }
        for missed in feed.takeMissed(ignoringRoom: ignoringRoom) {
            host.readyWorker(livePath)?.forward(MissedNotice.frame(missed))
        }
    }

    // MARK: receipts

    /// Tells the Streamers what they may forget.
    func release() {
        for receipt in ledger.takeReceipts() { forget(receipt) }
        serveWaiters()
    }

    /// Tells the Streamer that numbered the batch, if it still runs, that it may forget it and all before it.
    func forget(_ receipt: BatchReceipt) {
        guard let streamer = host.readyWorker(LeafPath.streamer(receipt.app)),
            streamer.incarnation == receipt.incarnation
        else { return }
        streamer.send(.ack, payload: Acknowledgement(appName: receipt.app, batch: receipt.number).encode())
    }

    /// Calls back when nothing of an app is on its way any more: its cursor in the store is then the true one.
    ///
    /// - Returns: false, and it is never called, when too many wait for that app already.
    func whenSettled(_ app: String, _ body: @escaping () -> Void) -> Bool {
        guard !ledger.isSettled(app) else {
            body()
            return true
        }
        guard waiters[app, default: []].count < Self.mostWaiters else { return false }
        waiters[app, default: []].append(body)
        considerCommit()
        return true
    }

    var hasWaiters: Bool { !waiters.isEmpty }

    /// Calls those back whose app has nothing on its way any more.
    private func serveWaiters() {
        guard !waiters.isEmpty else { return }
        for app in waiters.keys.sorted() where ledger.isSettled(app) {
            for waiter in waiters.removeValue(forKey: app) ?? [] { waiter() }
        }
    }
}
