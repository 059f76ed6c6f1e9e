import Glibc
import Testing

@testable import LinePatterns

/// CPU time of this thread, in ns: a machine that is busy with others does not count.
private func cpuTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("LinePattern's bounds")
struct LinePatternBoundTests {
    private static let costly: [(pattern: String, unit: String, tail: String)] = [
        ("(a+)+$", "a", "!"), ("(a|aa)+$", "a", "!"), ("(a|a?)+$", "a", "!"), ("(.*)*x=x", "ab", ""),
        ("(\\w+\\s?)*\\.$", "word ", "!"), ("a.*b.*c.*d", "ab", ""), ("(?:a*)*b", "a", ""), ("(x+x+)+y", "x", ""),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a", ""), ("(?=(a+))a*b\\1", "a", ""), ("(a?){30}a{30}c", "a", ""),
        ("(?:(?:a|b)*c)*d", "abac", ""),
    ]

    @Test("a line made for it costs a bounded time, and is lost neither way", arguments: [true, false], costly.indices)
    func hostileLine(machineCode: Bool, index: Int) throws {
        let (text, unit, tail) = Self.costly[index]
        for count in [30, 400, 3000, 40_000, 1_000_000] {
            let pattern = try LinePattern(text, machineCode: machineCode)
            let line = Array((String(repeating: unit, count: count / unit.utf8.count) + tail).utf8)
            let start = cpuTime()
            let (verdict, isExcluded) = line.withUnsafeBytes { (pattern.verdict(on: $0), pattern.matches($0)) }
            // Each run by itself meets a bound of time or does not.
            let met = pattern.undecidedCount
            let isIncluded = line.withUnsafeBytes { pattern.mayMatch($0) }
            // Three runs; without bounds the first would outlive the test.
            #expect(cpuTime() - start < 6_000_000_000, "\(text) on \(line.count) bytes")
            #expect(!isExcluded)
            #expect(verdict != .match && isIncluded == (pattern.undecidedCount > met))
        }
    }

    @Test("a thousand such lines take seconds, not minutes", arguments: [true, false])
    func hostilePage(machineCode: Bool) throws {
        let pattern = try LinePattern("(a+)+$", machineCode: machineCode)
        let start = cpuTime()
        for count in 0..<1000 {
            let line = String(repeating: "a", count: 300 + count) + "!"
            #expect(pattern.verdict(on: line) == .undecided)
        }
        #expect(pattern.undecidedCount == 1000)
        #expect(cpuTime() - start < 5_000_000_000)
        // And the pattern still serves lines that are not.
        for _ in 0..<1000 { #expect(pattern.verdict(on: "xaaa") == .match) }
        #expect(pattern.verdict(on: String(repeating: "a", count: 10_000)) == .match)
    }

    @Test("any pattern on any bytes gives one verdict both ways, and matches that lie in the line", arguments: 0..<8)
    func garbage(seed: UInt64) throws {
        var random = Random(state: seed)
        let pieces = [
            "a", "b", ".", "*", "+", "?", "(", ")", "[", "]", "^", "$", "|", "\\", "{2,3}", "é", "\\d", "\\K", "(?i)",
            "(?=", "(?<=", "(?:", "\\b", "x", "-", "\\1", "(*SKIP)", "(?R)", "\u{0}", "😀", "\\p{L}", "(?>", "++",
        ]
        let whole: [[UInt8]] = "aabbx é😀-1 \n\u{0}".unicodeScalars.map { Array(String($0).utf8) }
        let bytes: [[UInt8]] = whole.flatMap { $0 }.map { [$0] } + [[0xFF], [0x80], [0xC3], [0xF0, 0x9F]]
        var usable = 0
        for _ in 0..<1500 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            guard let fast = try? LinePattern(text, machineCode: true) else { continue }
            usable += 1
            let slow = try LinePattern(text, machineCode: false)
            for _ in 0..<8 {
                let longest = Bool.random(using: &random) ? 40 : 1600
                let source = Bool.random(using: &random) ? whole : bytes
                var line: [UInt8] = []
                for _ in 0..<Int.random(in: 0...longest, using: &random) {
                    line += source.randomElement(using: &random) ?? []
                }
                let verdicts = (fast.verdict(on: line), slow.verdict(on: line))
                // Next to bytes that are not UTF-8 the two differ about assertions: nothing may rely on either.
                if verdicts.0 != .undecided, verdicts.1 != .undecided,
                    let readable = String(validating: line, as: UTF8.self)
                {
                    #expect(verdicts.0 == verdicts.1, "\(text) on \(line.count) bytes: \(readable.debugDescription)")
                }
                var end = 0
                line.withUnsafeBytes {
                    fast.ranges(in: $0) { range in
                        #expect(!range.isEmpty && range.lowerBound >= end && range.upperBound <= line.count)
                        end = range.upperBound
                    }
                }
            }
        }
        #expect(usable > 150, "the patterns must mostly be some")
    }
}
