// SipHash-2-4 (Aumasson and Bernstein, 2012), twice under two keys: the 128-bit signature of simulated tokens.
//
// It keeps a test from passing with a made-up token. It guards no secret worth more than that.

/// A signature over bytes that only holders of the seed can make.
struct KeyedHash: Sendable {
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    /// The 16 bytes of the signature.
    func signature(of message: some Collection<UInt8>) -> [UInt8] {
        [UInt64(0), 1].flatMap { half in
            let key = mixed(seed ^ (0x7369_6700 + half))
            return bigEndianBytes(Self.sipHash(Array(message), key, mixed(key)))
        }
    }

    static func sipHash(_ message: [UInt8], _ key0: UInt64, _ key1: UInt64) -> UInt64 {
        var state = State(key0, key1)
        let whole = message.count / 8 * 8
        for start in stride(from: 0, to: whole, by: 8) {
            state.absorb(littleEndian(message[start..<start + 8]))
        }
        state.absorb(littleEndian(message[whole...]) | UInt64(message.count & 0xFF) << 56)
        return state.finish()
    }

    private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private struct State {
        private var words: (UInt64, UInt64, UInt64, UInt64)

        init(_ key0: UInt64, _ key1: UInt64) {
            words = (
                key0 ^ 0x736F_6D65_7073_6575, key1 ^ 0x646F_7261_6E64_6F6D,
                key0 ^ 0x6C79_6765_6E65_7261, key1 ^ 0x7465_6462_7974_6573
            )
        }

        mutating func absorb(_ word: UInt64) {
            words.3 ^= word
            round()
            round()
            words.0 ^= word
        }

        mutating func finish() -> UInt64 {
            words.2 ^= 0xFF
            for _ in 0..<4 {
                round()
            }
            return words.0 ^ words.1 ^ words.2 ^ words.3
        }

        private mutating func round() {
            words.0 &+= words.1
            words.1 = rotated(words.1, 13) ^ words.0
            words.0 = rotated(words.0, 32)
            words.2 &+= words.3
            words.3 = rotated(words.3, 16) ^ words.2
            words.0 &+= words.3
            words.3 = rotated(words.3, 21) ^ words.0
            words.2 &+= words.1
            words.1 = rotated(words.1, 17) ^ words.2
            words.2 = rotated(words.2, 32)
        }

        private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
            word << bits | word >> (64 - bits)
        }
    }
}

/// A word's bytes, the most significant first.
func bigEndianBytes(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
}
