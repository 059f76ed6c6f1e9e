// What the lines of an app follow from, besides seed and name. A change concerns the lines after it and none before.

/// A text that breaks careless readers; it takes the place of a line's ordinary text.
package enum OddMessage: String, Sendable, CaseIterable, Codable {
    /// Escape sequences beyond colour: clearing the screen, moving the cursor, setting a title, never reset.
    case ansi
    /// Every control character of ASCII, and those of C1.
    case control
    /// No text at all, so that only the record's id tells the line's number.
    case empty
    /// Bytes that are not UTF-8.
    case invalid
    /// As long as `LineSettings.longBytes` says.
    case long
}

/// The settings of one app's lines.
package struct LineSettings: Sendable, Equatable {
    /// The lengths of `long` texts that can be asked for, in bytes.
    package static let allowedLongBytes = 1...(16 << 20)
    /// The longest delay of a late line: 10 minutes, in nanoseconds.
    package static let longestLateness: Int64 = 600 * WireTime.second
    /// The numbers of lines in one nanosecond that can be asked for; 0 is none.
    package static let allowedTieLengths = 0...10_000

    /// Mean lines per second; 0 for none.
    package var rate: Double
    /// The number of the last line; nil for no end.
    package var lineLimit: Int?
    /// The share of lines that appear later than their timestamp says.
    package var lateShare = 0.0
    /// How late the latest of them are, in nanoseconds; each is between half and all of it late.
    package var lateness: Int64 = 2 * WireTime.second
    /// How many successive lines share one nanosecond; 0 for no such run.
    package var tieLength = 0
    /// There is one run of `tieLength` lines in as many lines as this.
    package var tieEvery = 1_000
    /// The share of lines with an odd text, by kind.
    package var oddShares: [OddMessage: Double] = [:]
    /// The length of `long` texts in bytes.
    package var longBytes = 1 << 20

    /// Collects the settings of ordinary lines.
    package init(rate: Double, lineLimit: Int? = nil) {
        self.rate = rate
        self.lineLimit = lineLimit
    }

    /// The odd text that a drawn number in `0..<1` stands for.
    func oddMessage(at drawn: Double) -> OddMessage? {
        guard !oddShares.isEmpty else { return nil }
        var bound = 0.0
        for kind in OddMessage.allCases {
            bound += oddShares[kind] ?? 0
            if drawn < bound { return kind }
        }
        return nil
    }
}

/// A number in `0..<1` from a mixed word.
func unitInterval(_ word: UInt64) -> Double {
    Double(word >> 11) * 0x1p-53
}
