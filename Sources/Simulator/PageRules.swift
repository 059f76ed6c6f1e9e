// How pages are cut and written: every point on which observers of the real API disagree, and its limits.

/// Whether a page may end between two lines of one nanosecond.
package enum TieRule: String, Sendable, CaseIterable, Codable {
    /// A page grows until it holds all lines of its last nanosecond.
    case whole
    /// A page ends where it is full; the other lines of that nanosecond cannot be had with a page of that size.
    case cut
}

/// How the token of a page is written.
package enum TokenForm: String, Sendable, CaseIterable, Codable {
    case string, number
}

/// The token of an empty page.
package enum EmptyToken: String, Sendable, CaseIterable, Codable {
    /// The empty string.
    case blank
    /// The token that was asked with.
    case same
}

/// The rules by which pages are cut and written.
package struct PageRules: Sendable, Equatable {
    /// How far back a request without a cursor looks: 24 h, in nanoseconds.
    package static let newestWindow: Int64 = 24 * 3_600 * WireTime.second
    /// The page sizes that can be asked for.
    package static let allowedSizes = 1...100_000

    /// The most lines of a page.
    package var size: Int
    /// How the cursor's own nanosecond is treated.
    package var boundary: CursorBoundary
    /// Whether a page may cut a nanosecond.
    package var ties = TieRule.whole
    /// How the token is written.
    package var tokenForm = TokenForm.string
    /// The token of an empty page.
    package var emptyToken = EmptyToken.blank
    /// The share of records that come twice, on one page or again on the next (dialect `platform` only).
    package var repeatShare = 0.0
    /// Lines older than this are gone, in nanoseconds; 7 days at Fly.
    package var retention: Int64 = 7 * 24 * 3_600 * WireTime.second
    /// Whether pages are compressed for those who accept gzip.
    package var compressed = false
    /// A page ends before its `long` texts exceed this, in bytes, but holds one line at least.
    package var longBytesLimit = 8 << 20

    /// Makes rules; the platform's own are 100 lines, inclusive.
    package init(size: Int = 100, boundary: CursorBoundary = .inclusive) {
        self.size = size
        self.boundary = boundary
    }
}
