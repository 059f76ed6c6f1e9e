// Whether Streamers are read. What the parent holds of their lines is bounded over all of them: whole batches, and what
// lies in decoders of frames that are not whole yet. Past the bound nobody is read: they wait, and with them the API.
//
// Batches go by themselves, once the sinks and the store have them. Unfinished frames do not: a thousand Streamers in the
// middle of a frame would wait for each other for ever. So while few whole batches are held, Streamers take turns: a few at
// a time are read until a batch of theirs is whole, or until nothing came for a while.

internal import DequeModule
internal import EventLoop

/// Pauses Streamers and lets them go on.
///
/// Confined to the loop.
final class StreamerGate {
    /// Bytes held above which no Streamer is read.
    static let pauseBytes = 64 * 1024 * 1024
    /// Bytes held below which all are read again.
    static let resumeBytes = 48 * 1024 * 1024
    /// Bytes of whole batches below which Streamers take turns.
    static let turnBytes = 32 * 1024 * 1024
    /// How many have their turn at a time.
    static let mostTurns = 8
    /// How long one that is not heard keeps its turn, in ms.
    static let turnMs: Int64 = 10
    /// Bytes held below which a jam is over.
    static let calmBytes = 8 * 1024 * 1024
    /// Memory is given back at most this often in a jam, in ms.
    static let givingMs: Int64 = 1_000

    private struct Turn {
        let worker: WorkerProcess
        var wasHeard = false
        var isOver = false
    }

    private let loop: Loop
    private let forEachStreamer: ((WorkerProcess) -> Void) -> Void
    private let timer: LoopTimer
    private let giveBack: () -> Void
    private var isJammed = false
    private var gaveBackAt: Int64?
    private(set) var isPaused = false
    private(set) var unfinishedBytes = 0
    private var heldBytes = 0
    /// Who waits for a turn.
    private var line: Deque<WorkerProcess> = []
    private var turns: [Turn] = []

    init(
        _ loop: Loop, giveBack: @escaping () -> Void = giveBackMemory,
        forEachStreamer: @escaping ((WorkerProcess) -> Void) -> Void
    ) {
        self.loop = loop
        self.giveBack = giveBack
        timer = LoopTimer(loop)
        self.forEachStreamer = forEachStreamer
    }

    /// Ends it for good.
    func close() { timer.close() }

    /// So many bytes of whole batches are held now.
    func holds(_ bytes: Int) {
        heldBytes = bytes
        look()
    }

    /// A Streamer was read, and holds so many more bytes of what is not whole yet.
    func wasRead(_ streamer: WorkerProcess, unfinished delta: Int) {
        unfinishedBytes += delta
        if isPaused, let turn = turn(of: streamer) {
            turns[turn].wasHeard = true
            if turns[turn].isOver { end(turn) }
        }
        look()
    }

    /// A batch of a Streamer is whole: somebody else has the next turn.
    func batchCame(from streamer: WorkerProcess) {
        if isPaused, let turn = turn(of: streamer) { turns[turn].isOver = true }
    }

    /// A Streamer can be left unread from now on.
    func isReady(_ streamer: WorkerProcess) {
        guard isPaused else { return }
        streamer.pauseReading()
        line.append(streamer)
        look()
    }

    /// A Streamer is gone, and what it held of unfinished frames with it.
    func isGone(_ streamer: WorkerProcess) {
        if let turn = turn(of: streamer) { turns.remove(at: turn) }
        look()
    }

    private func turn(of streamer: WorkerProcess) -> Int? { turns.firstIndex { $0.worker === streamer } }

    private func look() {
        let total = heldBytes + unfinishedBytes
        if !isPaused, total > Self.pauseBytes {
            pause()
        } else if isPaused, total < Self.resumeBytes {
            resume()
        } else if isPaused {
            giveTurns()
        }
        if isJammed, total < Self.calmBytes {
            isJammed = false
            gaveBackAt = nil
            giveBack()
        }
    }

    private func pause() {
        isPaused = true
        isJammed = true
        if gaveBackAt.map({ loop.now - $0 >= Self.givingMs }) ?? true {
            gaveBackAt = loop.now
            giveBack()
        }
        var others: [WorkerProcess] = []
        forEachStreamer { streamer in
            streamer.pauseReading()
            if streamer.unfinishedBytes > 0 { line.append(streamer) } else { others.append(streamer) }
        }
        line.append(contentsOf: others)
        timer.start(after: Self.turnMs, repeating: Self.turnMs) { [unowned self] in endIdleTurns() }
        giveTurns()
    }

    private func resume() {
        isPaused = false
        timer.stop()
        line.removeAll()
        turns.removeAll()
        forEachStreamer { $0.resumeReading() }
    }

    private func giveTurns() {
        while heldBytes < Self.turnBytes, turns.count < Self.mostTurns, let next = line.popFirst() {
            // Whoever is not left unread needs no turn.
            guard next.isReadingPaused else { continue }
            turns.append(Turn(worker: next))
            next.resumeReading()
        }
    }

    private func end(_ turn: Int) {
        let streamer = turns.remove(at: turn).worker
        streamer.pauseReading()
        line.append(streamer)
    }

    private func endIdleTurns() {
        let idle = turns.filter { !$0.wasHeard }.map(\.worker)
        for turn in turns.indices { turns[turn].wasHeard = false }
        // A pause may have consequences, and the turns be others then.
        for streamer in idle { if let turn = turn(of: streamer) { end(turn) } }
        look()
    }
}
