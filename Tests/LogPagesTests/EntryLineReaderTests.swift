// Our own lines, read back for showing.
import FlyAPI
import LogPages
import Testing

@Suite("EntryLineReader")
struct EntryLineReaderTests {
    private struct Shown: Equatable {
        var line = ""
        var type: String?
        var appName: String?
        var message: String?
        var hadEscapes = false
    }

    private func text(_ bytes: UnsafeRawBufferPointer?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private func show(_ batch: [UInt8]) throws -> ([Shown], LineBatchContents) {
        var shown: [Shown] = []
        let contents = try batch.withUnsafeBytes { raw in
            try EntryLineReader().read(raw) { line in
                shown.append(
                    Shown(
                        line: text(line.line) ?? "", type: text(line.type), appName: text(line.appName),
                        message: text(line.message), hadEscapes: line.messageHadEscapes))
            }
        }
        return (shown, contents)
    }

    @Test("what the writer wrote is read back, every field")
    func roundTrip() throws {
        let written = try readPage(platformSample, .platform).lines[0]
        let fields = try Array(written.utf8).withUnsafeBytes { raw in
            var fields: [String?] = []
            _ = try EntryLineReader().read(raw) { line in
                fields = [
                    line.type, line.appName, line.timestamp, line.level, line.region, line.instance, line.provider,
                    line.id, line.message, line.from, line.to, line.reason,
                ].map(text)
            }
            return fields
        }
        #expect(
            fields == [
                "log", "web", "2026-06-04T21:25:05.152Z", "info", "iad", "d896d7c609dd68", "app", "…",
                "one physical line", nil, nil, nil,
            ])
    }

    @Test(
        "messages are unescaped, and said to have been",
        arguments: [
            (#"plain"#, "plain", false), (#"\u001b[31m"#, "\u{1B}[31m", true), (#"a\"b\\c\/d"#, "a\"b\\c/d", true),
            (#"\b\f\n\r\t"#, "\u{8}\u{C}\n\r\t", true), (#"\ud83d\ude00"#, "😀", true), (#"\u00fc\u20AC"#, "ü€", true),
            (#"\u0000"#, "\u{0}", true), (#"\ud800!"#, "\u{FFFD}!", true), (#"\q"#, "\\q", true), ("", "", false),
        ])
    func unescaped(spelled: String, expected: String, hadEscapes: Bool) throws {
        let line = #"{"type":"log","app_name":"web","message":"\#(spelled)"}"#
        let (shown, contents) = try show(Array((line + "\n").utf8))
        #expect(
            shown == [Shown(line: line, type: "log", appName: "web", message: expected, hadEscapes: hadEscapes)])
        #expect(contents == LineBatchContents(lineCount: 1))
    }

    @Test("null and missing fields are nil; gap lines have their own fields")
    func absent() throws {
        let (shown, _) = try show(Array(#"{"type":"stopped","message":null}"#.utf8))
        #expect(shown == [Shown(line: #"{"type":"stopped","message":null}"#, type: "stopped")])
        let gap = #"{"type":"gap","app_name":"web","from":"a","to":"b","reason":"retention"}"#
        try Array(gap.utf8).withUnsafeBytes { raw in
            _ = try EntryLineReader().read(raw) { line in
                #expect([line.from, line.to, line.reason].map(text) == ["a", "b", "retention"])
            }
        }
    }

    @Test("a bad line, whatever is wrong with it, is skipped and the next is read")
    func badLines() throws {
        let good = #"{"type":"log","message":"m"}"#
        for bad in [Array("x".utf8), Array("{\"message\":\"".utf8), [0xFF], Array("[1]".utf8), [0x22, 0, 0x22]] {
            let batch = Array((good + "\n").utf8) + bad + Array(("\n" + good + "\n").utf8)
            let (shown, contents) = try show(batch)
            #expect(shown.count == 2)
            #expect(contents == LineBatchContents(lineCount: 2, malformedCount: 1))
        }
    }

    @Test("a batch has a largest size")
    func size() throws {
        let largest = [UInt8](repeating: 0x20, count: PageLimits.maximumBytes)
        #expect(try show(largest).1 == LineBatchContents())
        #expect(throws: PageError.self) { try show(largest + [0x20]) }
    }

    @Test("mutated batches never crash the reader")
    func mutations() throws {
        let original = Array(
            (try readPage(platformSample, .platform).lines[0] + #"{"type":"stopped","app_name":"w\u0041"}"#).utf8)
        var generator = SplitMix64(state: 5)
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try show(bytes)
        }
    }
}
