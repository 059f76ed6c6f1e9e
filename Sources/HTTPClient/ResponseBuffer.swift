// The memory a body is received into. It grows, and is used again for the next body, so that a stream of pages of one
// size allocates nothing. Invariant: `count + padding <= capacity` whenever there is memory.

internal import Glibc

/// The body of the answer at hand.
struct ResponseBuffer: ~Copyable {
    /// Readable bytes kept behind the body: as many as a parser may read past its end.
    static let padding = 64
    /// Most that is kept for the next body when this one is given up, in bytes: 1 MiB.
    static let keptCapacity = 1024 * 1024
    private static let smallestCapacity = 16 * 1024

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0

    deinit { free(base) }

    /// The body as far as it was received; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Forgets the body, and its memory too where that is unusually large.
    mutating func reset() {
        count = 0
        guard capacity > Self.keptCapacity else { return }
        free(base)
        base = nil
        capacity = 0
    }

    /// Appends a piece; false when there is no memory for it.
    mutating func append(_ piece: UnsafeRawBufferPointer) -> Bool {
        guard let source = piece.baseAddress, !piece.isEmpty else { return true }
        let needed = count + piece.count + Self.padding
        if needed > capacity, !grow(to: needed) { return false }
        guard let base else { return false }
        memcpy(base + count, source, piece.count)
        count += piece.count
        return true
    }

    private mutating func grow(to needed: Int) -> Bool {
        var wanted = max(capacity, Self.smallestCapacity)
        while wanted < needed { wanted *= 2 }
        guard let moved = realloc(base, wanted) else { return false }
        // The bytes behind the body are read, and thrown away, by parsers that work in wide steps.
        memset(moved + capacity, 0, wanted - capacity)
        base = moved
        capacity = wanted
        return true
    }
}
