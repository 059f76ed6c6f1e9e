// Timestamps: known values, every boundary of the calendar and of 64 bits, and the law of the round trip.
import Testing

@testable import FlyAPI

@Suite("RFC3339")
struct RFC3339Tests {
    @Test(
        "a timestamp is read to the nanosecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("2024-01-01T00:00:00Z", 1_704_067_200_000_000_000),
            ("2026-06-04T21:25:05.152Z", 1_780_608_305_152_000_000),
            ("2026-06-04T21:25:05.1Z", 1_780_608_305_100_000_000),
            ("2026-06-04T21:25:05.123456789Z", 1_780_608_305_123_456_789),
            ("2026-06-04T21:25:05.1234567899999Z", 1_780_608_305_123_456_789),
            ("2026-06-04t21:25:05z", 1_780_608_305_000_000_000),
            ("2026-06-04 21:25:05Z", 1_780_608_305_000_000_000),
            ("2026-06-04T23:25:05+02:00", 1_780_608_305_000_000_000),
            ("2026-06-04T15:55:05.5-05:30", 1_780_608_305_500_000_000),
            ("2026-06-04T21:25:05-00:00", 1_780_608_305_000_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000_000_000),
            ("2262-04-11T23:47:16.854775807Z", Int64.max),
            ("1677-09-21T00:12:43.145224192Z", Int64.min),
        ])
    func parse(text: String, expected: Int64) {
        #expect(RFC3339.nanoseconds(text) == expected)
    }

    @Test(
        "what is no timestamp, or out of range, is refused",
        arguments: [
            "", "2026-06-04", "2026-06-04T21:25:05", "2026-06-04T21:25Z", "2026-06-04T21:25:05.Z",
            "2026-06-04T21:25:05.152", "2026-13-04T21:25:05Z", "2026-00-04T21:25:05Z", "2026-06-00T21:25:05Z",
            "2026-06-31T21:25:05Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-06-04T24:00:00Z",
            "2026-06-04T21:60:05Z", "2026-06-04T21:25:61Z", "2026-06-04T21:25:05+24:00", "2026-06-04T21:25:05+02:60",
            "2026-06-04T21:25:05+0200", "2026-06-04T21:25:05+02", "2026-06-04T21:25:05ZZ", "2026-06-04T21:25:05Z ",
            " 2026-06-04T21:25:05Z", "2026-06-04X21:25:05Z", "2026/06/04T21:25:05Z", "2O26-06-04T21:25:05Z",
            "-026-06-04T21:25:05Z", "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z",
            "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1780608305152",
            "2026-06-04T21:25:05.00000000000000000000000000000000000000000000000000Z",
        ])
    func refused(text: String) {
        #expect(RFC3339.nanoseconds(text) == nil)
    }

    @Test("every truncation of a timestamp is refused")
    func truncations() {
        let whole = "2026-06-04T21:25:05.123456789+02:00"
        for length in 0..<whole.utf8.count {
            #expect(RFC3339.nanoseconds(String(whole.prefix(length))) == nil)
        }
    }

    @Test(
        "formatting uses as few fraction digits as it takes",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_780_608_305_152_000_000, "2026-06-04T21:25:05.152Z"),
            (1_000, "1970-01-01T00:00:00.000001Z"), (1, "1970-01-01T00:00:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"), (Int64.max, "2262-04-11T23:47:16.854775807Z"),
            (Int64.min, "1677-09-21T00:12:43.145224192Z"),
        ] as [(Int64, String)])
    func format(nanoseconds: Int64, expected: String) {
        #expect(RFC3339.text(nanoseconds) == expected)
    }

    @Test("seconds are cut, not rounded, also before 1970")
    func seconds() {
        #expect(RFC3339.secondsText(1_780_608_305_999_999_999) == "2026-06-04T21:25:05Z")
        #expect(RFC3339.secondsText(-1) == "1969-12-31T23:59:59Z")
    }

    @Test("what is written is read back, over the whole range")
    func roundTrip() {
        var generator = SplitMix64(state: 42)
        for _ in 0..<20_000 {
            let value = Int64(bitPattern: generator.next())
            #expect(RFC3339.nanoseconds(RFC3339.text(value)) == value)
        }
    }

    @Test("a cursor beyond the year 2262 is shown as the last moment")
    func cursor() throws {
        #expect(RFC3339.text(LogCursor(nanoseconds: .max)) == "2262-04-11T23:47:16.854775807Z")
        #expect(RFC3339.text(try LogCursor("1780608313161890637")) == "2026-06-04T21:25:13.161890637Z")
    }

    @Test(
        "a number is milliseconds since 1970, in integers",
        arguments: [
            ("0", 0), ("1780608305152", 1_780_608_305_152_000_000), ("1780608305152.25", 1_780_608_305_152_250_000),
            ("-1", -1_000_000), ("1.0000001", 1_000_000), ("9223372036854", 9_223_372_036_854_000_000),
            ("9223372036855", nil), ("", nil), ("-", nil), ("1e3", nil), ("1.", nil), (".5", nil), ("1.2.3", nil),
            ("99999999999999999999999", nil),
        ] as [(String, Int64?)])
    func epochMilliseconds(text: String, expected: Int64?) {
        #expect(RFC3339.nanoseconds(epochMilliseconds: text.utf8.span) == expected)
    }
}

/// A small generator with a fixed seed, so that a failing run can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
