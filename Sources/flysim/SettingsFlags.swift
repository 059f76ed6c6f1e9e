// The settings of lines and pages as flags: the same as the members of `POST /_sim/settings`.

import ArgumentParser
import Simulator

struct SettingsFlags: ParsableArguments {
    @Option(help: "Mean lines per second and app: 0 for none, else 0.001 to 1000000.")
    var rate = 20.0

    @Option(help: "Another rate for one app, as web=100; may be repeated.")
    var appRate: [String] = []

    @Option(help: "Each app falls silent after this many lines.")
    var maxLines: Int?

    @Option(help: "When the lines stop: RFC 3339 in UTC or Unix nanoseconds.")
    var stopAt: String?

    @Option(help: "The share of lines that appear later than their timestamp, 0 to 1.")
    var lateShare: Double?

    @Option(help: "How late the latest of them are; each is between half and all of it late.")
    var lateBy: String?

    @Option(help: "How many successive lines share one nanosecond, now and then.")
    var tieLength: Int?

    @Option(help: "In how many lines there is one such run.")
    var tieEvery: Int?

    @Option(help: "The share of an odd text, as empty=0.01: ansi, control, empty, invalid, long; may be repeated.")
    var odd: [String] = []

    @Option(help: "The length of the texts `long`, in bytes.")
    var longBytes: Int?

    @Option(help: "Lines per page, 1 to 100000.")
    var pageSize = 100

    @Option(help: "Whether the line at the cursor comes again: inclusive or exclusive (dialect platform).")
    var cursor = CursorBoundary.inclusive

    @Option(help: "Whether pages may cut a nanosecond: cut, or whole, which lets them grow.")
    var ties = TieRule.whole

    @Option(help: "How tokens are written: string or number.")
    var tokenForm = TokenForm.string

    @Option(help: "The token of an empty page: blank, or same as in the request.")
    var emptyToken = EmptyToken.blank

    @Option(help: "The share of records that come twice, on one page or again on the next (dialect platform).")
    var repeatShare: Double?

    @Option(help: "How far back lines are kept.")
    var retention = "168h"

    @Flag(help: "Compress pages for those who accept gzip.")
    var gzip = false

    @Option(help: "The status of the log endpoints for an app that does not exist: 401 or 404.")
    var missingApp = 401

    @Option(help: "Longest life of a token; the life of new ones where none is asked for.")
    var tokenLife = "24h"

    /// The settings as orders, carried out one after the other.
    func orders() throws -> [SettingsOrder] {
        var order = SettingsOrder()
        order.rate = rate
        order.maxLines = maxLines
        order.stopAt = stopAt
        order.lateShare = lateShare
        order.lateBy = lateBy
        order.tieLength = tieLength
        order.tieEvery = tieEvery
        order.odd = try Dictionary(odd.map { try pair($0, "--odd") }) { _, last in last }
        order.longBytes = longBytes
        order.cursor = cursor.rawValue
        order.pageSize = pageSize
        order.ties = ties.rawValue
        order.tokenForm = tokenForm.rawValue
        order.emptyToken = emptyToken.rawValue
        order.repeatShare = repeatShare
        order.retention = retention
        order.gzip = gzip
        order.missingApp = missingApp
        order.tokenLife = tokenLife
        let rates = try appRate.map { text in
            let (app, rate) = try pair(text, "--app-rate")
            var order = SettingsOrder(app: app)
            order.rate = rate
            return order
        }
        return [order] + rates
    }

    private func pair(_ text: String, _ flag: String) throws -> (String, Double) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Double(parts[1]) else {
            throw ValidationError("\(flag) \"\(text)\": must be NAME=NUMBER")
        }
        return (String(parts[0]), number)
    }
}

extension CursorBoundary: ExpressibleByArgument {}
extension TieRule: ExpressibleByArgument {}
extension TokenForm: ExpressibleByArgument {}
extension EmptyToken: ExpressibleByArgument {}
