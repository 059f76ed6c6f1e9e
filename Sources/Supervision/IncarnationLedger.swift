// Remembers what must outlive a child's place in the tree: its incarnation, so that none is ever used twice (an exit that
// comes late must not be taken for that of a new child of the same name), and its backoff, so that a group that restarts,
// and makes its children anew, is not the way around it. Bounded by forgetting, incarnations in the safe direction.

/// The last incarnation and the backoff of each path that has left the tree.
struct IncarnationLedger: Sendable {
    /// Paths remembered one by one.
    static let capacity = 8_192

    /// What is known of a path.
    struct Entry: Hashable, Sendable {
        /// Starts so far.
        var incarnation: Int
        var backoff = Backoff()
    }

    private var last: [String: Entry] = [:]
    /// No forgotten path was ever started more often than this.
    private var floor = 0

    /// A path leaves the tree.
    mutating func retire(_ path: String, _ entry: Entry) {
        if last.count >= IncarnationLedger.capacity {
            floor = max(floor, last.values.map(\.incarnation).max() ?? 0)
            last.removeAll()
        }
        if entry.incarnation > floor || entry.backoff != Backoff() { last[path] = entry }
    }

    /// A path enters the tree: the incarnation after which its starts count on, and its backoff.
    mutating func enter(_ path: String) -> Entry {
        let entry = last.removeValue(forKey: path) ?? Entry(incarnation: floor)
        return Entry(incarnation: max(entry.incarnation, floor), backoff: entry.backoff)
    }
}
