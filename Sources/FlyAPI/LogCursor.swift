// A position in an app's log: nanoseconds since 1970, written in decimal.
//
// Not a timestamp of an entry: the server may hand out any number here, far above 2^53, so it never goes through a
// floating-point number. Invariant: `text` and `nanoseconds` are two spellings of one value.

/// Where reading goes on.
package struct LogCursor: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since 1970.
    package let nanoseconds: UInt64

    /// The decimal digits, without leading zeros: what is sent, framed and stored.
    package var text: String { String(nanoseconds) }

    package var description: String { text }

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The cursor of an entry's time or a start time; before 1970 counts as 1970.
    package init(time nanoseconds: Int64) {
        self.nanoseconds = UInt64(max(0, nanoseconds))
    }

    /// Reads decimal digits.
    ///
    /// - Throws: `FlyAPIError` with code `cursor` for anything but digits that fit 64 bits.
    package init(_ text: String) throws(FlyAPIError) {
        guard let value = Self.decimal(text.utf8.span) else {
            throw FlyAPIError(
                .cursor, "\(FlyAPIError.quote(text)) is not a log cursor: a decimal time in nanoseconds is needed")
        }
        nanoseconds = value
    }

    /// Reads decimal digits from bytes; nil for anything else.
    package init?(digits: Span<UInt8>) {
        guard let value = Self.decimal(digits) else { return nil }
        nanoseconds = value
    }

    /// The cursor that much earlier, not before 1970.
    package func rewound(nanoseconds span: UInt64) -> LogCursor {
        LogCursor(nanoseconds: nanoseconds > span ? nanoseconds - span : 0)
    }

    /// The cursor that much later, as far as there are numbers.
    package func advanced(nanoseconds span: UInt64) -> LogCursor {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span)
        return LogCursor(nanoseconds: overflow ? .max : sum)
    }

    /// The nanosecond before; the first one stays.
    package var previous: LogCursor { rewound(nanoseconds: 1) }

    /// The next nanosecond; the last one stays.
    package var next: LogCursor {
        LogCursor(nanoseconds: nanoseconds == .max ? .max : nanoseconds + 1)
    }

    package static func < (left: LogCursor, right: LogCursor) -> Bool { left.nanoseconds < right.nanoseconds }

    private static func decimal(_ digits: Span<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in digits.indices {
            let digit = digits[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            guard !tooLarge, !carried else { return nil }
            value = sum
        }
        return value
    }
}

/// What a platform page said about where to go on.
package enum PageToken: Equatable, Sendable {
    /// No `next_token`, or null.
    case absent
    /// The empty string: keep the old cursor.
    case empty
    /// A string or a bare number.
    case cursor(LogCursor)
    /// Something that is no decimal number.
    case unreadable
}
