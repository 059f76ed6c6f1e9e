// The parent's relay, as LogRelay is, with the real books: what it does when a frame comes, when somebody is ready, gone or
// asked to stop, and when time passes.

internal import Fleet
internal import Framing

extension Simulation {
    /// How long a commit may take, how long a store that refused one is left alone, and how long commits are gathered.
    private static var commitTimeoutMs: Int64 { 10_000 }
    private static var commitRetryMs: Int64 { 1_000 }
    private static var gatheringMs: Int64 { 100 }

    /// The place of a process among the subscribers.
    private func subscriber(_ process: Int) -> Int? { sink(process).flatMap { batches.subscribers[$0] } }

    /// A process is made: a file's is told where the last one stood.
    mutating func configureBatches(_ process: Int) {
        guard let subscriber = subscriber(process) else { return }
        batches.positions[process] = batches.ledger.position(of: subscriber).flatMap { Int($0) }
    }

    mutating func workerIsReady(_ process: Int) {
        guard scenario.hasBatches, finish == nil else { return }
        if let subscriber = subscriber(process) {
            batches.ledger.attach(subscriber)
            deliver(to: process, subscriber)
        } else if processes[process].identity.path == LeafPath.store {
            batches.isResting = false
            considerCommit()
            giveWaitingCursors()
        } else if batches.isPaused, app(process) != nil {
            pauseReading(process)
        }
    }

    mutating func workerIsGone(_ process: Int) {
        guard scenario.hasBatches else { return }
        if let subscriber = subscriber(process) { batches.ledger.detach(subscriber) }
        if batches.committing?.process == process { commitFailed() }
        if batches.stopsAfterCommit == process { batches.stopsAfterCommit = nil }
        batches.waiting.removeAll { $0 == process }
        batches.memories[process] = nil
    }

    // MARK: frames

    mutating func receiveMemory(_ batch: Int, _ process: Int) {
        if batches.memories[process] != nil { fail("a memory is followed by its batch", "two in a row") }
        batches.memories[process] = batch
    }

    mutating func receiveBatch(_ batch: Int, _ process: Int) {
        let sent = world.sent[batch]
        let memory = batches.memories.removeValue(forKey: process)
        if memory != (sent.chunk > 0 ? batch : nil) { fail("a memory is followed by its batch", "batch \(batch)") }
        let large = sites.fires(.batchesAreLarge, &random)
        let chunk = Batch<Int>.Chunk(number: sent.chunk, firstKept: BatchWorld.firstKept(beside: sent.chunk), bytes: 16)
        batches.ledger.append(
            Batch(
                app: scenario.apps[sent.app], number: sent.number,
                incarnation: processes[process].identity.incarnation, cursor: sent.isReplay ? "" : "\(sent.to)",
                bytes: large ? random.between(8, 40) << 20 : random.between(1, 150) << 10, isReplay: sent.isReplay,
                chunk: sent.chunk > 0 ? chunk : nil, body: batch))
        deliverToAll()
        release()
        considerCommit()
        guard !batches.isPaused, batches.ledger.heldBytes > 64 << 20 else { return }
        batches.isPaused = true
        forEachStreamer { $0.pauseReading($1) }
    }

    private mutating func forEachStreamer(_ body: (inout Simulation, Int) -> Void) {
        for app in scenario.apps {
            guard let leaf = tree.index[LeafPath.streamer(app)], tree.nodes[leaf].process >= 0 else { continue }
            body(&self, tree.nodes[leaf].process)
        }
    }

    private mutating func deliverToAll() {
        for sink in world.sinks.indices {
            guard let subscriber = batches.subscribers[sink] else { continue }
            deliver(to: readyProcess(world.sinks[sink].path), subscriber)
        }
    }

    /// Between its death and its discard a sink gets nothing any more; what it would have got is in hand.
    private mutating func deliver(to process: Int?, _ subscriber: Int, ignoringWindow: Bool = false) {
        while let batch = batches.ledger.nextDelivery(to: subscriber, ignoringWindow: ignoringWindow) {
            if let process { send(.batch(batch.body), process) }
        }
    }

    mutating func receiveAcknowledgement(_ batch: Int, _ position: Int, _ process: Int) {
        guard let subscriber = subscriber(process) else { return }
        let sent = world.sent[batch]
        let app = scenario.apps[sent.app]
        guard batches.ledger.acknowledge(app: app, number: sent.number, position: "\(position)", by: subscriber) else {
            return fail("an acknowledgement in turn is taken", "\(app), batch \(sent.number)")
        }
        deliver(to: process, subscriber)
        release()
        considerCommit()
        resumeIfThereIsRoom()
    }

    private mutating func resumeIfThereIsRoom() {
        guard batches.isPaused, batches.ledger.heldBytes < 48 << 20 else { return }
        batches.isPaused = false
        forEachStreamer { $0.resumeReading($1) }
    }

    // MARK: commits

    private mutating func considerCommit() {
        guard batches.ledger.canCommit, !batches.isResting, readyProcess(LeafPath.store) != nil else { return }
        if batches.ledger.isUnderPressure || !batches.waiting.isEmpty || batches.stopsAfterCommit != nil {
            return commit()
        }
        guard !batches.isGathering else { return }
        batches.isGathering = true
        plan(.commitIsDue, inMs: Self.gatheringMs)
    }

    /// The time to gather is over, or to leave the store alone.
    mutating func commitIsDue(afterRest: Bool) {
        if afterRest { batches.isResting = false } else { batches.isGathering = false }
        if afterRest { considerCommit() } else { commit() }
    }

    private mutating func commit() {
        guard !batches.isResting, let store = readyProcess(LeafPath.store),
            let payload = batches.ledger.beginCommit(identities: { [world] in world.sent[$0].identities })
        else { return }
        batches.transactions.append(payload)
        let transaction = batches.transactions.count - 1
        batches.committing = (transaction, store)
        send(.commit(transaction), store)
        plan(.commitTimesOut(transaction), inMs: Self.commitTimeoutMs)
    }

    mutating func commitTimesOut(_ transaction: Int) {
        if batches.committing?.transaction == transaction { commitFailed() }
    }

    private mutating func commitFailed() {
        batches.committing = nil
        batches.ledger.commitFailed()
        batches.isResting = true
        plan(.storeHasRested, inMs: Self.commitRetryMs)
        stopAfterCommit()
    }

    mutating func receiveCommitReply(_ transaction: Int, _ committed: Bool, _ process: Int) {
        // One that was given up is answered to nobody.
        guard let committing = batches.committing, committing.transaction == transaction else { return }
        guard committed else { return commitFailed() }
        batches.committing = nil
        batches.ledger.commitSucceeded()
        release()
        resumeIfThereIsRoom()
        considerCommit()
        if batches.committing == nil { stopAfterCommit() }
    }

    private mutating func release() {
        for receipt in batches.ledger.takeReceipts() { acknowledge(receipt) }
        giveWaitingCursors()
    }

    /// The Streamer that sent it may forget a batch and all before it; its successor never knew of them.
    private mutating func acknowledge(_ receipt: BatchReceipt) {
        guard let process = readyProcess(LeafPath.streamer(receipt.app)),
            processes[process].identity.incarnation == receipt.incarnation,
            let state = batches.streamers[process], receipt.number <= state.sent.count
        else { return }
        for batch in state.sent[state.acknowledged..<max(state.acknowledged, Int(receipt.number))] {
            let sent = world.sent[batch]
            for sink in world.sinks.indices where batches.subscribers[sink] != nil && !sent.isReplay {
                guard sent.to > world.sinks[sink].reached[sent.app] else { continue }
                fail("a batch is forgotten when every sink has it", "\(receipt.app), batch \(receipt.number)")
            }
        }
        send(.acknowledged(receipt.number), process)
    }

    // MARK: cursors

    /// A Streamer begins where its predecessor's last batch ends, once that is known.
    mutating func giveCursor(_ process: Int) {
        batches.waiting.append(process)
        giveWaitingCursors()
        considerCommit()
    }

    private mutating func giveWaitingCursors() {
        guard readyProcess(LeafPath.store) != nil else { return }
        for process in batches.waiting {
            guard let app = app(process), batches.ledger.isSettled(scenario.apps[app]) else { continue }
            batches.waiting.removeAll { $0 == process }
            send(.cursor(world.cursors[app], chunk: world.lastChunk(app)), process)
        }
    }

    // MARK: the end

    /// What is asked to stop gets everything meant for it first.
    ///
    /// - Returns: whether its stop frame may be sent now.
    mutating func flushBefore(stopOf process: Int) -> Bool {
        guard scenario.hasBatches, processes[process].readyWasTold, !processes[process].exitWasTold else { return true }
        if let subscriber = subscriber(process) { deliver(to: process, subscriber, ignoringWindow: true) }
        guard processes[process].identity.path == LeafPath.store else { return true }
        batches.stopsAfterCommit = process
        batches.isResting = false
        considerCommit()
        guard batches.committing == nil else { return false }
        batches.stopsAfterCommit = nil
        return true
    }

    private mutating func stopAfterCommit() {
        guard let process = batches.stopsAfterCommit else { return }
        batches.stopsAfterCommit = nil
        send(.stop, process)
    }

    /// Whether nothing is on its way any more, or nobody is there to take it.
    var batchesAreSettled: Bool {
        guard scenario.hasBatches else { return true }
        let durable = world.sinks.indices.filter { batches.subscribers[$0] != nil }.map { world.sinks[$0].path }
        for path in [LeafPath.store] + durable where !isListening(path) { return true }
        for app in scenario.apps {
            let path = LeafPath.streamer(app)
            guard isListening(path), let streamer = readyProcess(path), let state = batches.streamers[streamer] else {
                continue
            }
            if state.unacknowledged > 0 { return false }
        }
        return batches.ledger.isEmpty && batches.waiting.isEmpty
    }

    private func isListening(_ path: String) -> Bool {
        guard let process = readyProcess(path) else { return false }
        return processes[process].isResponsive && !processes[process].outputIsClosed
    }
}
