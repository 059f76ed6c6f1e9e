// What is fuzzed, and what a target is: valid inputs to start from, words to put in, and laws.
//
// A target never decides what is tried; that is the engine's business. Invariant: a law is a function of the input's
// bytes alone, so an input that broke one breaks it again.

import FlyAPI
import Glibc

/// A parser under test with the laws it must keep.
struct FuzzTarget: Sendable {
    /// Looks at one input; a sentence when a law is broken, nil when all hold.
    ///
    /// Traps and sanitizers say the rest.
    typealias Law = (UnsafeRawBufferPointer) -> String?

    let name: String
    /// Valid inputs.
    let seeds: [[UInt8]]
    /// What mutations put in: the tokens of the format.
    let words: [[UInt8]]
    /// The longest input; what nests or repeats is cut there.
    var mostBytes = 4096
    /// Makes the law; what it captures is reused from input to input, as the product reuses it.
    let makeLaw: @Sendable () throws -> Law

    static let all = [
        frames, payloads, pages(.platform), pages(.machines), lines, tokens, configFile,
    ]
}

/// One line for a person, on stderr.
func complain(_ text: String) {
    let line = "flyfleet-fuzz: \(text)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}

/// A stable number of some bytes (FNV-1a): decides how they are cut, so that an input alone says it.
func digest(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
