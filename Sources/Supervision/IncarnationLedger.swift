// Remembers the incarnations of paths that are no longer in the tree, so that none is ever used twice: an exit that
// comes late must not be taken for that of a new child of the same name. Bounded by forgetting in the safe direction.

/// The last incarnation of each path that has left the tree.
struct IncarnationLedger: Sendable {
    /// Paths remembered one by one.
    static let capacity = 8_192

    private var last: [String: Int] = [:]
    /// No forgotten path was ever started more often than this.
    private var floor = 0

    /// A path leaves the tree after its `incarnation`-th start.
    mutating func retire(_ path: String, incarnation: Int) {
        if last.count >= IncarnationLedger.capacity {
            floor = max(floor, last.values.max() ?? 0)
            last.removeAll()
        }
        if incarnation > floor { last[path] = incarnation }
    }

    /// A path enters the tree: the incarnation after which its starts count on.
    mutating func enter(_ path: String) -> Int {
        last.removeValue(forKey: path) ?? floor
    }
}
