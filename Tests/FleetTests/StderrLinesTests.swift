import Testing

@testable import Fleet

@Suite("StderrLines")
struct StderrLinesTests {
    private func append(_ lines: inout StderrLines, _ text: String, nowMs: Int64 = 0) -> [String] {
        [UInt8](text.utf8).withUnsafeBytes { lines.append($0, nowMs: nowMs) }
    }

    @Test("bytes become lines wherever they are cut", arguments: 0...11)
    func splits(at index: Int) {
        let text = "one\ntwo\n\nxyz"
        var lines = StderrLines()
        var got = append(&lines, String(text.prefix(index)))
        got += append(&lines, String(text.dropFirst(index)))
        got += lines.finish(nowMs: 0)
        #expect(got == ["one", "two", "", "xyz"])
    }

    @Test("a line is cut at its limit and its rest is dropped", arguments: [-1, 0, 1, 5000])
    func longLine(over: Int) {
        var lines = StderrLines()
        let length = StderrLines.maximumLineBytes + over
        var got = append(&lines, String(repeating: "x", count: length) + "\nnext\n")
        got += lines.finish(nowMs: 0)
        #expect(got.count == 2)
        #expect(got.first?.utf8.count == min(length, StderrLines.maximumLineBytes))
        #expect(got.last == "next")
    }

    @Test("a flood is slowed to a rate and counted, and the last lines are kept all the same")
    func flood() {
        var lines = StderrLines()
        var got: [String] = []
        for number in 1...1000 { got += append(&lines, "line \(number)\n", nowMs: 10) }
        #expect(got.count == StderrLines.linesPerSecond)
        #expect(lines.last == (996...1000).map { "line \($0)" })
        let next = append(&lines, "later\n", nowMs: 1_010)
        #expect(next == ["\(1000 - StderrLines.linesPerSecond) further lines of its stderr were not shown", "later"])
    }

    @Test("control characters are shown, not sent to the terminal")
    func control() {
        var lines = StderrLines()
        #expect(append(&lines, "a\u{1b}[31mb\tc\u{202e}\n") == ["a\\u{1b}[31mb c\\u{202e}"])
    }
}

@Suite("JSONLine")
struct JSONLineTests {
    @Test("keys keep their order and texts are escaped")
    func line() {
        var line = JSONLine()
        line.add("seq", Int64(1))
        line.add("text", "a\"b\\c\nd\u{1}")
        line.add("none", Int64?.none)
        line.add("words", ["x", "y"])
        line.add("exit") { $0.add("core", false) }
        let expected =
            #"{"seq":1,"text":"a\"b\\c\nd\u0001","none":null,"words":["x","y"],"exit":{"core":false}}"# + "\n"
        #expect(String(decoding: line.finished(), as: UTF8.self) == expected)
    }

    @Test("an empty object has no keys")
    func empty() {
        #expect(String(decoding: JSONLine().finished(), as: UTF8.self) == "{}\n")
    }
}

@Suite("WallClock")
struct WallClockTests {
    @Test(
        "time is RFC 3339 in UTC with milliseconds",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (1_780_608_305_152, "2026-06-04T21:25:05.152Z"),
            (951_827_696_007, "2000-02-29T12:34:56.007Z"),
        ])
    func text(milliseconds: Int64, expected: String) {
        #expect(WallClock.text(milliseconds) == expected)
    }
}
