// Where every decision of a soak comes from: one seed, one stream of numbers per purpose. SplitMix64.
//
// Streams are apart so that what happens in one (a fault that found nobody) does not shift the others.

import Foundation

/// A stream of decisions.
struct Draws {
    private var state: UInt64

    /// The stream of a purpose under a seed.
    init(seed: UInt64, purpose: String) {
        state = purpose.utf8.reduce(seed ^ 0x736F_616B) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        _ = next()
    }

    /// 64 bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// 0 to 1, without 1.
    mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }

    /// 0 to `count` - 1.
    mutating func below(_ count: Int) -> Int { Int(unit() * Double(count)) }

    /// True with this probability.
    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// One of them, all alike.
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// One of them, by its weight.
    mutating func pick<Element>(weighted elements: [(weight: Double, element: Element)]) -> Element {
        var rest = unit() * elements.reduce(0) { $0 + $1.weight }
        for (weight, element) in elements {
            rest -= weight
            if rest < 0 { return element }
        }
        return elements[elements.count - 1].element
    }

    /// Between two positive bounds, each order of magnitude alike.
    mutating func spread(_ low: Double, _ high: Double) -> Double {
        exp(log(low) + unit() * (log(high) - log(low)))
    }

    /// The wait before the next of events that are independent of each other.
    mutating func wait(mean: Double) -> Double { -mean * log(1 - unit()) }
}
