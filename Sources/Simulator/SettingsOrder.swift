// An order that changes settings: the members of `POST /_sim/settings`, all optional, which are also flags of flysim.
//
// What concerns the lines themselves concerns those after the order alone; how pages are cut and written changes at once.

/// Settings to change; what is left out stays.
package struct SettingsOrder: Codable, Sendable, Equatable {
    /// The app concerned; nil for all.
    package var app: String?
    /// Mean lines per second; 0 stops the lines.
    package var rate: Double?
    /// The number of each app's last line.
    package var maxLines: Int?
    /// The instant at which the lines stop: RFC 3339 or Unix nanoseconds; `never` for no such instant.
    package var stopAt: String?
    /// The share of late lines.
    package var lateShare: Double?
    /// How late the latest of them are: a duration.
    package var lateBy: String?
    /// How many lines share a nanosecond now and then.
    package var tieLength: Int?
    /// In how many lines there is one such run.
    package var tieEvery: Int?
    /// The shares of odd texts by kind; kinds left out are off.
    package var odd: [String: Double]?
    /// The length of `long` texts in bytes.
    package var longBytes: Int?
    /// Whether the line at the cursor comes again.
    package var cursor: String?
    /// Lines per page.
    package var pageSize: Int?
    /// Whether pages may cut a nanosecond: `whole` or `cut`.
    package var ties: String?
    /// How tokens are written: `string` or `number`.
    package var tokenForm: String?
    /// The token of an empty page: `blank` or `same`.
    package var emptyToken: String?
    /// The share of records that come twice.
    package var repeatShare: Double?
    /// How far back lines are kept: a duration.
    package var retention: String?
    /// Whether pages are compressed.
    package var gzip: Bool?
    /// The status of the log endpoints for an app that does not exist: 401 or 404; concerns all apps.
    package var missingApp: Int?
    /// The longest life of a token; a duration; concerns all apps.
    package var tokenLife: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case app, rate, odd, cursor, ties, retention, gzip
        case maxLines = "max_lines"
        case stopAt = "stop_at"
        case lateShare = "late_share"
        case lateBy = "late_by"
        case tieLength = "tie_length"
        case tieEvery = "tie_every"
        case longBytes = "long_bytes"
        case pageSize = "page_size"
        case tokenForm = "token_form"
        case emptyToken = "empty_token"
        case repeatShare = "repeat_share"
        case missingApp = "missing_app"
        case tokenLife = "token_life"
    }

    /// The names of all members.
    package static var memberNames: [String] { CodingKeys.allCases.map(\.rawValue) }

    /// Reads an order; a member of another name is an error, so that a slip does not go unseen.
    package init(from decoder: any Decoder) throws {
        try refuseOtherMembers(than: Self.memberNames, in: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try container.decodeIfPresent(Value.self, forKey: key)
        }
        app = try value(.app)
        rate = try value(.rate)
        maxLines = try value(.maxLines)
        stopAt = try value(.stopAt)
        lateShare = try value(.lateShare)
        lateBy = try value(.lateBy)
        tieLength = try value(.tieLength)
        tieEvery = try value(.tieEvery)
        odd = try value(.odd)
        longBytes = try value(.longBytes)
        cursor = try value(.cursor)
        pageSize = try value(.pageSize)
        ties = try value(.ties)
        tokenForm = try value(.tokenForm)
        emptyToken = try value(.emptyToken)
        repeatShare = try value(.repeatShare)
        retention = try value(.retention)
        gzip = try value(.gzip)
        missingApp = try value(.missingApp)
        tokenLife = try value(.tokenLife)
    }

    /// Makes an order that changes nothing.
    package init(app: String? = nil) {
        self.app = app
    }
}

/// Why settings make no sense.
package struct SettingsError: Error, CustomStringConvertible, Equatable {
    /// One line, naming the member and what it may be.
    package let description: String

    /// Makes an error.
    package init(description: String) {
        self.description = description
    }
}

extension SettingsOrder {
    /// The settings of lines after the order; nil where it leaves them as they are.
    func lines(after settings: LineSettings) throws(SettingsError) -> LineSettings? {
        var changed = settings
        if let rate = rate {
            guard rate == 0 || Timeline.allowedRates.contains(rate) else {
                throw SettingsError(description: "rate \(rate): must be 0, or 0.001 to 1000000 lines per second")
            }
            changed.rate = rate
        }
        if let maxLines {
            guard maxLines >= 0 else { throw SettingsError(description: "max_lines \(maxLines): must not be negative") }
            changed.lineLimit = maxLines
        }
        if let lateShare { changed.lateShare = try Self.share(lateShare, "late_share") }
        if let lateBy {
            changed.lateness = try Self.duration(lateBy, "late_by", through: LineSettings.longestLateness)
        }
        if let tieLength {
            changed.tieLength = try Self.number(tieLength, "tie_length", LineSettings.allowedTieLengths)
        }
        if let tieEvery { changed.tieEvery = try Self.number(tieEvery, "tie_every", 1...1_000_000) }
        if let odd { changed.oddShares = try Self.oddShares(odd) }
        if let longBytes {
            changed.longBytes = try Self.number(longBytes, "long_bytes", LineSettings.allowedLongBytes)
        }
        return changed == settings ? nil : changed
    }

    /// The rules of pages after the order.
    func pages(after rules: PageRules) throws(SettingsError) -> PageRules {
        var changed = rules
        if let cursor { changed.boundary = try Self.choice(cursor, "cursor") }
        if let pageSize { changed.size = try Self.number(pageSize, "page_size", PageRules.allowedSizes) }
        if let ties { changed.ties = try Self.choice(ties, "ties") }
        if let tokenForm { changed.tokenForm = try Self.choice(tokenForm, "token_form") }
        if let emptyToken { changed.emptyToken = try Self.choice(emptyToken, "empty_token") }
        if let repeatShare { changed.repeatShare = try Self.share(repeatShare, "repeat_share") }
        if let retention {
            changed.retention = try Self.duration(retention, "retention", through: Timeline.end)
        }
        if let gzip { changed.compressed = gzip }
        return changed
    }

    /// The instant at which the lines stop; nil where the order does not say, `.max` for never.
    func stop() throws(SettingsError) -> Int64? {
        guard let stopAt else { return nil }
        if stopAt == "never" { return .max }
        guard let instant = WireTime.parse(stopAt) else {
            throw SettingsError(
                description: "stop_at '\(stopAt)': must be like 2026-06-04T21:25:05Z, Unix nanoseconds or never")
        }
        return instant
    }

    private static func share(_ value: Double, _ name: String) throws(SettingsError) -> Double {
        guard (0...1).contains(value) else { throw SettingsError(description: "\(name) \(value): must be 0 to 1") }
        return value
    }

    private static func number(
        _ value: Int, _ name: String, _ allowed: ClosedRange<Int>
    ) throws(SettingsError) -> Int {
        guard allowed.contains(value) else {
            throw SettingsError(description: "\(name) \(value): must be \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return value
    }

    private static func duration(
        _ text: String, _ name: String, through longest: Int64 = .max
    ) throws(SettingsError) -> Int64 {
        guard let value = DurationText.nanoseconds(text), (0...longest).contains(value) else {
            throw SettingsError(
                description: "\(name) '\(text)': must be a duration like 250ms, 10m or 24h, and not be too long")
        }
        return value
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, _ name: String
    ) throws(SettingsError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: " or ")
            throw SettingsError(description: "\(name) '\(text)': must be \(choices)")
        }
        return choice
    }

    private static func oddShares(_ shares: [String: Double]) throws(SettingsError) -> [OddMessage: Double] {
        var result: [OddMessage: Double] = [:]
        for (name, value) in shares {
            let kind: OddMessage = try choice(name, "odd")
            result[kind] = try share(value, "odd \(name)")
        }
        guard result.values.reduce(0, +) <= 1 else { throw SettingsError(description: "odd: the sum exceeds 1") }
        return result
    }
}
