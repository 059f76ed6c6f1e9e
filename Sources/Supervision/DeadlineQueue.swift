// Every deadline of the tree in one binary heap, so that the driver needs one timer. A cancelled deadline stays in the
// heap until it surfaces or until the dead outnumber the living; its token tells the two apart.

/// Deadlines, soonest first; those of the same time in the order in which they were set.
struct DeadlineQueue: Sendable {
    /// A deadline of one node.
    struct Entry: Sendable {
        let time: Timestamp
        /// Never repeats; the node knows which one is its own.
        let token: UInt64
        let slot: Int

        fileprivate func precedes(_ other: Entry) -> Bool {
            (time, token) < (other.time, other.token)
        }
    }

    private var heap: [Entry] = []

    /// The soonest entry, dead or alive.
    var first: Entry? { heap.first }

    /// Entries, dead ones included.
    var count: Int { heap.count }

    /// Adds an entry.
    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the soonest entry.
    @discardableResult
    mutating func popFirst() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        sink(from: 0)
        return first
    }

    /// Keeps only the entries that are alive.
    mutating func compact(_ isAlive: (Entry) -> Bool) {
        heap = heap.filter(isAlive)
        for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) {
            sink(from: parent)
        }
    }

    private mutating func sink(from start: Int) {
        var parent = start
        while true {
            var soonest = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
                if heap[child].precedes(heap[soonest]) { soonest = child }
            }
            guard soonest != parent else { return }
            heap.swapAt(parent, soonest)
            parent = soonest
        }
    }
}
