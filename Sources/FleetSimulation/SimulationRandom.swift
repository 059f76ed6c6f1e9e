// Every choice of a run comes from one of these, so that its seed is the whole run: the policies' own generator, with
// draws cheap enough for a debug build.

internal import Supervision

/// The random numbers of one run.
struct SimulationRandom {
    private var generator: SplitMix64

    init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 { generator.next() }

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
