import Glibc
import Testing

@testable import LinePatterns

@Suite("LinePattern")
struct LinePatternTests {
    @Test("it matches as Perl does, in characters, not bytes", arguments: [true, false])
    func matching(machineCode: Bool) throws {
        let cases: [(String, String, Bool)] = [
            ("error", "an error came", true), ("error", "an Error came", false), ("(?i)ERROR", "an error", true),
            ("(?i)größe", "GRÖSSE GRÖßE", true), ("^a.c$", "aéc", true), ("^a.c$", "a€x", false),
            (#"status=5\d\d"#, "status=503", true), (#"status=5\d\d"#, "status=403", false),
            (#"\bfoo\b"#, "a foo b", true), (#"\bfoo\b"#, "afoob", false), ("^$", "", true), ("x*", "", true),
            ("(a|b)+\\1", "abab", false), ("(a)(b)(c)\\3", "abcc", true), ("a$", "a\n", true), ("a.b", "a\nb", false),
            ("(?s)a.b", "a\nb", true), ("日本", "in 日本 heute", true),
        ]
        for (pattern, line, expected) in cases {
            let pattern = try LinePattern(pattern, machineCode: machineCode)
            #expect(pattern.verdict(on: line) == (expected ? .match : .noMatch), "\(pattern.text) on \(line)")
            #expect(pattern.undecidedCount == 0)
        }
    }

    @Test("this machine can compile patterns, so that both ways are tested")
    func compiled() throws {
        #expect(try LinePattern("a", machineCode: true).isCompiled)
        #expect(try !LinePattern("a", machineCode: false).isCompiled)
    }

    @Test("bytes that are not UTF-8 match nothing and keep nothing else from matching", arguments: [true, false])
    func invalidBytes(machineCode: Bool) throws {
        let pattern = try LinePattern("a.b", machineCode: machineCode)
        #expect(pattern.verdict(on: [0x61, 0xFF, 0x62]) == .noMatch)
        #expect(pattern.verdict(on: [0xFF, 0xC3, 0x61, 0x21, 0x62, 0x80]) == .match)
        let long = [UInt8](repeating: 0x80, count: 5000) + Array("axb".utf8) + [0xE2, 0x82]
        #expect(pattern.verdict(on: long) == .match)
        #expect(try LinePattern("x$", machineCode: machineCode).verdict(on: [0x78, 0x80]) == .noMatch)
    }

    @Test("it finds a match wherever a long line has it", arguments: [0, 510, 511, 512, 513, 1535, 1536, 100_000])
    func longLines(position: Int) throws {
        for machineCode in [true, false] {
            let pattern = try LinePattern("needle", machineCode: machineCode)
            // Two bytes a character: half of the offsets lie inside one.
            let line = String(repeating: "é", count: position / 2) + "needle" + String(repeating: "n", count: 2000)
            #expect(pattern.verdict(on: line) == .match)
            #expect(pattern.matches(in: line) == [position / 2 * 2..<position / 2 * 2 + 6])
            #expect(pattern.verdict(on: String(repeating: "needl", count: position / 5)) == .noMatch)
            #expect(pattern.undecidedCount == 0)
        }
    }

    @Test("a pattern tied to the line's beginning or end is tied to the line's, not to a stretch's")
    func anchors() throws {
        let line = String(repeating: "ab", count: 10_000) + "x"
        #expect(try LinePattern("^b").verdict(on: line) == .noMatch)
        #expect(try LinePattern("x$").verdict(on: line) == .match)
        #expect(try LinePattern("a$").verdict(on: line) == .noMatch)
        #expect(try LinePattern(#"(?<=b)x"#).verdict(on: line) == .match)
        #expect(try LinePattern(#"(?<!b)x"#).verdict(on: line) == .noMatch)
    }

    @Test(
        "ranges are all matches that are not empty, in order",
        arguments: [
            ("a", "banana", [1..<2, 3..<4, 5..<6]), ("a*", "baaab", [1..<4]), ("an?", "banana", [1..<3, 3..<5, 5..<6]),
            ("ü", "üxü", [0..<2, 3..<5]), ("$", "abc", []), ("|b", "abc", [1..<2]), ("x", "", []),
            (#"a\Kb"#, "abab", [1..<2, 3..<4]), (".", "\u{FF}\n.", [0..<2, 3..<4]),
        ])
    func ranges(pattern: String, line: String, expected: [Range<Int>]) throws {
        for machineCode in [true, false] {
            #expect(try LinePattern(pattern, machineCode: machineCode).matches(in: line) == expected)
        }
    }

    @Test(
        "a text that is no pattern is refused in one line with place and reason",
        arguments: [
            (
                "a(b", "the regular expression 'a(b' is wrong at character 4: missing closing parenthesis"
            ),
            (
                "é[z-a]",
                "the regular expression 'é[z-a]' is wrong at character 5: range out of order in character class"
            ),
            (#"\C"#, #"the regular expression '\C' is wrong at character 3: "# + "using \\C is disabled"),
            ("", "a regular expression must not be empty"),
            (
                "\u{1B}[2J\n(",
                #"the regular expression '\u{1B}[2J\n(' is wrong at character 7: missing terminating ]"#
            ),
        ])
    func refusal(text: String, message: String) throws {
        let error = try #require(throws: LinePatternError.self) { try LinePattern(text) }
        #expect(error.description.hasPrefix(message))
        #expect(!error.description.contains { $0.isNewline })
    }

    @Test("the longest pattern is taken, one byte more is not")
    func length() throws {
        let longest = String(repeating: "a", count: LinePattern.mostPatternBytes)
        #expect(try LinePattern(longest).verdict(on: longest) == .match)
        let error = try #require(throws: LinePatternError.self) { try LinePattern(longest + "a") }
        #expect(error.code == .tooLong(LinePattern.mostPatternBytes + 1))
    }

    @Test("patterns that would take all memory are refused", arguments: ["((a{1000}){1000}){1000}", "\\w{65536}"])
    func hugePatterns(text: String) {
        #expect(throws: LinePatternError.self) { try LinePattern(text) }
    }
}

extension LinePattern {
    func verdict(on bytes: [UInt8]) -> PatternVerdict { bytes.withUnsafeBytes { verdict(on: $0) } }

    func verdict(on text: String) -> PatternVerdict { verdict(on: Array(text.utf8)) }

    func matches(in text: String) -> [Range<Int>] {
        var found: [Range<Int>] = []
        Array(text.utf8).withUnsafeBytes { ranges(in: $0) { found.append($0) } }
        return found
    }
}
