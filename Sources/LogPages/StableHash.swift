// A fast 64-bit hash that gives the same number in every process and on every machine: identities outlive restarts.
//
// Not for hash tables against an adversary, and not cryptographic. Design after wyhash: 16 bytes a step, mixed by the
// two halves of a 128-bit product. Invariant: the function never changes, for its results are stored.

/// Hashes bytes to a stable 64-bit number.
package enum StableHash {
    private static let secret0: UInt64 = 0xa076_1d64_78bd_642f
    private static let secret1: UInt64 = 0xe703_7ed1_a0b4_28db
    private static let secret2: UInt64 = 0x8ebc_6af0_9c88_c6e3

    /// The hash of `bytes`, continuing from `seed`, so that several slices can be hashed one after the other.
    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        // No address means no bytes; any address will do then, for none is read.
        hash(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped, bytes.count, seed: seed)
    }

    @inline(__always)
    static func hash(_ base: UnsafeRawPointer, _ count: Int, seed: UInt64) -> UInt64 {
        var state = mix(seed ^ secret0, secret1 ^ UInt64(truncatingIfNeeded: count))
        var offset = 0
        while count - offset > 16 {
            state = mix(word(base + offset) ^ secret1, word(base + offset + 8) ^ state)
            offset += 16
        }
        let (low, high) = tail(base + offset, count - offset)
        return mix(secret2 ^ UInt64(truncatingIfNeeded: count), mix(low ^ secret1, high ^ state))
    }

    /// The last 0 to 16 bytes as two words.
    ///
    /// Words overlap rather than being filled byte by byte.
    @inline(__always)
    private static func tail(_ base: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
        if count >= 8 { return (word(base), word(base + count - 8)) }
        if count >= 4 { return (half(base), half(base + count - 4)) }
        guard count > 0 else { return (0, 0) }
        let first = UInt64(base.load(as: UInt8.self))
        let middle = UInt64(base.load(fromByteOffset: count / 2, as: UInt8.self))
        let last = UInt64(base.load(fromByteOffset: count - 1, as: UInt8.self))
        return (first << 16 | middle << 8 | last, 0)
    }

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ pointer: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: pointer.loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    private static func half(_ pointer: UnsafeRawPointer) -> UInt64 {
        UInt64(UInt32(littleEndian: pointer.loadUnaligned(as: UInt32.self)))
    }
}

/// What makes an entry the same entry when it is read again: its id, or else its time, instance and message.
///
/// Entries without ids that agree in all three are told apart by counting them; that is the caller's business.
package struct EntryIdentity: Hashable, Sendable {
    /// The 64-bit hash; stable across processes.
    package let hash: UInt64

    package init(hash: UInt64) {
        self.hash = hash
    }
}
