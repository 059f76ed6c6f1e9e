// A line as flysim numbered it: whose, which, when, and whether it was served late on purpose.

import Foundation

/// One emitted line.
struct NumberedLine {
    /// Seconds by which the appearance of an ordinary line may seem to lie behind its timestamp.
    private static let lateness = 0.05

    let app: String
    /// From 1, without gaps, in the order of emission.
    let number: Int
    /// When it appeared in the log, in seconds since 1970; nil where the text is no time.
    let emitted: Double?
    /// Whether it appeared later than its timestamp says, so that it may stand behind later ones.
    let isLate: Bool

    /// Reads the number from the end of the message; nil when there is none.
    init?(_ line: ParsedLine) {
        // A line without a text has its number in its id alone.
        let number =
            line.message.isEmpty
            ? Int(String(decoding: line.id.suffix(16), as: UTF8.self), radix: 16)
            : Self.number(after: "seq=", in: line.message)
        guard let number else { return nil }
        app = String(decoding: line.app, as: UTF8.self)
        self.number = number
        let stamped = Self.seconds(line.timestamp)
        let appeared = Self.number(after: " at=", in: line.message).map { Double($0) / 1000 }
        emitted = appeared ?? stamped
        isLate = (appeared ?? 0) > (stamped ?? .infinity) + Self.lateness
    }

    private static func number(after word: String, in message: [UInt8]) -> Int? {
        guard let start = lastIndex(of: word, in: message) else { return nil }
        let digits = message[(start + word.utf8.count)...].prefix { (0x30...0x39).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Looks through the last bytes only: what flysim adds stands there.
    private static func lastIndex(of word: String, in message: [UInt8]) -> Int? {
        let word = Array(word.utf8)
        let first = max(0, message.count - 80)
        guard message.count - word.count >= first else { return nil }
        return stride(from: message.count - word.count, through: first, by: -1)
            .first { message[$0..<$0 + word.count].elementsEqual(word) }
    }

    /// RFC 3339 in UTC, with any fraction, to seconds since 1970.
    static func seconds(_ text: [UInt8]) -> Double? {
        func digits(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= text.count else { return nil }
            return Int(String(decoding: text[range], as: UTF8.self))
        }
        guard text.last == UInt8(ascii: "Z"), let year = digits(0..<4), let month = digits(5..<7),
            let day = digits(8..<10), let hour = digits(11..<13), let minute = digits(14..<16),
            let second = digits(17..<19)
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(day)
        parts.tm_hour = Int32(hour)
        parts.tm_min = Int32(minute)
        parts.tm_sec = Int32(second)
        let fraction = text.count > 20 ? Double("0" + String(decoding: text[19..<text.count - 1], as: UTF8.self)) : 0
        return Double(timegm(&parts)) + (fraction ?? 0)
    }
}
