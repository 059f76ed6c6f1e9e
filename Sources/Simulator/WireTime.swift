// Instants as the API writes them: RFC 3339 in UTC, with as many fraction digits as the nanoseconds need.
//
// Days are counted with the proleptic Gregorian calendar; leap seconds do not exist in Unix time.

/// Conversions between Unix nanoseconds and RFC 3339.
package enum WireTime {
    /// Nanoseconds in a second.
    static let second: Int64 = 1_000_000_000

    /// Appends an instant, trailing zeros of the fraction left out as Go's `RFC3339Nano` does.
    ///
    /// - Parameter instant: Unix nanoseconds, from 1970 on.
    package static func append(_ instant: Int64, to bytes: inout [UInt8]) {
        let (seconds, nanoseconds) = instant.quotientAndRemainder(dividingBy: second)
        let (days, secondOfDay) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        let date = civilDate(ofDay: days)
        appendDecimal(date.year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDecimal(date.month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDecimal(date.day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendDecimal(secondOfDay / 3_600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDecimal(secondOfDay / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDecimal(secondOfDay % 60, digits: 2, to: &bytes)
        if nanoseconds > 0 {
            bytes.append(UInt8(ascii: "."))
            appendDecimal(Int(nanoseconds), digits: 9, to: &bytes)
            while bytes.last == UInt8(ascii: "0") {
                bytes.removeLast()
            }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    /// An instant as text.
    package static func text(_ instant: Int64) -> String {
        var bytes: [UInt8] = []
        append(instant, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads `2026-06-04T21:25:05.152Z` or a decimal number of Unix nanoseconds.
    ///
    /// Only UTC is read (`Z`), with 0 to 9 fraction digits; nil for anything else.
    package static func parse(_ text: String) -> Int64? {
        if let nanoseconds = Int64(text) { return nanoseconds >= 0 ? nanoseconds : nil }
        let bytes = Array(text.utf8)
        let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"),
            separators.allSatisfy({ Character(UnicodeScalar(bytes[$0.0])) == $0.1 }),
            let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7]), let day = decimal(bytes[8..<10]),
            let hour = decimal(bytes[11..<13]), let minute = decimal(bytes[14..<16]),
            let second = decimal(bytes[17..<19]),
            let fraction = fraction(bytes[19..<(bytes.count - 1)]),
            (1970...2261).contains(year), (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60
        else { return nil }
        let days = dayNumber(year: year, month: month, day: day)
        let date = civilDate(ofDay: days)
        guard date.month == month, date.day == day else { return nil }
        return Int64(days * 86_400 + hour * 3_600 + minute * 60 + second) * Self.second + Int64(fraction)
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.reduce(into: Int?.some(0)) { value, byte in
            value = (0x30...0x39).contains(byte) ? value.map { $0 * 10 + Int(byte - 0x30) } : nil
        }
    }

    private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let point = bytes.first else { return 0 }
        let digits = bytes.dropFirst()
        guard point == UInt8(ascii: "."), (1...9).contains(digits.count), var value = decimal(digits) else {
            return nil
        }
        for _ in digits.count..<9 {
            value *= 10
        }
        return value
    }

    /// Days since 1970-01-01, by counting years from March so that a leap day comes last.
    private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func civilDate(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
