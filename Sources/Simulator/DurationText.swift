// Durations as flyctl and flyfleet write them: `250ms`, `2s`, `1h30m`; a bare number is milliseconds.

/// Reads durations.
package enum DurationText {
    /// Nanoseconds of a duration; nil when it is malformed, negative or beyond 292 years.
    package static func nanoseconds(_ text: String) -> Int64? {
        if let milliseconds = Int64(text) { return milliseconds < 0 ? nil : scaled(milliseconds, by: 1_000_000) }
        var rest = text[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !("0"..."9").contains($0) }
            rest = rest.dropFirst(unit.count)
            guard let number = Int64(digits), let factor = units[String(unit)],
                let part = scaled(number, by: factor)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }

    private static let units: [String: Int64] = [
        "ms": 1_000_000, "s": WireTime.second, "m": 60 * WireTime.second, "h": 3_600 * WireTime.second,
    ]

    private static func scaled(_ number: Int64, by factor: Int64) -> Int64? {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
