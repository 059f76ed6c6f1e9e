// Instants and durations as text, against values worked out elsewhere.

import Simulator
import Testing

@Suite struct WireTimeTests {
    @Test(
        "an instant is written as Go's RFC3339Nano writes it and read back",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
            (1_780_608_305_152_000_000, "2026-06-04T21:25:05.152Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z"),
        ])
    func converts(instant: Int64, text: String) {
        #expect(WireTime.text(instant) == text)
        #expect(WireTime.parse(text) == instant)
    }

    @Test("a number is Unix nanoseconds")
    func readsNumbers() {
        #expect(WireTime.parse("1780608305152000000") == 1_780_608_305_152_000_000)
        #expect(WireTime.parse("-1") == nil)
    }

    @Test(
        "what is no instant is refused",
        arguments: [
            "", "Z", "2026-06-04", "2026-06-04T21:25:05", "2026-06-04T21:25:05+02:00", "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-06-04T24:00:00Z", "2026-06-04T21:25:05.Z", "2026-06-04T21:25:05.1234567890Z",
            "2026-06-04 21:25:05Z", "1969-12-31T23:59:59Z", "99999999999999999999", "2026-00-10T00:00:00Z",
        ])
    func refusesTheRest(text: String) {
        #expect(WireTime.parse(text) == nil)
    }

    @Test(
        "durations are read as flyctl and flyfleet write them",
        arguments: [
            ("250ms", Int64(250_000_000)), ("2s", 2 * second), ("1h30m", 5_400 * second), ("0s", 0),
            ("1500", 1_500_000_000), ("175200h0m0s", 630_720_000 * second),
        ])
    func readsDurations(text: String, nanoseconds: Int64) {
        #expect(DurationText.nanoseconds(text) == nanoseconds)
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "s", "-1", "-5s", "1.5h", "10 s", "5x", "9999999h", "1h-5m", "h1"])
    func refusesOtherDurations(text: String) {
        #expect(DurationText.nanoseconds(text) == nil)
    }
}
