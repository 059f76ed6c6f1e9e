// Keyless mixing of 64-bit words: the only source of variety in the simulator.
//
// Not a random generator with state and not a cryptographic hash. The invariant: the same words give the same result in
// every process and on every machine, which is what lets two simulators with one seed serve the same lines.

/// Mixes a word so that each input bit reaches each output bit; a bijection (the finaliser of SplitMix64).
///
/// - Parameter word: Any value. Distinct words give distinct results.
func mixed(_ word: UInt64) -> UInt64 {
    var value = word &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
}

/// Folds a text into one word under a key (FNV-1a, then mixed).
func mixed(_ text: String, key: UInt64) -> UInt64 {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325 ^ mixed(key)
    for byte in text.utf8 {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return mixed(value)
}

/// Draws small numbers from one mixed word, each from bits the others did not use.
struct Draw {
    private var word: UInt64

    init(_ word: UInt64) {
        self.word = word
    }

    /// A number in `0..<bound`; a word is good for about four draws of bounds up to some thousands.
    mutating func below(_ bound: Int) -> Int {
        let (quotient, remainder) = word.quotientAndRemainder(dividingBy: UInt64(bound))
        word = quotient
        return Int(remainder)
    }
}
