// App names, durations and start times as people type them.
import Testing

@testable import FlyAPI

@Suite("AppName")
struct AppNameTests {
    @Test(
        "a valid name is kept as it is",
        arguments: ["a", "web", "my-app-2", "-", "0", String(repeating: "a", count: 63)])
    func valid(text: String) throws {
        #expect(try AppName(text).text == text)
    }

    @Test(
        "anything else is refused, naming it",
        arguments: [
            "Web", "my_app", "my app", "a/b", "..", "a.b", "é", "a\n", "app\u{0}", "%61",
            String(repeating: "a", count: 64),
        ])
    func invalid(text: String) {
        let error = #expect(throws: FlyAPIError.self) { try AppName(text) }
        #expect(error?.code == .appName)
        #expect(error?.description.contains("lower-case letters, digits and dashes, at most 63") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("an empty name says so")
    func empty() {
        #expect(throws: FlyAPIError(.appName, "an app name is empty: name at least one app")) { try AppName("") }
    }

    @Test("a list keeps its order and drops repeats")
    func list() throws {
        #expect(try AppName.list("web, api,web").map(\.text) == ["web", "api"])
        for wrong in ["", "web,", ",web", "web,,api", "web,API"] {
            #expect(throws: FlyAPIError.self) { try AppName.list(wrong) }
        }
    }
}

@Suite("FlyDuration")
struct FlyDurationTests {
    @Test(
        "units are ms, s, m and h; a bare number is milliseconds",
        arguments: [
            ("250ms", 250), ("2s", 2000), ("10m", 600_000), ("24h", 86_400_000), ("0", 0), ("1500", 1500),
            ("007s", 7000), ("9223372036854", 9_223_372_036_854),
        ] as [(String, Int64)])
    func valid(text: String, milliseconds: Int64) throws {
        #expect(try FlyDuration.milliseconds(text) == milliseconds)
        #expect(try FlyDuration.parse(text) == .milliseconds(milliseconds))
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "s", "-1", "-2s", "+1", "1.5s", "2 s", " 2s", "2S", "1d", "1h30m", "ms", "0x10", "٣s",
            "9223372036855", "2562048h", "99999999999999999999", "1e3",
        ])
    func invalid(text: String) {
        let error = #expect(throws: FlyAPIError.self) { try FlyDuration.parse(text) }
        #expect(error?.code == .duration)
    }
}

@Suite("StartTime")
struct StartTimeTests {
    @Test("a duration counts back from now, a time is itself")
    func valid() throws {
        #expect(try StartTime("10m").nanoseconds(now: 1_000_000_000_000) == 400_000_000_000)
        #expect(try StartTime("10m").nanoseconds(now: 5) == 0)
        #expect(try StartTime("2024-01-01T00:00:00Z").nanoseconds(now: 5) == 1_704_067_200_000_000_000)
    }

    @Test("anything else is refused", arguments: ["", "yesterday", "-10m", "1969-12-31T23:59:59Z", "2024-01-01"])
    func invalid(text: String) {
        let error = #expect(throws: FlyAPIError.self) { try StartTime(text) }
        #expect(error?.code == .startTime)
    }
}
