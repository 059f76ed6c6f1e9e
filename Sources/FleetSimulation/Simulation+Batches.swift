// Batches on their way: Streamers that number the lines of their app, a sink that writes them, a store that commits
// cursors, and the relay's books between them, which are the real ones. A line is its number, so that a gap shows.
//
// Oracle: the sink never gets a line before the one that precedes it; a cursor is committed only when the sink has the
// lines before it, and never goes back; once the faults have ceased nothing stays on its way.

internal import Fleet

/// A batch as the simulation knows it.
struct SimulatedBatch {
    let app: Int
    /// Lines after this one, up to and including `to`.
    let from: Int
    let to: Int
    let number: UInt64
    /// The Streamer's process.
    let streamer: Int
}

/// Everything about batches.
struct BatchWorld {
    var ledger = BatchLedger<Int>()
    var commits = CommitLedger()
    /// All batches ever sent.
    var sent: [SimulatedBatch] = []
    /// The commits that went to the store, as its app and line for each.
    var transactions: [[(app: Int, line: Int)]] = []
    /// The store's process that the transaction under way went to; nil when none is.
    var committing: (transaction: Int, process: Int)?
    /// The last line of each app that the sink has safe.
    var written: [Int]
    /// The cursor of each app in the store.
    var committed: [Int]
    /// What each Streamer has got to; by process.
    var streamers: [Int: StreamerState] = [:]
    /// Streamers that asked where to begin, in order.
    var waiting: [Int] = []
    var isPaused = false
    /// When the sink has written what it was given.
    var sinkFreeAtMs: Int64 = 0

    struct StreamerState {
        let app: Int
        var line = 0
        var number: UInt64 = 0
        var unacknowledged = 0
        var left: Int
    }

    static let maximumUnacknowledged = 6

    init(apps: Int) {
        written = Array(repeating: 0, count: apps)
        committed = written
    }
}

extension Simulation {
    private func readyProcess(_ path: String) -> Int? {
        guard let leaf = tree.index[path] else { return nil }
        let process = tree.nodes[leaf].process
        guard process >= 0, processes[process].readyWasTold, !processes[process].exitWasTold,
            !processes[process].isDiscarded
        else { return nil }
        return process
    }

    private func app(_ process: Int) -> Int? {
        let path = processes[process].identity.path
        guard scenario.hasBatches, path.hasPrefix(LeafPath.streamers + "/") else { return nil }
        return scenario.apps.firstIndex(of: LeafPath.lastComponent(path))
    }

    private func isWorker(_ process: Int, _ path: String) -> Bool { processes[process].identity.path == path }

    // MARK: workers

    /// A Streamer that is ready asks for its cursor.
    mutating func startStreaming(_ process: Int) {
        guard app(process) != nil else { return }
        write(.cursorWanted, process)
    }

    mutating func takeCursor(_ cursor: Int, _ process: Int) {
        guard let app = app(process), batches.streamers[process] == nil else { return }
        batches.streamers[process] = BatchWorld.StreamerState(app: app, line: cursor, left: random.between(1, 6))
        plan(.acts(process, .sendsBatch), inMs: duration(0, 300))
    }

    mutating func sendBatch(_ process: Int) {
        guard var state = batches.streamers[process], state.left > 0, !processes[process].isAskedToStop,
            state.unacknowledged < BatchWorld.maximumUnacknowledged,
            processes[process].output.count < VirtualProcess.pipeFrames
        else { return }
        let from = state.line
        state.line += random.between(1, 50)
        state.number += 1
        state.unacknowledged += 1
        state.left -= 1
        batches.streamers[process] = state
        batches.sent.append(
            SimulatedBatch(app: state.app, from: from, to: state.line, number: state.number, streamer: process))
        write(.batch(batches.sent.count - 1), process)
        plan(.acts(process, .sendsBatch), inMs: duration(0, 400))
    }

    mutating func takeAcknowledgement(_ line: Int, _ process: Int) {
        guard let state = batches.streamers[process] else { return }
        batches.streamers[process]?.unacknowledged -= 1
        needsLook = true
        if line > state.line { fail("only what was sent is acknowledged", processes[process].identity.path) }
        plan(.acts(process, .sendsBatch), inMs: duration(0, 200))
    }

    /// The sink got a batch: it writes it in its time.
    mutating func takeBatch(_ batch: Int, _ process: Int) {
        let slow = sites.fires(.sinkIsSlow, &random) ? duration(50, 1_500) : 0
        // Its own output is in order: a later batch is not written before an earlier one.
        let earliest = max(now + slow + latency(), batches.sinkFreeAtMs)
        batches.sinkFreeAtMs = earliest
        plan(.acts(process, .settlesBatch(batch)), inMs: earliest - now)
    }

    mutating func settleBatch(_ batch: Int, _ process: Int) {
        let sent = batches.sent[batch]
        if sent.from > batches.written[sent.app] {
            fail("no line is lost", "app \(sent.app): line \(sent.from + 1) after \(batches.written[sent.app])")
        }
        batches.written[sent.app] = max(batches.written[sent.app], sent.to)
        write(.acknowledgement(batch: batch), process)
    }

    mutating func takeCommit(_ transaction: Int, _ process: Int) {
        plan(.acts(process, .settlesCommit(transaction)), inMs: latency())
    }

    mutating func settleCommit(_ transaction: Int, _ process: Int) {
        let refuses = faultsGoOn && sites.fires(.storeRefuses, &random)
        if !refuses {
            for (app, line) in batches.transactions[transaction] {
                if line > batches.written[app] {
                    fail("a cursor is committed when its lines are written", "app \(app): \(line)")
                }
                if line < batches.committed[app] { fail("a committed cursor never goes back", "app \(app): \(line)") }
                batches.committed[app] = line
            }
        }
        write(.commitReply(transaction, committed: !refuses), process)
    }

    // MARK: the parent's relay

    mutating func workerIsReady(_ process: Int) {
        guard scenario.hasBatches, finish == nil else { return }
        if isWorker(process, LeafPath.console) {
            batches.ledger.attach()
            deliver()
        } else if isWorker(process, LeafPath.store) {
            commit()
            giveWaitingCursors()
        } else if batches.isPaused, app(process) != nil {
            pauseReading(process)
        }
    }

    mutating func workerIsGone(_ process: Int) {
        guard scenario.hasBatches else { return }
        if isWorker(process, LeafPath.console) { batches.ledger.detach() }
        if batches.committing?.process == process {
            batches.committing = nil
            batches.commits.fail()
        }
        batches.waiting.removeAll { $0 == process }
    }

    mutating func receiveBatch(_ batch: Int, _ process: Int) {
        let sent = batches.sent[batch]
        let large = sites.fires(.batchesAreLarge, &random)
        batches.ledger.append(
            Batch(
                app: scenario.apps[sent.app], number: sent.number,
                incarnation: processes[process].identity.incarnation, cursor: "\(sent.to)",
                bytes: large ? random.between(8, 40) << 20 : random.between(1, 64) << 10, body: batch))
        deliver()
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

    private mutating func deliver(ignoringWindow: Bool = false) {
        while let batch = batches.ledger.nextDelivery(ignoringWindow: ignoringWindow) {
            // Between its death and its discard a sink gets nothing any more; what it would have got is in hand.
            if let sink = readyProcess(LeafPath.console) { send(.batch(batch.body), sink) }
        }
    }

    mutating func receiveAcknowledgement(_ batch: Int, _ process: Int) {
        let sent = batches.sent[batch]
        let app = scenario.apps[sent.app]
        guard let settled = batches.ledger.acknowledge(app: app, number: sent.number) else {
            return fail("an acknowledgement in turn is taken", "\(app), batch \(sent.number)")
        }
        if settled.cursor != "\(sent.to)" { fail("a batch keeps its cursor", "\(app): \(settled.cursor)") }
        batches.commits.add(
            cursor: settled.cursor,
            receipt: CommitLedger.Receipt(app: app, number: settled.number, incarnation: settled.incarnation))
        commit()
        deliver()
        guard batches.isPaused, batches.ledger.heldBytes < 48 << 20 else { return }
        batches.isPaused = false
        forEachStreamer { $0.resumeReading($1) }
    }

    mutating func commit() {
        guard scenario.hasBatches, let store = readyProcess(LeafPath.store),
            let cursors = batches.commits.begin()
        else { return }
        let transaction = newTransaction(cursors)
        batches.committing = (transaction, store)
        send(.commit(transaction), store)
    }

    private mutating func newTransaction(_ cursors: [(app: String, cursor: String)]) -> Int {
        let lines = cursors.compactMap { entry -> (app: Int, line: Int)? in
            guard let app = scenario.apps.firstIndex(of: entry.app), let line = Int(entry.cursor) else { return nil }
            return (app, line)
        }
        batches.transactions.append(lines)
        return batches.transactions.count - 1
    }

    mutating func receiveCommitReply(_ transaction: Int, _ committed: Bool, _ process: Int) {
        // The last words to a store that was asked to stop are answered to nobody.
        guard let committing = batches.committing, committing.transaction == transaction else { return }
        batches.committing = nil
        guard committed else {
            batches.commits.fail()
            return plan(.retryCommit, inMs: 1_000)
        }
        for receipt in batches.commits.succeed() { acknowledge(receipt) }
        commit()
        giveWaitingCursors()
    }

    /// The Streamer that sent it may forget a batch; its successor never knew of it.
    private mutating func acknowledge(_ receipt: CommitLedger.Receipt) {
        guard let process = readyProcess(LeafPath.streamer(receipt.app)),
            processes[process].identity.incarnation == receipt.incarnation,
            let batch = batches.sent.first(where: { $0.streamer == process && $0.number == receipt.number })
        else { return }
        if batch.to > batches.committed[batch.app] {
            fail("a batch is forgotten when its cursor is committed", "\(receipt.app), batch \(receipt.number)")
        }
        send(.acknowledged(batch.to), process)
    }

    /// A Streamer begins where its predecessor's last batch ends, once that is known.
    mutating func giveCursor(_ process: Int) {
        batches.waiting.append(process)
        giveWaitingCursors()
    }

    private mutating func giveWaitingCursors() {
        guard readyProcess(LeafPath.store) != nil else { return }
        for process in batches.waiting {
            guard let app = app(process) else { continue }
            let name = scenario.apps[app]
            guard batches.ledger.isSettled(name), batches.commits.isClean(name) else { continue }
            batches.waiting.removeAll { $0 == process }
            send(.cursor(batches.committed[app]), process)
        }
    }

    /// What is asked to stop gets everything meant for it first.
    mutating func flushBefore(stopOf process: Int) {
        guard scenario.hasBatches, processes[process].readyWasTold, !processes[process].exitWasTold else { return }
        if isWorker(process, LeafPath.console) { deliver(ignoringWindow: true) }
        guard isWorker(process, LeafPath.store) else { return }
        let cursors = batches.commits.uncommitted()
        if !cursors.isEmpty { send(.commit(newTransaction(cursors)), process) }
    }

    /// Whether nothing is on its way any more, or nobody is there to take it.
    var batchesAreSettled: Bool {
        guard scenario.hasBatches, let store = readyProcess(LeafPath.store),
            let sink = readyProcess(LeafPath.console), processes[store].isResponsive, processes[sink].isResponsive,
            !processes[store].outputIsClosed, !processes[sink].outputIsClosed
        else { return true }
        for app in scenario.apps {
            guard let streamer = readyProcess(LeafPath.streamer(app)), processes[streamer].isResponsive,
                !processes[streamer].outputIsClosed, let state = batches.streamers[streamer]
            else { continue }
            if state.unacknowledged > 0 { return false }
        }
        return batches.ledger.isEmpty && batches.committing == nil && batches.commits.uncommitted().isEmpty
            && batches.waiting.isEmpty
    }
}
