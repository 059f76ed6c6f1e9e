// Durations and start times as people write them in flags.

/// Reads durations such as `250ms`, `2s`, `10m`, `24h`; a bare number is milliseconds.
package enum FlyDuration {
    /// Longest duration, in milliseconds: about 292 years, so that nanoseconds still fit 64 bits.
    package static let maximumMilliseconds: Int64 = Int64.max / 1_000_000

    /// Reads one duration.
    ///
    /// - Throws: `FlyAPIError` with code `duration` for a sign, a fraction, an unknown unit or too large a number.
    package static func parse(_ text: String) throws(FlyAPIError) -> Duration {
        .milliseconds(try milliseconds(text))
    }

    /// Reads one duration as whole milliseconds.
    package static func milliseconds(_ text: String) throws(FlyAPIError) -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let unit = text.dropFirst(digits.count)
        guard !text.hasPrefix("-") else { throw refusal(text, "it must not be negative") }
        guard !digits.isEmpty, let factor = factors[String(unit)] else {
            throw refusal(text, "write 250ms, 2s, 10m or 24h; a bare number is milliseconds")
        }
        guard let count = Int64(digits) else { throw refusal(text, "it is too long") }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, product <= maximumMilliseconds else { throw refusal(text, "it is too long") }
        return product
    }

    private static let factors: [String: Int64] = [
        "": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000,
    ]

    private static func refusal(_ text: String, _ reason: String) -> FlyAPIError {
        FlyAPIError(.duration, "\(FlyAPIError.quote(text)) is not a duration: \(reason)")
    }
}

/// The value of `--since`: how long ago, or when.
package enum StartTime: Equatable, Sendable {
    /// So long before the moment of asking, in nanoseconds.
    case ago(nanoseconds: Int64)
    /// At this time, in nanoseconds since 1970.
    case at(nanoseconds: Int64)

    /// Reads a duration (`10m`) or an RFC 3339 time (`2026-06-04T21:25:05Z`).
    ///
    /// - Throws: `FlyAPIError` with code `startTime`.
    package init(_ text: String) throws(FlyAPIError) {
        if let time = RFC3339.nanoseconds(text) {
            guard time >= 0 else { throw Self.refusal(text, "it is before 1970") }
            self = .at(nanoseconds: time)
            return
        }
        do {
            self = .ago(nanoseconds: try FlyDuration.milliseconds(text) * 1_000_000)
        } catch {
            throw Self.refusal(text, "write 10m for ten minutes ago, or a time like 2026-06-04T21:25:05Z")
        }
    }

    /// The start in nanoseconds since 1970, never before 1970.
    package func nanoseconds(now: Int64) -> Int64 {
        switch self {
        case .ago(let span): max(0, now - span)
        case .at(let time): time
        }
    }

    private static func refusal(_ text: String, _ reason: String) -> FlyAPIError {
        FlyAPIError(.startTime, "\(FlyAPIError.quote(text)) is not a start time: \(reason)")
    }
}
