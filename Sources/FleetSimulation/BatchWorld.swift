// What lies on the disk of the simulated world: what the sinks wrote and what the store has committed. It outlives every
// process, the parent's too. A line is its number, so that a hole shows, and so does a line that is there twice.
//
// Oracle: a file that is cut back to its committed position holds, for each app, exactly the lines up to the committed
// cursor, each once and in order. That holds after every transaction, and so for a crash at any moment.

internal import Fleet
internal import Framing

/// A batch as the simulation knows it.
struct SimulatedBatch {
    let app: Int
    /// Lines after this one, up to and including `to`.
    let from: Int
    let to: Int
    let number: UInt64
    /// Lines that people see again.
    var isReplay = false
    /// The number of its identities; 0 where it has none.
    var chunk: UInt64 = 0
    /// The Streamer's process; -1 in a later life.
    var streamer = -1

    /// What a chunk of identities says of it.
    var identities: [UInt8] {
        var bytes: [UInt8] = []
        IdentityBytes.append([UInt64(from), UInt64(to)], to: &bytes)
        return bytes
    }
}

/// A console or a file as it lies there, whoever writes it.
struct SimulatedSink {
    let path: String
    /// Whether it is a file, with a position.
    let keeps: Bool
    /// The batches in the file.
    var written: [Int] = []
    /// The last line of each app in it.
    var reached: [Int]
    /// How many of `written` are committed, and the last line of each app in them.
    var committed = 0
    var committedLines: [Int]
    /// When whoever writes it has written what it was given.
    var freeAtMs: Int64 = 0
}

/// A promise that the disk does not keep.
struct BrokenPromise {
    let invariant: String
    let detail: String
}

/// Everything that lasts.
struct BatchWorld {
    /// All batches ever sent.
    var sent: [SimulatedBatch] = []
    var sinks: [SimulatedSink]
    /// The cursor of each app in the store.
    var cursors: [Int]
    /// The identities of each app in the store, oldest first.
    var chunks: [[CommitPayload.Chunk]]
    let apps: [String]

    /// A Streamer needs its last three chunks.
    static let mostChunks = 3

    /// The oldest chunk that is still needed beside one.
    static func firstKept(beside chunk: UInt64) -> UInt64 { max(chunk, UInt64(mostChunks)) - UInt64(mostChunks) + 1 }

    /// Nothing was ever written to these sinks.
    init(apps: [String], sinkPaths: [String]) {
        self.apps = apps
        let zero = Array(repeating: 0, count: apps.count)
        sinks = sinkPaths.map {
            SimulatedSink(path: $0, keeps: $0 != LeafPath.console, reached: zero, committedLines: zero)
        }
        cursors = zero
        chunks = Array(repeating: [], count: apps.count)
    }

    /// The number of an app's last chunk.
    func lastChunk(_ app: Int) -> UInt64 { chunks[app].last?.number ?? 0 }

    /// A sink writes a batch.
    mutating func write(_ batch: Int, to sink: Int) -> BrokenPromise? {
        let sent = sent[batch]
        let what = "\(sinks[sink].path), app \(sent.app): line \(sent.from + 1) after \(sinks[sink].reached[sent.app])"
        guard !sent.isReplay else {
            return sinks[sink].keeps ? BrokenPromise(invariant: "what is shown again is not kept", detail: what) : nil
        }
        if sent.from > sinks[sink].reached[sent.app] {
            return BrokenPromise(invariant: "no line is lost", detail: what)
        }
        if sinks[sink].keeps {
            if sent.from < sinks[sink].reached[sent.app] {
                return BrokenPromise(invariant: "no line is in a file twice", detail: what)
            }
            sinks[sink].written.append(batch)
        }
        sinks[sink].reached[sent.app] = max(sinks[sink].reached[sent.app], sent.to)
        return nil
    }

    /// A file is cut back to a position; nil for the committed one.
    mutating func cut(_ sink: Int, to position: Int?) -> BrokenPromise? {
        let position = position ?? sinks[sink].committed
        guard position >= sinks[sink].committed, position <= sinks[sink].written.count else {
            return BrokenPromise(
                invariant: "a file is cut back to where it was, and never behind what is committed",
                detail: "\(sinks[sink].path) to \(position), committed \(sinks[sink].committed)")
        }
        sinks[sink].written.removeLast(sinks[sink].written.count - position)
        sinks[sink].reached = sinks[sink].committedLines
        for batch in sinks[sink].written[sinks[sink].committed...] {
            sinks[sink].reached[sent[batch].app] = sent[batch].to
        }
        return nil
    }

    /// The store makes a transaction.
    mutating func apply(_ commit: CommitPayload) -> BrokenPromise? {
        for place in commit.sinks {
            if let broken = move(place) { return broken }
        }
        for app in commit.apps {
            guard let index = apps.firstIndex(of: app.name) else { continue }
            if let broken = commitApp(app, index) { return broken }
        }
        for sink in sinks where sink.keeps && sink.committedLines != cursors {
            return BrokenPromise(
                invariant: "positions and cursors are of one moment",
                detail: "\(sink.path) has \(sink.committedLines), the cursors are \(cursors)")
        }
        return nil
    }

    private mutating func move(_ place: CommitPayload.Sink) -> BrokenPromise? {
        guard let sink = sinks.firstIndex(where: { $0.path == place.name }), let position = Int(place.position),
            position >= sinks[sink].committed, position <= sinks[sink].written.count
        else {
            return BrokenPromise(
                invariant: "a committed position is in the file and never goes back",
                detail: "\(place.name) at \(place.position)")
        }
        for batch in sinks[sink].written[sinks[sink].committed..<position] {
            sinks[sink].committedLines[sent[batch].app] = sent[batch].to
        }
        sinks[sink].committed = position
        return nil
    }

    private mutating func commitApp(_ app: CommitPayload.App, _ index: Int) -> BrokenPromise? {
        if let line = Int(app.cursor) {
            if line < cursors[index] {
                return BrokenPromise(invariant: "a committed cursor never goes back", detail: "\(app.name): \(line)")
            }
            for sink in sinks where !sink.keeps && line > sink.reached[index] && !isLive {
                return BrokenPromise(
                    invariant: "a cursor is committed when its lines are written", detail: "\(app.name): \(line)")
            }
            cursors[index] = line
        }
        for chunk in app.chunks {
            chunks[index].removeAll { $0.number == chunk.number }
            chunks[index].append(chunk)
        }
        chunks[index].removeAll { $0.number < app.firstKept }
        return checkMemory(index)
    }

    /// Whether the console looks on while files keep: what it got says nothing.
    var isLive = false

    /// What is remembered of an app reaches up to its cursor, without a hole.
    private func checkMemory(_ app: Int) -> BrokenPromise? {
        if chunks[app].count > Self.mostChunks {
            return BrokenPromise(
                invariant: "what is no longer needed goes", detail: "\(apps[app]): \(chunks[app].count)")
        }
        var last: (number: UInt64, to: UInt64)?
        for chunk in chunks[app] {
            let span = chunk.identities.withUnsafeBytes { IdentityBytes.read($0) }
            if let last, chunk.number != last.number + 1 || span[0] != last.to {
                return BrokenPromise(invariant: "no identity is missing", detail: "\(apps[app]), chunk \(chunk.number)")
            }
            last = (chunk.number, span[1])
        }
        guard let last, last.to != UInt64(cursors[app]) else { return nil }
        return BrokenPromise(
            invariant: "identities and cursors are of one moment",
            detail: "\(apps[app]): up to \(last.to), the cursor is \(cursors[app])")
    }
}
