// Timestamps between RFC 3339 text and nanoseconds since 1970, in integers.
//
// Not a calendar library, and no time zone but the offset in the text. Invariant: what cannot be held in 64 bits
// (before 1677-09-21 or after 2262-04-11) is refused, never wrapped.

/// Reads and writes RFC 3339 timestamps.
package enum RFC3339 {
    /// Reads a timestamp such as `2026-06-04T21:25:05.152Z`; nil when it is none, or out of range.
    ///
    /// Fraction digits beyond the ninth are dropped. A leap second (`:60`) counts as the first moment of the next
    /// minute. `t`, `z` and a space for the `T` are accepted, as the RFC allows.
    package static func nanoseconds(_ text: Span<UInt8>) -> Int64? {
        let count = text.count
        guard count >= 20, count <= 64 else { return nil }
        guard text[4] == dash, text[7] == dash, text[13] == colon, text[16] == colon else { return nil }
        let separator = text[10]
        guard separator | 0x20 == lowerT || separator == 0x20 else { return nil }
        guard let century = pair(text, 0), let yearOfCentury = pair(text, 2), let month = pair(text, 5),
            let day = pair(text, 8), let hour = pair(text, 11), let minute = pair(text, 14),
            let second = pair(text, 17)
        else { return nil }
        let date = CivilDate(year: century * 100 + yearOfCentury, month: month, day: day)
        guard date.isValid, hour < 24, minute < 60, second <= 60 else { return nil }

        var index = 19
        var fraction: Int64 = 0
        if text[index] == dot {
            index += 1
            let first = index
            var weight: Int64 = 100_000_000
            while index < count, case let digit = text[index] &- zero, digit < 10 {
                fraction += Int64(digit) * weight
                weight /= 10
                index += 1
            }
            guard index > first, index < count else { return nil }
        }
        guard let offset = offsetSeconds(text, from: index) else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
        return combined(seconds: seconds, fraction: fraction)
    }

    /// Reads a timestamp from a string.
    package static func nanoseconds(_ text: String) -> Int64? {
        nanoseconds(text.utf8.span)
    }

    /// Reads a JSON number of milliseconds since 1970, with or without a fraction; nil for an exponent or overflow.
    package static func nanoseconds(epochMilliseconds text: Span<UInt8>) -> Int64? {
        var index = 0
        let isNegative = text.count > 0 && text[0] == dash
        if isNegative { index = 1 }
        let first = index
        var value: Int64 = 0
        var weight: Int64 = 1_000_000
        var isFraction = false
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == dot, !isFraction, index > first + 1, index < text.count {
                isFraction = true
                continue
            }
            let digit = Int64(byte &- zero)
            guard digit < 10 else { return nil }
            if isFraction {
                weight /= 10
                value += digit * weight
                continue
            }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(digit * weight)
            guard !tooLarge, !carried else { return nil }
            value = sum
        }
        guard index > first else { return nil }
        return isNegative ? -value : value
    }

    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")
    private static let dot = UInt8(ascii: ".")
    private static let zero = UInt8(ascii: "0")
    private static let lowerT = UInt8(ascii: "t")
    private static let lowerZ = UInt8(ascii: "z")

    /// The two digits at `index`, which the caller knows to be inside the text.
    private static func pair(_ text: Span<UInt8>, _ index: Int) -> Int64? {
        let tens = text[index] &- zero
        let ones = text[index + 1] &- zero
        guard tens < 10, ones < 10 else { return nil }
        return Int64(tens) * 10 + Int64(ones)
    }

    /// The offset that ends the text, in seconds east of Greenwich.
    private static func offsetSeconds(_ text: Span<UInt8>, from index: Int) -> Int64? {
        let sign = text[index]
        if sign | 0x20 == lowerZ { return text.count == index + 1 ? 0 : nil }
        guard sign == dash || sign == UInt8(ascii: "+"), text.count == index + 6, text[index + 3] == colon else {
            return nil
        }
        guard let hours = pair(text, index + 1), let minutes = pair(text, index + 4), hours < 24, minutes < 60 else {
            return nil
        }
        let magnitude = hours * 3600 + minutes * 60
        return sign == dash ? -magnitude : magnitude
    }

    /// Seconds and nanoseconds in one number, or nil when that does not fit.
    ///
    /// The sum is formed from the second above when negative: the very first moment of the range would overflow
    /// on the way otherwise.
    private static func combined(seconds: Int64, fraction: Int64) -> Int64? {
        let isNegative = seconds < 0 && fraction > 0
        let base = isNegative ? seconds + 1 : seconds
        let rest = isNegative ? fraction - 1_000_000_000 : fraction
        let (scaled, tooLarge) = base.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(rest)
        return tooLarge || carried ? nil : sum
    }
}
