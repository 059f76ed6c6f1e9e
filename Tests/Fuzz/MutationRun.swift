// The engine that needs nothing but this program: a fixed number of mutations, each repeatable by its number.

import Glibc

/// Tries one target with mutated inputs.
struct MutationRun {
    /// Memory may grow so much between the end of the warm-up and the end.
    static let mostGrowth = 8 * 1_048_576

    let target: FuzzTarget
    let inputs: UInt64
    let seed: UInt64

    /// Runs, and says how it went; false when a law was broken.
    func run() throws -> Bool {
        let law = try target.makeLaw()
        let mutator = Mutator(target)
        let clock = ContinuousClock()
        let began = clock.now
        // The least of many looks, once at the beginning and once at the end: a large input's memory comes and goes.
        var warm = Int.max
        var end = Int.max
        for number in 0..<inputs {
            if number % 1024 == 0 {
                alarm(Failure.mostSeconds)
                if (inputs / 10...inputs / 5).contains(number) { warm = min(warm, residentBytes()) }
                if number >= inputs / 10 * 9 { end = min(end, residentBytes()) }
            }
            let input = mutator.input(number, seed: seed)
            if let broken = Self.trial(input, law) {
                Failure.keep(law: "\(target.name): input \(number) of seed \(seed): \(broken)")
                return false
            }
        }
        alarm(0)
        end = min(end, residentBytes())
        warm = min(warm, end)
        let seconds = max(Double((clock.now - began) / .microseconds(1)) / 1e6, 1e-6)
        let passed = end - warm <= Self.mostGrowth || inputs < 100_000
        print(
            "\(target.name): \(inputs) inputs, \(Int(Double(inputs) / seconds)) a second, memory \(mebibytes(warm)) after",
            "the warm-up and \(mebibytes(end)) at the end: \(passed ? "passed" : "FAILED, memory grows")")
        fflush(nil)
        return passed
    }

    /// One input, in memory of exactly its size, so that a sanitizer sees a byte too far.
    static func trial(_ input: [UInt8], _ law: FuzzTarget.Law) -> String? {
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: input)
        Failure.begin(UnsafeRawBufferPointer(exact))
        return law(UnsafeRawBufferPointer(exact))
    }
}
