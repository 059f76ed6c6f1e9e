import FlyAPI
import Testing

@testable import Sinks

@Suite("LineTimes")
struct MergeTimesTests {
    private func time(_ line: String, app: String = "web", _ times: inout LineTimes) -> Int64 {
        Array(line.utf8).withUnsafeBytes { line in
            LineTimes.prefix(of: app).withUnsafeBytes { times.time(of: line, $0) }
        }
    }

    @Test("it reads the time of our own lines, in the same minute and in another")
    func ownLines() {
        var times = LineTimes()
        for text in [
            "2026-06-04T21:25:05.152Z", "2026-06-04T21:25:06Z", "2026-06-04T21:25:59.123456789Z",
            "2026-06-04T21:26:00.1Z", "2026-06-04T21:25:00.000000001Z", "2026-06-04T21:25:60Z", "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z", "2026-06-04T21:25:05.1234567891Z", "2026-06-04T23:25:05+02:00",
            "2026-06-04t21:25:05z",
        ] {
            #expect(time(entry(time: text, message: "m"), &times) == RFC3339.nanoseconds(text), "\(text)")
            #expect(time(entry(time: text, message: "m"), &times) == RFC3339.nanoseconds(text), "\(text) again")
        }
    }

    @Test(
        "a line that begins otherwise has no time",
        arguments: [
            "", "{}", #"{"type":"gap","app_name":"web"}"#, entry(app: "other", message: "m"),
            #"{"type":"log","app_name":"web","timestamp":null,"level":"info"}"#,
            #"{"type":"log","app_name":"web","timestamp":""#,
            #"{"type":"log","app_name":"web","timestamp":"yesterday"}"#,
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05"}"#,
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05.Z"}"#,
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05.1x2Z"}"#,
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:5Z"}"#,
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05Z and so on"}"#,
            "{\"type\":\"log\",\"app_name\":\"web\",\"timestamp\":\"" + String(repeating: "1", count: 100) + "\"}",
        ])
    func noTime(line: String) {
        var times = LineTimes()
        // The minute is known, so that the short way is tried first.
        _ = time(entry(message: "m"), &times)
        #expect(time(line, &times) == TimedLine.noTime)
    }

    @Test("every cut of a line is read without looking behind it")
    func cuts() {
        var times = LineTimes()
        let line = Array(entry(message: "m").utf8)
        let whole = LineTimes.prefix(of: "web").count + "2026-06-04T21:25:05.152Z\"".utf8.count
        for count in 0...line.count {
            let time = time(String(decoding: line[..<count], as: UTF8.self), &times)
            #expect((time == TimedLine.noTime) == (count < whole))
        }
    }

    @Test("lines are found with their ends; empty ones belong to what follows")
    func lines() {
        var times = LineTimes()
        var found: [(String, Int)] = []
        Array("a\n\nbc\nd".utf8).withUnsafeBytes { batch in
            times.forEachLine(of: batch, app: "web") { line, _, end in
                found.append((String(decoding: line, as: UTF8.self), end))
            }
        }
        #expect(found.map(\.0) == ["a", "bc", "d"])
        #expect(found.map(\.1) == [2, 6, 7])
    }
}

@Suite("SinceFilter")
struct MergeSinceTests {
    private static let since = RFC3339.nanoseconds("2026-06-04T21:25:00Z") ?? 0

    private func shown(_ filter: inout SinceFilter, app: String = "web", _ lines: [String]) -> [String] {
        Array((lines.joined(separator: "\n") + "\n").utf8).withUnsafeBytes { batch in
            let owner = Owner()
            let result = filter.shown(of: batch, app: app, keeping: owner)
            // What needs no change is passed on in place.
            let isInPlace = result.owner === owner
            #expect(isInPlace == (result.bytes.count == batch.count))
            return withExtendedLifetime(result.owner) {
                String(decoding: result.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            }
        }
    }

    private final class Owner {}

    private func line(_ time: String) -> String { entry(time: "2026-06-04T21:" + time + "Z", message: "m") }

    @Test("lines before the time are left out, the others and those without a time are not")
    func before() {
        var filter = SinceFilter(Self.since)
        let gap = #"{"type":"gap","app_name":"web"}"#
        #expect(shown(&filter, [line("24:59.999999999"), gap, line("25:00")]) == [gap, line("25:00")])
        #expect(shown(&filter, [line("24:00")]) == [])
        #expect(shown(&filter, ["no JSON"]) == ["no JSON"])
        #expect(shown(&filter, [line("25:01"), line("25:02")]) == [line("25:01"), line("25:02")])
    }

    @Test("a late line is left out until its app has come a minute past the time, each app for itself")
    func late() {
        var filter = SinceFilter(Self.since)
        #expect(shown(&filter, [line("25:59.999"), line("24:59")]) == [line("25:59.999")])
        #expect(shown(&filter, [line("26:00"), line("24:59")]) == [line("26:00")])
        #expect(shown(&filter, [line("24:59")]) == [line("24:59")])
        let other = line("24:59").replacing("\"web\"", with: "\"other\"")
        #expect(shown(&filter, app: "other", [other]) == [])
    }

    @Test("a time at the end of time hides everything that has one")
    func endOfTime() {
        var filter = SinceFilter(.max)
        #expect(shown(&filter, [line("25:00"), "{}"]) == ["{}"])
    }
}
