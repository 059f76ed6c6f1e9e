// The writing half of RFC3339: always UTC, always four digits of year (the range of 64 bits needs no more).

extension RFC3339 {
    /// The timestamp cut to seconds, `2026-06-04T21:25:05Z`, as 20 ASCII bytes without any allocation.
    package static func secondsBytes(_ nanoseconds: Int64) -> InlineArray<20, UInt8> {
        let (seconds, _) = split(nanoseconds)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let date = CivilDate(daysSince1970: days)
        let secondOfDay = seconds - days * 86_400
        var bytes = InlineArray<20, UInt8>(repeating: UInt8(ascii: "-"))
        put(date.year / 100, &bytes, 0)
        put(date.year % 100, &bytes, 2)
        put(date.month, &bytes, 5)
        put(date.day, &bytes, 8)
        bytes[10] = UInt8(ascii: "T")
        put(secondOfDay / 3600, &bytes, 11)
        bytes[13] = UInt8(ascii: ":")
        put(secondOfDay / 60 % 60, &bytes, 14)
        bytes[16] = UInt8(ascii: ":")
        put(secondOfDay % 60, &bytes, 17)
        bytes[19] = UInt8(ascii: "Z")
        return bytes
    }

    /// The timestamp cut to seconds: `2026-06-04T21:25:05Z`.
    package static func secondsText(_ nanoseconds: Int64) -> String {
        let bytes = secondsBytes(nanoseconds)
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    /// The exact timestamp, with 0, 3, 6 or 9 fraction digits, as few as it takes.
    package static func text(_ nanoseconds: Int64) -> String {
        let whole = secondsText(nanoseconds)
        let (_, fraction) = split(nanoseconds)
        guard fraction > 0 else { return whole }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("000") { digits.removeLast(3) }
        return whole.dropLast() + "." + digits + "Z"
    }

    /// The exact timestamp of a cursor; one beyond the year 2262 is shown as the last representable moment.
    package static func text(_ cursor: LogCursor) -> String {
        text(Int64(clamping: cursor.nanoseconds))
    }

    /// Whole seconds, rounded down, and the nanoseconds that remain.
    private static func split(_ nanoseconds: Int64) -> (seconds: Int64, fraction: Int64) {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? (quotient - 1, remainder + 1_000_000_000) : (quotient, remainder)
    }

    private static func put(_ value: Int64, _ bytes: inout InlineArray<20, UInt8>, _ index: Int) {
        bytes[index] = UInt8(ascii: "0") + UInt8(value / 10)
        bytes[index + 1] = UInt8(ascii: "0") + UInt8(value % 10)
    }
}
