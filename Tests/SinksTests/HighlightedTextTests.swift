import LinePatterns
import Testing
import WorkerProtocol

@testable import Sinks

@Suite("HighlightedText")
struct HighlightedTextTests {
    private func shown(_ message: String, _ patterns: [String], colour: Bool = true) throws -> String {
        let settings = ConsoleSettings(output: .pretty, colour: colour, isTerminal: true, highlight: patterns)
        let line = #"{"type":"log","timestamp":"2026-06-04T21:25:05Z","provider":"app","message":"\#(message)"}"# + "\n"
        let text = try rendered(line, settings)
        let plain = try rendered(line, ConsoleSettings(output: .pretty, colour: colour, isTerminal: true))
        #expect(text.replacing("\u{1B}[7m", with: "").replacing("\u{1B}[27m", with: "") == plain)
        return text
    }

    @Test(
        "matches in the message are shown in reverse video, and nothing else is touched",
        arguments: [
            ("a banana", ["an"], "a b<an><an>a"), ("app 2026", ["app|2026"], "<app> <2026>"), ("none", ["x"], "none"),
            ("abcdef", ["bc", "cd", "ef"], "a<bcdef>"), ("abc", ["a", "b"], "<ab>c"), ("aXbX", ["b", "a"], "<a>X<b>X"),
            ("größe", ["ö"], "gr<ö>ße"), ("abc", ["abc", "b"], "<abc>"), ("end", ["d$"], "en<d>"), ("", ["x*"], ""),
            ("x", ["x*"], "<x>"), ("foobar", ["(?=foo)"], "foobar"),
        ])
    func matches(message: String, patterns: [String], expected: String) throws {
        let marked = expected.replacing("<", with: "\u{1B}[7m").replacing(">", with: "\u{1B}[27m")
        #expect(try shown(message, patterns).hasSuffix("app " + marked + "\n"))
    }

    @Test("patterns see what is shown: an escape is plain text, and no match brings it back")
    func escapes() throws {
        #expect(
            try shown(#"a\u001b[31mb\n"#, ["1b", #"\\n$"#]).hasSuffix(
                #"a\x"# + "\u{1B}[7m1b\u{1B}[27m" + #"[31mb"# + "\u{1B}[7m\\n\u{1B}[27m\n"))
        #expect(try shown(#"\u001b"#, [#"\x1b"#]).hasSuffix(#"app \x1b"# + "\n"))
    }

    @Test("without colour, in raw and in JSON nothing is highlighted")
    func plain() throws {
        #expect(try !shown("abc", ["b"], colour: false).contains("\u{1B}"))
        for output in [OutputFormat.raw, .json] {
            let with = ConsoleSettings(output: output, colour: true, isTerminal: true, highlight: ["hello"])
            let without = ConsoleSettings(output: output, colour: true, isTerminal: true)
            let line = entry(message: "hello") + "\n"
            #expect(try rendered(line, with) == rendered(line, without))
        }
    }

    @Test("markers and lines that are no JSON are not highlighted, and every line of a batch is")
    func lines() throws {
        let settings = ConsoleSettings(output: .pretty, colour: true, isTerminal: true, highlight: ["o"])
        let text = try rendered(
            #"{"type":"stopped"}"# + "\nno\n" + entry(message: "one") + "\n" + entry(message: "two") + "\n", settings)
        let lines = text.split(separator: "\n")
        #expect(lines[0].hasSuffix("stopped\u{1B}[0m"))
        #expect(lines[1].hasSuffix("  no"))
        #expect(lines[2].hasSuffix("\u{1B}[7mo\u{1B}[27mne"))
        #expect(lines[3].hasSuffix("tw\u{1B}[7mo\u{1B}[27m"))
    }

    @Test("a pattern that is none is said at the start")
    func invalidPattern() {
        let settings = ConsoleSettings(output: .pretty, colour: true, isTerminal: true, highlight: ["("])
        #expect(throws: LinePatternError.self) { try BatchRenderer(settings) }
    }
}
