// Batches on their way: Streamers that number the lines of their app, sinks that write them, a store that commits. What
// lies on the disk is BatchWorld; the parent's relay between them is in +Relay, with the real books.

internal import EventLoop
internal import Fleet
internal import Framing

/// What the processes that move batches know, and their parent.
struct BatchTraffic {
    var ledger: BatchLedger<Int>
    /// Places among the subscribers of the world's sinks; nil for one that only looks on.
    let subscribers: [Int?]
    /// The commits that went to the store.
    var transactions: [CommitPayload] = []
    /// The store's process that the transaction under way went to; nil when none is.
    var committing: (transaction: Int, process: Int)?
    var isGathering = false
    var isResting = false
    /// The store's process that is to be asked to stop once all is committed.
    var stopsAfterCommit: Int?
    /// What each Streamer has got to; by process.
    var streamers: [Int: StreamerState] = [:]
    /// The memory that a Streamer's next batch belongs to; by process.
    var memories: [Int: Int] = [:]
    /// Where each file's process was told that its file ends, by process; none was told to ask the store.
    var positions: [Int: Int] = [:]
    /// Streamers that asked where to begin, in order.
    var waiting: [Int] = []
    var isPaused = false

    struct StreamerState {
        let app: Int
        var line: Int
        var chunk: UInt64
        var left: Int
        /// Its batches, by their numbers.
        var sent: [Int] = []
        var acknowledged = 0
        var unacknowledged: Int { sent.count - acknowledged }
    }

    static let maximumUnacknowledged = 6

    /// Books for the sinks of a world.
    init(_ world: BatchWorld) {
        ledger = Self.ledger(world)
        var next = 0
        subscribers = world.sinks.map { sink in
            guard sink.keeps || !world.isLive else { return nil }
            next += 1
            return next - 1
        }
    }

    /// The books of a parent that knows nothing yet.
    static func ledger(_ world: BatchWorld) -> BatchLedger<Int> {
        BatchLedger(
            subscribers: world.sinks.filter { $0.keeps || !world.isLive }.map {
                BatchSubscriber(name: $0.keeps ? $0.path : nil)
            })
    }
}

extension Simulation {
    func readyProcess(_ path: String) -> Int? {
        guard let leaf = tree.index[path] else { return nil }
        let process = tree.nodes[leaf].process
        guard process >= 0, processes[process].readyWasTold, !processes[process].exitWasTold,
            !processes[process].isDiscarded
        else { return nil }
        return process
    }

    func app(_ process: Int) -> Int? {
        let path = processes[process].identity.path
        guard scenario.hasBatches, path.hasPrefix(LeafPath.streamers + "/") else { return nil }
        return scenario.apps.firstIndex(of: LeafPath.lastComponent(path))
    }

    /// The sink that a process writes.
    func sink(_ process: Int) -> Int? {
        let path = processes[process].identity.path
        guard scenario.hasBatches, path.hasPrefix("sinks/") else { return nil }
        return world.sinks.firstIndex { $0.path == path }
    }

    mutating func check(_ broken: BrokenPromise?) {
        if let broken { fail(broken.invariant, broken.detail) }
    }

    // MARK: Streamers

    /// A Streamer that is ready asks for its cursor.
    mutating func startStreaming(_ process: Int) {
        guard app(process) != nil else { return }
        write(.cursorWanted, process)
    }

    mutating func takeCursor(_ cursor: Int, _ chunk: UInt64, _ process: Int) {
        guard let app = app(process), batches.streamers[process] == nil else { return }
        batches.streamers[process] = BatchTraffic.StreamerState(
            app: app, line: cursor, chunk: chunk, left: random.between(1, 6))
        plan(.acts(process, .sendsBatch), inMs: duration(0, 300))
    }

    mutating func sendBatch(_ process: Int) {
        guard var state = batches.streamers[process], state.left > 0, !processes[process].isAskedToStop,
            state.unacknowledged < BatchTraffic.maximumUnacknowledged,
            processes[process].output.count < VirtualProcess.pipeFrames - 1
        else { return }
        let number = UInt64(state.sent.count + 1)
        var batch = SimulatedBatch(app: state.app, from: state.line, to: state.line, number: number, streamer: process)
        if scenario.files > 0, random.chance(15) {
            batch.isReplay = true
        } else if random.chance(85) {
            state.line += random.between(1, 50)
            state.chunk += 1
            batch = SimulatedBatch(
                app: state.app, from: batch.from, to: state.line, number: number, chunk: state.chunk, streamer: process)
        }
        state.left -= 1
        world.sent.append(batch)
        let index = world.sent.count - 1
        state.sent.append(index)
        batches.streamers[process] = state
        if batch.chunk > 0 { write(.memory(index), process) }
        write(.batch(index), process)
        plan(.acts(process, .sendsBatch), inMs: duration(0, 400))
    }

    mutating func takeAcknowledgement(_ number: UInt64, _ process: Int) {
        guard let state = batches.streamers[process] else { return }
        if number > state.sent.count { fail("only what was sent is acknowledged", processes[process].identity.path) }
        batches.streamers[process]?.acknowledged = max(state.acknowledged, Int(number))
        needsLook = true
        plan(.acts(process, .sendsBatch), inMs: duration(0, 200))
    }

    // MARK: sinks

    /// A file's process begins: what it wrote beyond what counts is cut off.
    mutating func openSink(_ process: Int) {
        guard let sink = sink(process), world.sinks[sink].keeps else { return }
        check(world.cut(sink, to: batches.positions[process]))
    }

    /// A sink got a batch: it writes it in its time.
    mutating func takeBatch(_ batch: Int, _ process: Int) {
        guard let sink = sink(process) else { return }
        let slow = sites.fires(.sinkIsSlow, &random) ? duration(50, 1_500) : 0
        // Its own output is in order: a later batch is not written before an earlier one.
        let earliest = max(now + slow + latency(), world.sinks[sink].freeAtMs)
        world.sinks[sink].freeAtMs = earliest
        plan(.acts(process, .settlesBatch(batch)), inMs: earliest - now)
    }

    mutating func settleBatch(_ batch: Int, _ process: Int) {
        guard let sink = sink(process) else { return }
        check(world.write(batch, to: sink))
        if faultsGoOn, sites.fires(.sinkDiesUnacknowledged, &random) {
            return end(process, .signaled(signal: 9, coreDumped: false))
        }
        write(.acknowledgement(batch: batch, position: world.sinks[sink].written.count), process)
    }

    // MARK: store

    mutating func takeCommit(_ transaction: Int, _ process: Int) {
        // One connection: what came first is done first.
        let earliest = max(now + latency(), storeFreeAtMs)
        storeFreeAtMs = earliest
        plan(.acts(process, .settlesCommit(transaction)), inMs: earliest - now)
    }

    mutating func settleCommit(_ transaction: Int, _ process: Int) {
        let refuses = faultsGoOn && sites.fires(.storeRefuses, &random)
        if !refuses { check(world.apply(batches.transactions[transaction])) }
        if faultsGoOn, sites.fires(.storeDiesUnanswered, &random) {
            return end(process, .signaled(signal: 9, coreDumped: false))
        }
        write(.commitReply(transaction, committed: !refuses), process)
    }
}
