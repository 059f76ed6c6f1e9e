// Instants as HTTP headers write them: `Sun, 06 Nov 1994 08:49:37 GMT`.

extension WireTime {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// An instant as an HTTP date, the fraction of a second rounded up.
    ///
    /// - Parameter instant: Unix nanoseconds, from 1970 on.
    package static func httpDate(_ instant: Int64) -> String {
        let seconds = Int((instant + second - 1) / second)
        let (day, secondOfDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = civilDate(ofDay: day)
        let clock = [secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60].map { padded($0) }
        return "\(weekdays[day % 7]), \(padded(date.day)) \(months[date.month - 1]) \(date.year) "
            + clock.joined(separator: ":") + " GMT"
    }

    private static func padded(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
