// Random choices that can be repeated: the seed is printed, and FLYFLEET_TEST_SEED sets it.

import Foundation

/// SplitMix64, seeded.
struct TestRandom: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// Takes the seed of the environment, else any, and says which.
    init(_ purpose: String) {
        let told = ProcessInfo.processInfo.environment["FLYFLEET_TEST_SEED"].flatMap { UInt64($0) }
        seed = told ?? UInt64.random(in: 1...UInt64(UInt32.max))
        state = seed
        print("\(purpose): FLYFLEET_TEST_SEED=\(seed)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Numbers that the environment may set.
enum TestSetting {
    static func number(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }
}
