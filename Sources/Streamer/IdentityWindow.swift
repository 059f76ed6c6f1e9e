// The memory of the entries seen last, by which entries that come again are dropped. Cursors are inclusive on some
// servers and exclusive on others; with this, reading is right under both.
//
// A ring says which identity is the oldest, an open-addressed table (linear probing, backward-shift deletion, at most
// half full) finds one in about a memory access. Invariant: the table holds exactly the identities in the ring.

internal import Glibc

/// A set of 64-bit identities that forgets the oldest when it is full.
package struct IdentityWindow: ~Copyable {
    /// Identities remembered at first.
    package static let defaultCapacity = 4096
    /// Identities remembered at most, however large the pages: 1 MiB of ring and table.
    package static let maximumCapacity = 32768

    /// How many identities are remembered before the oldest is forgotten.
    package private(set) var capacity: Int
    /// Identities held.
    package private(set) var count = 0
    private var ring: UnsafeMutablePointer<UInt64>
    /// Where the next identity goes in the ring; the oldest lies there when the ring is full.
    private var head = 0
    /// 0 marks a free slot.
    private var table: UnsafeMutablePointer<UInt64>
    private var mask: Int

    /// A window of `capacity` identities, rounded up to a power of two from 2 on.
    package init(capacity: Int = IdentityWindow.defaultCapacity) {
        precondition(capacity > 0 && capacity <= Self.maximumCapacity, "no window of \(capacity) identities")
        // While one takes the place of another both are in the table, which must have a free slot even then.
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
        if count == capacity { remove(ring[head]) } else { count += 1 }
        ring[head] = key
        head = (head + 1) & (capacity - 1)
        return true
    }

    /// Widens the window so that it holds two pages of `pageEntries`, as far as ``maximumCapacity`` allows.
    package mutating func widen(pageEntries: Int) {
        let wanted = Self.powerOfTwo(min(2 * max(pageEntries, 1), Self.maximumCapacity))
        guard wanted > capacity else { return }
        var wider = IdentityWindow(capacity: wanted)
        for age in stride(from: count, to: 0, by: -1) {
            _ = wider.insert(ring[(head - age) & (capacity - 1)])
        }
        self = wider
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
