// The memory of the entries that may be served again. Cursors are inclusive on some servers and exclusive on others,
// and what is not settled is read again and again; with this, no entry comes out twice.
//
// A ring keeps the identities in the order in which they came, an open-addressed table (linear probing, backward-shift
// deletion, at most half full) finds one in about a memory access. Whoever uses it says when the oldest are forgotten.
// Invariant: the table holds exactly the identities in the ring.

internal import CLinux
internal import Glibc

/// A growing set of 64-bit identities, forgotten from the oldest on.
package struct IdentityWindow: ~Copyable {
    /// Identities there is room for at first.
    package static let defaultCapacity = 1024

    /// Identities there is room for before the window grows.
    package private(set) var capacity: Int
    /// Identities held.
    package private(set) var count = 0
    private var ring: UnsafeMutablePointer<UInt64>
    /// Where the next identity goes in the ring.
    private var head = 0
    /// 0 marks a free slot.
    private var table: UnsafeMutablePointer<UInt64>
    private var mask: Int

    /// A window with room for `capacity` identities, rounded up to a power of two from 2 on.
    package init(capacity: Int = IdentityWindow.defaultCapacity) {
        precondition(capacity > 0, "no window of \(capacity) identities")
        self.capacity = max(Self.powerOfTwo(capacity), 2)
        mask = 2 * self.capacity - 1
        ring = Self.zeroed(self.capacity)
        table = Self.zeroed(2 * self.capacity)
    }

    deinit {
        free(ring)
        free(table)
    }

    /// Remembers `identity`; false when it is remembered already.
    @inline(__always)
    package mutating func insert(_ identity: UInt64) -> Bool {
        // 0 is the free slot; which other number stands for it does not matter.
        let key = identity == 0 ? 0x9e37_79b9_7f4a_7c15 : identity
        var slot = home(key)
        while table[slot] != 0 {
            if table[slot] == key { return false }
            slot = (slot + 1) & mask
        }
        table[slot] = key
        ring[head] = key
        head = (head + 1) & (capacity - 1)
        count += 1
        if count == capacity { resize(to: 2 * capacity) }
        return true
    }

    /// Forgets the oldest identities; more than there are are all.
    package mutating func forgetOldest(_ number: Int) {
        let number = min(number, count)
        guard number > 0 else { return }
        // Far too wide, or next to nothing left: a new table is cheaper than emptying the old one slot by slot.
        let rest = count - number
        if rest * 4 < number || (capacity > 8 * Self.defaultCapacity && rest * 8 < capacity) {
            count = rest
            return resize(to: max(Self.powerOfTwo(2 * (rest + 1)), Self.defaultCapacity))
        }
        var oldest = (head - count) & (capacity - 1)
        for _ in 0..<number {
            // Whatever lies there: what is due in a moment is known, and each slot is a cache line of its own.
            linux_prefetch(table + home(ring[(oldest + 8) & (capacity - 1)]))
            remove(ring[oldest])
            oldest = (oldest + 1) & (capacity - 1)
        }
        count = rest
    }

    /// `number` identities in the order in which they came, those that came before the last `later` ones.
    package func identities(_ number: Int, before later: Int = 0) -> [UInt64] {
        precondition(number >= 0 && later >= 0 && number + later <= count, "so many identities are not held")
        return [UInt64](unsafeUninitializedCapacity: number) { buffer, initialized in
            var index = (head - later - number) & (capacity - 1)
            for position in 0..<number {
                buffer[position] = ring[index]
                index = (index + 1) & (capacity - 1)
            }
            initialized = number
        }
    }

    /// Moves what is held to memory of another size.
    private mutating func resize(to wanted: Int) {
        var other = IdentityWindow(capacity: wanted)
        for age in stride(from: count, to: 0, by: -1) {
            _ = other.insert(ring[(head - age) & (capacity - 1)])
        }
        self = other
    }

    @inline(__always)
    private func home(_ key: UInt64) -> Int {
        // Identities are hashes already, but nobody promises that their low bits are good.
        Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
    }

    /// Closes the gap, so that no search meets a free slot before its key.
    private mutating func remove(_ key: UInt64) {
        var gap = home(key)
        while table[gap] != key { gap = (gap + 1) & mask }
        var slot = gap
        while true {
            slot = (slot + 1) & mask
            guard table[slot] != 0 else { break }
            let distance = (slot - home(table[slot])) & mask
            if distance >= (slot - gap) & mask {
                table[gap] = table[slot]
                gap = slot
            }
        }
        table[gap] = 0
    }

    private static func powerOfTwo(_ count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    /// Zeroed memory of its own, of which only the pages in use cost anything.
    private static func zeroed(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        guard let memory = calloc(count, MemoryLayout<UInt64>.stride) else { fatalError("no memory for a window") }
        return memory.bindMemory(to: UInt64.self, capacity: count)
    }
}
