// Every choice of a run comes from one of these, so that its seed is the whole run. Steele, Lea and Flood's SplitMix,
// with draws cheap enough for a debug build.

/// The random numbers of one run.
struct SimulationRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// A number from 0 up to but not including `bound`, which is at least 1.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() >> 1) % UInt64(truncatingIfNeeded: bound))
    }

    /// A number from `low` to `high`, both included.
    mutating func between(_ low: Int, _ high: Int) -> Int {
        low + below(high - low + 1)
    }

    /// True in `percent` of a hundred draws.
    mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    /// One of some elements, of which there is at least one.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
