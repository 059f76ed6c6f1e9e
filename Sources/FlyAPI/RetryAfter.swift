// The `Retry-After` header: a number of seconds or an HTTP date (RFC 9110, section 10.2.3).

/// Reads `Retry-After`.
package enum RetryAfter {
    /// Longest wait that a server can impose: one hour.
    ///
    /// A wrong header must not silence an app for a day.
    package static let maximum: Duration = .seconds(3600)

    /// How long to wait from `now` (nanoseconds since 1970) on; nil when the value is neither form.
    ///
    /// A date in the past means no wait; anything above `maximum` is cut to it.
    package static func delay(_ value: String, now: Int64) -> Duration? {
        let text = trimmed(value)
        guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(.seconds(Int64(text) ?? .max / 1_000_000_000), maximum)
        }
        guard let date = seconds(httpDate: text) else { return nil }
        return min(max(.zero, .seconds(date) - .nanoseconds(now)), maximum)
    }

    /// Seconds since 1970 of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// The two obsolete forms of the RFC are not read: no server sends them any more.
    static func seconds(httpDate text: Substring) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT", parts[1].count == 2, parts[3].count == 4,
            let day = number(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = number(parts[3])
        else { return nil }
        let date = CivilDate(year: year, month: Int64(month + 1), day: day)
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard date.isValid, clock.count == 3, clock.allSatisfy({ $0.count == 2 }), let hour = number(clock[0]),
            let minute = number(clock[1]), let second = number(clock[2]), hour < 24, minute < 60, second <= 60
        else { return nil }
        return date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...].drop { $0 == " " || $0 == "\t" }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}
