// The weather: what goes wrong with the API, as orders to flysim's switches. An order concerns a few requests and is then
// used up; another set of page rules stays until the next.

/// One change of the weather.
struct Weather {
    /// What to do.
    enum Change {
        /// Posts an order to flysim.
        case post(path: String, order: String)
        /// Makes the token command do something else than print a token, for so many seconds.
        case tokenCommand(String, seconds: Double)
    }

    /// For the report.
    let name: String
    let change: Change

    private static let tokenCommands = ["noise", "hang", "fail", "prompt", "huge", "silent"]

    private static func fault(_ order: String) -> Change { .post(path: "/_sim/switch", order: order) }

    /// Draws the next change.
    static func draw(_ draws: inout Draws, _ plan: SoakPlan) -> Weather {
        if draws.chance(0.15) {
            let pages = PageSettings(&draws, tieLength: plan.tieLength)
            return Weather(name: "other page rules", change: .post(path: "/_sim/settings", order: pages.order))
        }
        if draws.chance(0.05) {
            let behaviour = draws.pick(tokenCommands)
            return Weather(
                name: "token command: \(behaviour)", change: .tokenCommand(behaviour, seconds: draws.spread(0.5, 8)))
        }
        let kind = draws.pick(weighted: kinds)
        var members = [#""fault":"\#(kind.fault)""#] + kind.more(&draws)
        if kind.isCounted {
            members.append(#""count":\#(1 + draws.below(kind.mostRequests))"#)
            if draws.chance(0.7) { members.append(#""app":"\#(draws.pick(plan.apps))""#) }
        }
        return Weather(name: kind.name, change: fault("{" + members.joined(separator: ",") + "}"))
    }

    private struct Kind {
        let name: String
        let fault: String
        var mostRequests = 6
        var isCounted = true
        var more: @Sendable (inout Draws) -> [String] = { _ in [] }

        /// An answer with another status.
        static func status(_ status: Int, _ words: String = "", _ more: String...) -> Kind {
            Kind(name: "\(status)\(words)", fault: "status") { draws in
                [#""status":\#(status)"#] + more.map { $0.replacing("N", with: "\(1 + draws.below(3))") }
            }
        }
    }

    private static let kinds: [(weight: Double, element: Kind)] = [
        (1, .status(500)), (1, .status(502)), (1, .status(503)), (1, .status(429)), (1, .status(401)),
        (1, .status(403)), (1, .status(404)), (1, .status(429, " with seconds", #""retry_after":N"#)),
        (1, .status(429, " with a date", #""retry_after":N"#, #""retry_after_date":true"#)),
        (1, Kind(name: "tokens revoked", fault: "revoke_tokens", isCounted: false)),
        (1, Kind(name: "not JSON", fault: "not_json")),
        (0.3, Kind(name: "huge page", fault: "huge_page", mostRequests: 1)),
        (0.3, Kind(name: "gzip bomb", fault: "gzip_bomb", mostRequests: 1)),
        (1, Kind(name: "connection closed", fault: "close")),
        (1, Kind(name: "reset", fault: "reset")),
        (1, Kind(name: "reset in the body", fault: "reset") { [#""bytes":\#(Int($0.spread(1, 40_000)))"#] }),
        (2, Kind(name: "body cut short", fault: "cut") { [#""bytes":\#(Int($0.spread(1, 40_000)))"#] }),
        (
            1,
            Kind(name: "slow body", fault: "slow_body", mostRequests: 2) {
                [#""bytes_per_second":\#(Int($0.spread(2_000, 200_000)))"#]
            }
        ),
        (1, Kind(name: "slow answer", fault: "slow") { [#""delay_ms":\#(Int($0.spread(100, 8_000)))"#] }),
        (0.3, Kind(name: "no answer", fault: "silence", mostRequests: 1)),
        (1, Kind(name: "redirect", fault: "redirect") { _ in [#""location":"http://localhost:9""#] }),
        (1, Kind(name: "clear", fault: "clear", isCounted: false)),
    ]
}
