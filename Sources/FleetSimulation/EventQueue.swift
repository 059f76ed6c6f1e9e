// What will happen, in order of time, and of the same time in the order in which it was planned: the run's only clock.

/// Something that happens in the simulated world.
enum Occurrence {
    // To a process; its index follows.
    /// There are frames on its stdin.
    case inputReadable(Int)
    case signalArrives(Int, VirtualSignal)
    /// It does something by itself.
    case acts(Int, WorkerAct)
    case continues(Int)
    /// SIGKILL has worked at last.
    case dies(Int)
    /// Whoever else held its pipes lets go of them.
    case pipesReleased(Int)
    // At the parent's loop.
    case spawnAnswered(Int)
    case spawnRefused(leaf: Int, incarnation: Int)
    case readable(Int, errors: Bool)
    case reapable(Int)
    /// The loop's timer, unless it was set anew since.
    case timer(UInt64)
    /// The loop wakes for nothing.
    case spuriousTime
    case stops(interrupting: Bool)
    case appServerNeeded(Int)
    case staleEvent
    /// Commits were gathered for long enough.
    case commitIsDue
    /// A store that refused a commit was left alone for long enough.
    case storeHasRested
    case commitTimesOut(Int)
    // To everybody.
    /// SIGKILL to the parent, which nobody outlives.
    case parentIsKilled
    case loopStandsStill(milliseconds: Int64)
    case crashTogether
    /// A promise has to be kept by now.
    case due(Promise)

    /// Whether it is the parent's loop that notices it: it then waits while the loop stands still.
    var isAtLoop: Bool {
        switch self {
        case .inputReadable, .signalArrives, .acts, .continues, .dies, .pipesReleased, .loopStandsStill, .crashTogether,
            .parentIsKilled, .due:
            false
        default: true
        }
    }
}

/// Occurrences, soonest first.
struct EventQueue {
    struct Entry {
        let time: Int64
        let order: UInt64
        let occurrence: Occurrence
    }

    private var heap: [Entry] = []
    private var lastOrder: UInt64 = 0

    /// When the next one happens.
    var nextTime: Int64? { heap.first?.time }
    var count: Int { heap.count }

    /// Plans something behind everything that is planned for the same time.
    mutating func add(_ occurrence: Occurrence, at time: Int64) {
        lastOrder += 1
        insert(Entry(time: time, order: (1 << 24) + lastOrder, occurrence: occurrence))
    }

    /// Plans something before everything that is planned for the same time, in no order among what is planned so.
    ///
    /// `bits` are at most 24.
    mutating func add(_ occurrence: Occurrence, at time: Int64, shuffledBy bits: UInt64) {
        lastOrder += 1
        insert(Entry(time: time, order: bits, occurrence: occurrence))
    }

    mutating func popFirst() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        sink()
        return first
    }

    private mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var soonest = parent
            let left = 2 * parent + 1
            if left < heap.count, Self.precedes(heap[left], heap[soonest]) { soonest = left }
            if left + 1 < heap.count, Self.precedes(heap[left + 1], heap[soonest]) { soonest = left + 1 }
            guard soonest != parent else { return }
            heap.swapAt(parent, soonest)
            parent = soonest
        }
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.time != right.time ? left.time < right.time : left.order < right.order
    }
}
