// Pages of the machines dialect: the documented line, and lines that are no entries.
import FlyAPI
import Foundation
import LogPages
import Testing

@Suite("PageReader, machines dialect")
struct MachinesPageTests {
    private func line(_ number: Int) -> String {
        #"{"timestamp":"2024-01-01T00:00:0\#(number)Z","message":"line \#(number)"}"#
    }

    private func messages(_ page: ReadPage) -> [String] {
        page.lines.map { line in
            let start = line.range(of: #""message":""#)?.upperBound ?? line.startIndex
            return String(line[start...].prefix { $0 != "\"" })
        }
    }

    @Test("the documented line becomes a line in the documented format; what has no key of its own stays in meta")
    func sample() throws {
        let line =
            #"{"type":"log","app_name":"web","timestamp":"2024-01-01T00:00:00Z","level":"info","region":"cdg","#
            + #""instance":"abc123","provider":"app","id":null,"message":"Hello world","meta":{"host":"0ad1"}}"#
        for ending in ["", "\n", "\r\n"] {
            let page = try readPage(machinesSample + ending, .machines)
            #expect(page.lines == [line + "\n"])
            #expect(
                page.contents
                    == PageContents(
                        entryCount: 1, firstTimestamp: 1_704_067_200_000_000_000,
                        latestTimestamp: 1_704_067_200_000_000_000))
        }
    }

    @Test("an empty body and blank lines are no entries and no fault", arguments: ["", "\n", "\n\n \n\t\r\n"])
    func empty(body: String) throws {
        #expect(try readPage(body, .machines).contents == PageContents())
    }

    @Test(
        "a malformed line is skipped and counted, and the lines after it are read",
        arguments: [
            "nonsense", "{", "}", #"{"message":"unclosed}"#, #"{"message":"m"} {"message":"n"}"#, "[]", "7", "null",
            #""text""#, #"{"message":"m",}"#, #"{"message":m}"#, "{}", #"{"error":"app not found"}"#,
            #"{"a":[1,2}"#, #"{"message":"m"}]"#, #"{"a":{"#, #"{"a":["#, "\"", #"{"message":"\"}"#, #"{"a" "b"}"#,
            String(repeating: #"{"a":"#, count: 300) + "1" + String(repeating: "}", count: 300),
        ])
    func malformed(bad: String) throws {
        let page = try readPage([line(1), bad, line(2), bad, bad, line(3)].joined(separator: "\n"), .machines)
        #expect(messages(page) == ["line 1", "line 2", "line 3"])
        #expect(page.contents.malformedCount == 3)
    }

    @Test("the cursor's timestamp is the latest one, wherever it stands, and unreadable ones are passed over")
    func latest() throws {
        let odd = #"{"timestamp":"soon","message":"m"}"#
        let page = try readPage([line(3), line(5), odd, line(1)].joined(separator: "\n"), .machines)
        #expect(page.contents.latestTimestamp == 1_704_067_205_000_000_000)
        #expect(try readPage(odd, .machines).contents.latestTimestamp == nil)
    }

    @Test("the identity is time, instance and message together")
    func identity() throws {
        func entry(_ time: String, _ instance: String, _ message: String) -> String {
            #"{"timestamp":"\#(time)","fly":{"app":{"instance":"\#(instance)"}},"message":"\#(message)"}"#
        }
        let body = [
            entry("t", "i", "m"), entry("t", "i", "m"), entry("u", "i", "m"), entry("t", "j", "m"),
            entry("t", "i", "n"),
            entry("ti", "", "m"), entry("t", "im", ""), entry("", "ti", "m"),
        ]
        let page = try readPage(body.joined(separator: "\n"), .machines)
        #expect(page.identities[0] == page.identities[1])
        #expect(Set(page.identities).count == 7)
    }

    @Test("members of other types are tolerated")
    func otherTypes() throws {
        let body =
            #"{"timestamp":1704067200000,"fly":null,"log":7,"event":[],"message":{"a":1},"x":{"y": [1]},"z":"q"}"#
        let page = try readPage(body, .machines)
        let line =
            #"{"type":"log","app_name":"web","timestamp":"2024-01-01T00:00:00Z","level":null,"region":null,"#
            + #""instance":null,"provider":null,"id":null,"message":"{\"a\":1}","meta":{"x":{"y": [1]},"z":"q"}}"#
        #expect(page.lines == [line + "\n"])
    }

    @Test("a thousand lines keep their order, whole or one at a time")
    func many() throws {
        let good = (0..<1000).map { #"{"timestamp":"2024-01-01T00:00:00Z","message":"\#($0)"}"# }
        let expected = (0..<1000).map(String.init)
        #expect(messages(try readPage(good.joined(separator: "\n"), .machines)) == expected)
        let damaged = try readPage((good + ["\""]).joined(separator: "\n"), .machines)
        #expect(messages(damaged) == expected)
        #expect(damaged.contents.malformedCount == 1)
    }
}
