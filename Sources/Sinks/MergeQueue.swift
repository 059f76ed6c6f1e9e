// The batches of several apps, waiting to come out line by line in the order of their times.
//
// Pure: the clock is handed in, and what comes out is ranges of the batches' bytes. A line waits until
//
//     every app known has a line waiting, so that none of them can still have an earlier one (lines of an app come in
//     their order); an app whose last word was a mark, as where its stream stops, is not waited for; or
//     the window has passed since it came, or
//     more than `mostWaitingBytes` wait.
//
// Then it comes out behind every waiting line with an earlier time. A wait of the whole window would hold up an app
// that has much to tell, for its batches are acknowledged only when they are out: beyond `pressure` bytes an app waits
// for `pressedWindowMs` at most, and only for apps that said something within the last second.
//
// Invariant: lines of one app keep their order, whatever their times say; a line without a time goes with the one
// before it. Every line comes out exactly once.

/// Lines of one batch that come out next, as a range of its bytes.
struct MergedRun<Batch> {
    var batch: Batch
    var bytes: Range<Int>
    /// Whether it holds the batch's last line.
    var endsBatch: Bool
}

/// Merges batches.
struct MergeQueue<Batch> {
    /// Bytes that may wait in all.
    static var mostWaitingBytes: Int { 4 * 1024 * 1024 }
    /// Bytes of one app's batches, as they came, from which on it is in a hurry: a quarter of what a Streamer may have
    /// under way.
    static var pressure: Int { 256 * 1024 }
    static var pressedWindowMs: Int64 { 20 }
    /// How long an app may be silent and still be waited for by one in a hurry.
    static var silenceMs: Int64 { 1000 }

    private let windowMs: Int64
    private var indices: [String: Int] = [:]
    private var apps: [WaitingApp<Batch>] = []
    private var heads = HeadHeap()
    /// When the first of the heads has waited long enough.
    private(set) var deadlineMs: Int64?
    /// Bytes not yet out.
    private(set) var waitingBytes = 0
    /// Apps that have nothing waiting and ended with a mark.
    private var restingApps = 0

    init(windowMs: Int64) {
        self.windowMs = windowMs
    }

    /// Apps heard of.
    var appCount: Int { apps.count }

    /// Makes `app` one of those that are waited for.
    mutating func know(_ app: String, nowMs: Int64) {
        apps[index(of: app)].lastMs = nowMs
    }

    /// Takes a batch of at least one line, which was `sourceBytes` long on its way here.
    mutating func add(_ batch: Batch, lines: [TimedLine], sourceBytes: Int, app: String, nowMs: Int64) {
        precondition(!lines.isEmpty, "a batch without lines has nothing to merge")
        let index = index(of: app)
        let isHead = apps[index].isEmpty
        if apps[index].isResting { restingApps -= 1 }
        apps[index].append(batch, lines, sourceBytes, nowMs)
        waitingBytes += Int(lines[lines.count - 1].end)
        if isHead { heads.insert(apps[index].headTime, index) }
        let deadline = deadline(of: index)
        deadlineMs = min(deadlineMs ?? deadline, deadline)
    }

    /// Hands out what need not wait any longer at `nowMs`, or everything, in the order in which it is to be written.
    mutating func release(nowMs: Int64, everything: Bool = false, _ body: (MergedRun<Batch>) -> Void) {
        var mustWait = mayBePreceded(nowMs)
        while let first = heads.first {
            let isDue = everything || !mustWait || deadlineMs.map { $0 <= nowMs } == true
            let spare = isDue ? Int.max : waitingBytes - Self.mostWaitingBytes
            guard spare > 0 else { return }
            let run = apps[first.app].takeRun(before: heads.second, own: first.app, atLeast: spare)
            waitingBytes -= run.bytes.count
            if apps[first.app].isEmpty { heads.removeFirst() } else { heads.replaceFirst(apps[first.app].headTime) }
            if apps[first.app].isResting { restingApps += 1 }
            if run.endsBatch {
                deadlineMs = firstDeadline
                mustWait = mayBePreceded(nowMs)
            }
            body(run)
        }
    }

    /// Whether an app that has nothing waiting must still be waited for.
    private func mayBePreceded(_ nowMs: Int64) -> Bool {
        guard heads.count + restingApps < apps.count else { return false }
        guard apps.contains(where: { $0.sourceBytes > Self.pressure }) else { return true }
        return apps.contains { $0.isEmpty && !$0.isResting && $0.lastMs > nowMs - Self.silenceMs }
    }

    private var firstDeadline: Int64? {
        apps.indices.lazy.filter { !apps[$0].isEmpty }.map { deadline(of: $0) }.min()
    }

    private func deadline(of index: Int) -> Int64 {
        let window = apps[index].sourceBytes > Self.pressure ? min(windowMs, Self.pressedWindowMs) : windowMs
        return apps[index].headMs + window
    }

    private mutating func index(of app: String) -> Int {
        if let index = indices[app] { return index }
        indices[app] = apps.count
        apps.append(WaitingApp())
        return apps.count - 1
    }
}

/// The batches of one app.
private struct WaitingApp<Batch> {
    private struct Item {
        let batch: Batch
        let lines: [TimedLine]
        let sourceBytes: Int
        var next = 0
        /// When it came.
        let sinceMs: Int64

        var start: Int { next == 0 ? 0 : Int(lines[next - 1].end) }
    }

    private var items: [Item] = []
    private var head = 0
    /// The time by which the last line added goes.
    private var lastTime = TimedLine.noTime
    /// When the last batch came.
    var lastMs: Int64 = 0
    /// Bytes of the batches that wait, as they came.
    private(set) var sourceBytes = 0
    private var endsWithMark = false

    var isEmpty: Bool { head == items.count }
    /// Whether nothing is expected of it: its last line, which is out, had no time.
    var isResting: Bool { isEmpty && endsWithMark }
    /// When the first batch came, and the time of its next line; there must be one.
    var headMs: Int64 { items[head].sinceMs }
    var headTime: Int64 { items[head].lines[items[head].next].time }

    mutating func append(_ batch: Batch, _ lines: [TimedLine], _ count: Int, _ nowMs: Int64) {
        var lines = lines
        endsWithMark = lines.last?.time == TimedLine.noTime
        for index in lines.indices {
            if lines[index].time == TimedLine.noTime {
                lines[index].time = lastTime
            } else {
                lastTime = lines[index].time
            }
        }
        items.append(Item(batch: batch, lines: lines, sourceBytes: count, sinceMs: nowMs))
        sourceBytes += count
        lastMs = nowMs
    }

    /// Takes the lines of the first batch that come before `other`, the first one at any rate, and no more than it takes
    /// to reach `atLeast` bytes.
    mutating func takeRun(before other: HeadHeap.Head?, own: Int, atLeast: Int) -> MergedRun<Batch> {
        let start = items[head].start
        let count = items[head].lines.count
        var next = items[head].next + 1
        items[head].lines.withUnsafeBufferPointer { lines in
            while next < count, Int(lines[next - 1].end) - start < atLeast {
                if let other, !HeadHeap.Head(time: lines[next].time, app: own).precedes(other) { break }
                next += 1
            }
        }
        items[head].next = next
        let run = MergedRun(batch: items[head].batch, bytes: start..<items[head].start, endsBatch: next == count)
        if run.endsBatch { removeHead() }
        return run
    }

    private mutating func removeHead() {
        sourceBytes -= items[head].sourceBytes
        head += 1
        // Half of the storage is spent: each item is moved once at most on average. What is left in it is but lines:
        // whoever gave a batch lets go of its bytes with its last run.
        if head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
    }
}

/// The first lines of the apps, the earliest first; of equal times, the app known for longer.
private struct HeadHeap {
    struct Head {
        var time: Int64
        var app: Int

        @inline(__always)
        func precedes(_ other: Head) -> Bool { time != other.time ? time < other.time : app < other.app }
    }

    private var heads: [Head] = []

    var count: Int { heads.count }
    var first: Head? { heads.first }
    /// The one that would be first without the first.
    var second: Head? {
        guard heads.count > 2 else { return heads.count == 2 ? heads[1] : nil }
        return heads[1].precedes(heads[2]) ? heads[1] : heads[2]
    }

    mutating func insert(_ time: Int64, _ app: Int) {
        heads.append(Head(time: time, app: app))
        var index = heads.count - 1
        while index > 0, heads[index].precedes(heads[(index - 1) / 2]) {
            heads.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Gives the first one's app another time.
    mutating func replaceFirst(_ time: Int64) {
        heads[0].time = time
        sink()
    }

    mutating func removeFirst() {
        heads.swapAt(0, heads.count - 1)
        heads.removeLast()
        sink()
    }

    private mutating func sink() {
        var index = 0
        while true {
            let left = 2 * index + 1
            var least = index
            if left < heads.count, heads[left].precedes(heads[least]) { least = left }
            if left + 1 < heads.count, heads[left + 1].precedes(heads[least]) { least = left + 1 }
            guard least != index else { return }
            heads.swapAt(index, least)
            index = least
        }
    }
}
