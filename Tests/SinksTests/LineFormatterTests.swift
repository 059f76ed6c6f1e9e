import Testing
import WorkerProtocol

@testable import Sinks

@Suite("LineFormatter")
struct LineFormatterTests {
    @Test("an entry looks as in fly logs, with the app in front and the time to the second")
    func entryLine() throws {
        #expect(
            try rendered(entry(message: "hello") + "\n", .pretty)
                == "web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] hello\n")
    }

    @Test(
        "what the API did not give is left out with its brackets",
        arguments: [
            (
                #"{"type":"log","timestamp":"2026-06-04T21:25:05Z","level":"info","region":"iad","instance":null,"provider":"app","message":"m"}"#,
                "web  2026-06-04T21:25:05Z app iad [info] m\n"
            ),
            (
                #"{"type":"log","timestamp":"2026-06-04T21:25:05Z","level":"info","region":"iad","instance":"","provider":"app","message":"m"}"#,
                "web  2026-06-04T21:25:05Z app iad [info] m\n"
            ),
            (
                #"{"type":"log","timestamp":null,"level":null,"region":null,"instance":"i","provider":null,"message":"m"}"#,
                "web  m\n"
            ),
            (#"{"message":"m","timestamp":"yesterday"}"#, "web  yesterday m\n"),
            (#"{"message":"m","timestamp":"2026-06-04T21:25:05.152+02:00"}"#, "web  2026-06-04T21:25:05.152+02:00 m\n"),
            (#"{"type":"stopped","app_name":"web"}"#, "web  stopped\n"),
            (
                #"{"type":"gap","app_name":"web","from":"2026-06-04T21:25:05.1Z","to":"2026-06-04T21:27:00Z","reason":"retention"}"#,
                "web  gap 2026-06-04T21:25:05Z to 2026-06-04T21:27:00Z: retention\n"
            ),
            (#"{"type":"gap"}"#, "web  gap\n"),
            (
                #"{"type":"missed","app_name":"web","lines":123}"#,
                "web  missed 123 lines: the terminal was too slow\n"
            ),
            (#"{"type":"missed","lines":1}"#, "web  missed 1 line: the terminal was too slow\n"),
            (#"{"type":"missed","lines":"many"}"#, "web  {\"type\":\"missed\",\"lines\":\"many\"}\n"),
            (#"{"type":"missed"}"#, "web  {\"type\":\"missed\"}\n"),
            (#"{"type":"later","x":1}"#, "web  {\"type\":\"later\",\"x\":1}\n"),
        ])
    func missingFields(line: String, expected: String) throws {
        #expect(try rendered(line + "\n", .pretty) == expected)
    }

    private static let hostile = entry(message: #"a\nb\u001b[31mc\u202e\"\\d"#)

    @Test("pretty escapes the message; raw does so on a terminal only")
    func hostileMessage() throws {
        let start = "web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] "
        let escaped = start + #"a\nb\x1b[31mc\u202e"\d"# + "\n"
        let line = Self.hostile + "\n"
        #expect(try rendered(line, .pretty) == escaped)
        #expect(try rendered(line, ConsoleSettings(output: .pretty, colour: false, isTerminal: true)) == escaped)
        #expect(try rendered(line, ConsoleSettings(output: .raw, colour: false, isTerminal: true)) == escaped)
        #expect(try rendered(line, .raw) == start + "a\nb\u{1B}[31mc\u{202E}\"\\d\n")
    }

    @Test("no other field is ever trusted, in raw output neither", arguments: [ConsoleSettings.pretty, .raw])
    func hostileFields(settings: ConsoleSettings) throws {
        let bad = #"\u001b]0;x\u0007"#
        let line =
            #"{"timestamp":"\#(bad)","level":"\#(bad)","region":"\#(bad)","instance":"\#(bad)","provider":"\#(bad)","message":""}"#
            + "\n" + #"{"type":"gap","from":"\#(bad)","to":"\#(bad)","reason":"\#(bad)"}"#
            + "\n" + #"{"type":"\#(bad)"}"# + "\n"
        let text = try rendered(line, app: "a\u{1B}", settings)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !TerminalEscape.isUnsafe($0.value) })
        #expect(text.hasPrefix(#"a\x1b  \x1b]0;x\x07 \x1b]0;x\x07[\x1b]0;x\x07] "#))
    }

    @Test("in JSON untouched bytes are passed on in place")
    func jsonInPlace() throws {
        let renderer = try BatchRenderer(.json)
        let bytes = Array((Self.hostile + "\n").utf8)
        bytes.withUnsafeBytes { bytes in
            let batch = renderer.render(bytes, app: "web", keeping: renderer)
            #expect(batch.bytes.baseAddress == bytes.baseAddress)
            #expect(batch.bytes.count == bytes.count)
            let isKept = batch.owner === renderer
            #expect(isKept)
        }
    }

    @Test("JSON on a terminal stays JSON and drives nothing")
    func jsonOnTerminal() throws {
        let line = "{\"message\":\"\u{7F}\u{9B}31m\u{202E}\\u001b\"}\n"
        #expect(
            try rendered(line, ConsoleSettings(output: .json, colour: false, isTerminal: true))
                == "{\"message\":\"\\u007f\\u009b31m\\u202e\\u001b\"}\n")
    }

    @Test("a batch without a last line feed gets one", arguments: [ConsoleSettings.json, .pretty, .raw])
    func lastLineFeed(settings: ConsoleSettings) throws {
        let text = try rendered(entry(message: "a") + "\n" + entry(message: "b"), settings)
        #expect(text.hasSuffix("\n"))
        #expect(text.filter { $0 == "\n" }.count == 2)
    }

    @Test("lines that are no JSON are shown, escaped and in their place")
    func malformedLines() throws {
        let batch = [entry(message: "a"), "not JSON \u{1B}[2J", "", entry(message: "b"), "{\"message\":\"open"]
        let start = "web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] "
        #expect(
            try rendered(batch.joined(separator: "\n") + "\n", .pretty)
                == [start + "a", #"web  not JSON \x1b[2J"#, start + "b", "web  {\"message\":\"open"].joined(
                    separator: "\n") + "\n")
    }

    @Test("the app column is as wide as the widest name so far, up to its limit")
    func columnWidth() throws {
        let renderer = try BatchRenderer(.pretty)
        let line = #"{"message":"m"}"# + "\n"
        let long = String(repeating: "x", count: 63)
        #expect(renderer.text(line, app: "web") == "web  m\n")
        #expect(renderer.text(line, app: "worker") == "worker  m\n")
        #expect(renderer.text(line, app: "web") == "web     m\n")
        #expect(renderer.text(line, app: long) == long + "  m\n")
        #expect(renderer.text(line, app: "web") == "web" + String(repeating: " ", count: 32 - 3 + 2) + "m\n")
    }

    @Test("in colour the name has its own, errors are red, and every colour is taken back")
    func colours() throws {
        let settings = ConsoleSettings(output: .pretty, colour: true, isTerminal: true)
        let line = #"{"timestamp":"2026-06-04T21:25:05Z","provider":"app","level":"error","message":"m"}"# + "\n"
        let text = try rendered(line, settings)
        #expect(
            text == Palette.app("web")
                + "web\u{1B}[0m  \u{1B}[2m2026-06-04T21:25:05Z\u{1B}[0m app \u{1B}[31m[error]\u{1B}[0m m\n")
        #expect(
            try rendered(#"{"type":"stopped"}"# + "\n", settings)
                == Palette.app("web") + "web\u{1B}[0m  \u{1B}[2mstopped\u{1B}[0m\n")
    }

    @Test("an app's colour is stable, never red, and apps differ")
    func appColours() {
        // Fixed values: the colours must not change with the process or the release.
        #expect(Palette.app("web") == Palette.app("web"))
        let colours = Set((0..<200).map { Palette.app("app-\($0)") })
        #expect(colours.count == 10)
        #expect(!colours.contains("\u{1B}[31m"))
    }

    @Test("a message of a megabyte of escapes fits")
    func largestMessage() throws {
        let count = 1_000_000
        let text = try rendered(entry(message: String(repeating: "\u{7F}", count: count)) + "\n", .pretty)
        #expect(text.utf8.count == "web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] \n".utf8.count + 4 * count)
    }
}
