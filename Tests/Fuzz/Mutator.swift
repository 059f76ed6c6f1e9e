// Makes inputs out of valid ones. One number makes one input: input N of a seed is the same alone as after all others.

/// A small generator with a fixed seed (SplitMix64).
struct FuzzRandom: RandomNumberGenerator {
    private var state: UInt64

    /// The generator of input `number` in the run that `seed` names.
    init(seed: UInt64, number: UInt64) {
        state = seed &* 0xD134_2543_DE82_EF95 ^ number &* 0x9E37_79B9_7F4A_7C15
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must be above zero; not exactly uniform, and fast.
    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % bound }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// Mutates the valid inputs of one target.
struct Mutator {
    private let seeds: [[UInt8]]
    private let words: [[UInt8]]
    private let mostBytes: Int

    init(_ target: FuzzTarget) {
        seeds = target.seeds
        words = target.words
        mostBytes = target.mostBytes
    }

    /// Input `number` of a run.
    func input(_ number: UInt64, seed: UInt64) -> [UInt8] {
        var random = FuzzRandom(seed: seed, number: number)
        var bytes = random.pick(seeds)
        for _ in 0..<(1 + random.below(6)) { mutate(&bytes, &random) }
        if bytes.count > mostBytes { bytes.removeSubrange(mostBytes...) }
        return bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
        let place = random.below(bytes.count + 1)
        let end = min(bytes.count, place + 1 + random.below(16))
        switch random.below(12) {
        case 0: if place < end { bytes[place] ^= 1 << UInt8(random.below(8)) }
        case 1: if place < end { bytes[place] = UInt8(random.below(256)) }
        case 2: bytes.insert(UInt8(random.below(256)), at: place)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.removeSubrange(place...)
        case 5: bytes.insert(contentsOf: random.pick(words), at: place)
        case 6: bytes.replaceSubrange(place..<end, with: random.pick(words))
        case 7: splice(&bytes, at: place, &random)
        case 8: bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count + 1))
        case 9: setInteger(&bytes, at: place, &random)
        case 10: addToByte(&bytes, at: place, &random)
        default: nest(&bytes, at: place, &random)
        }
    }

    /// The front of one input, the rest of another.
    private func splice(_ bytes: inout [UInt8], at place: Int, _ random: inout FuzzRandom) {
        let other = random.pick(seeds)
        bytes.replaceSubrange(place..., with: other[random.below(other.count + 1)...])
    }

    /// An edge of some width, big-endian, where a length may stand.
    private func setInteger(_ bytes: inout [UInt8], at place: Int, _ random: inout FuzzRandom) {
        let edges: [UInt64] = [
            0, 1, 4, 5, 6, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x1_0000, 0xFF_FFFF, 0x100_0000, 0x100_0001,
            0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, .max, UInt64(bytes.count),
        ]
        let width = 1 << random.below(4)
        let edge = random.pick(edges)
        for offset in 0..<width where place + offset < bytes.count {
            bytes[place + offset] = UInt8(truncatingIfNeeded: edge >> UInt64(8 * (width - 1 - offset)))
        }
    }

    private func addToByte(_ bytes: inout [UInt8], at place: Int, _ random: inout FuzzRandom) {
        guard place < bytes.count else { return }
        bytes[place] = bytes[place] &+ UInt8(truncatingIfNeeded: random.below(9) - 4)
    }

    /// One piece many times over, mostly a few, now and then past every limit of depth.
    private func nest(_ bytes: inout [UInt8], at place: Int, _ random: inout FuzzRandom) {
        let piece =
            random.below(4) == 0 ? random.pick(words) : Array(random.pick(["[", "{\"a\":", "]", "}", "[[", "\\"]).utf8)
        let times = random.below(64) == 0 ? 300 : 1 + random.below(8)
        bytes.insert(contentsOf: repeatElement(piece, count: times).joined(), at: place)
    }
}
