// Fault switches: which requests they concern, how often, in which order, and which orders are refused.

import FoundationEssentials
import Simulator
import Testing

@Suite struct FaultSwitchesTests {
    @Test("a fault with a count is handed out exactly that many times", arguments: [1, 2, 5])
    func counts(count: Int) throws {
        var switches = FaultSwitches()
        try switches.apply(FaultOrder(app: "web", fault: "status", status: 503, count: count), now: epoch)
        for _ in 0..<count {
            #expect(switches.take(app: "web", endpoint: .logs)?.fault == .status(503, retryAfter: nil))
        }
        #expect(switches.take(app: "web", endpoint: .logs) == nil)
    }

    @Test("a fault without a count lasts until it is cleared, and concerns its app and endpoint alone")
    func concerns() throws {
        var switches = FaultSwitches()
        try switches.apply(FaultOrder(app: "web", fault: "not_json"), now: epoch)
        try switches.apply(FaultOrder(fault: "close", endpoint: .apps), now: epoch)
        for _ in 0..<10 {
            #expect(switches.take(app: "web", endpoint: .logs)?.fault == .notJSON)
        }
        #expect(switches.take(app: "api", endpoint: .logs) == nil)
        #expect(switches.take(app: nil, endpoint: .apps)?.fault == .closed)
        try switches.apply(FaultOrder(app: "web", fault: "clear"), now: epoch)
        #expect(switches.take(app: "web", endpoint: .logs) == nil)
        #expect(switches.take(app: "web", endpoint: .apps)?.fault == .closed)
        try switches.apply(FaultOrder(fault: "clear"), now: epoch)
        #expect(switches.take(app: "web", endpoint: .apps) == nil)
    }

    @Test("of several faults the first switched on comes first")
    func queues() throws {
        var switches = FaultSwitches()
        try switches.apply(FaultOrder(fault: "huge_page", count: 1), now: epoch)
        try switches.apply(FaultOrder(fault: "slow", delayMilliseconds: 7, count: 1), now: epoch)
        #expect(switches.take(app: "web", endpoint: .logs)?.fault == .hugePage)
        #expect(switches.take(app: "web", endpoint: .logs)?.delayMilliseconds == 7)
        #expect(switches.take(app: "web", endpoint: .logs) == nil)
    }

    @Test("revocation keeps its instant")
    func revokes() throws {
        var switches = FaultSwitches()
        #expect(switches.revokedThrough == nil)
        try switches.apply(FaultOrder(fault: "revoke_tokens"), now: epoch)
        #expect(switches.revokedThrough == epoch)
        #expect(switches.take(app: "web", endpoint: .logs) == nil)
    }

    @Test(
        "an order that makes no sense is refused and changes nothing",
        arguments: [
            FaultOrder(fault: "magic"), FaultOrder(fault: "status"), FaultOrder(fault: "status", status: 199),
            FaultOrder(fault: "status", status: 600), FaultOrder(fault: "close", count: 0),
            FaultOrder(fault: "slow"), FaultOrder(fault: "slow", delayMilliseconds: -1),
            FaultOrder(fault: "slow", delayMilliseconds: FaultSwitches.longestDelayMilliseconds + 1),
            FaultOrder(fault: "close", share: 0), FaultOrder(fault: "close", share: 1.1),
            FaultOrder(fault: "redirect"), FaultOrder(fault: "redirect", status: 200, location: "http://x"),
            FaultOrder(fault: "redirect", location: "a\r\nb"), FaultOrder(fault: "slow_body"),
            FaultOrder(fault: "cut", bytes: -1),
        ])
    func refuses(order: FaultOrder) {
        var switches = FaultSwitches()
        #expect(throws: FaultOrderError.self) { try switches.apply(order, now: epoch) }
        #expect(switches.take(app: "web", endpoint: .logs) == nil)
    }

    @Test("a share hits about that many requests, the same ones for the same seed")
    func sharesOut() throws {
        func hits(seed: UInt64) throws -> [Bool] {
            var switches = FaultSwitches(seed: seed)
            try switches.apply(FaultOrder(fault: "close", share: 0.2), now: epoch)
            return (0..<1_000).map { _ in switches.take(app: "web", endpoint: .logs) != nil }
        }
        let first = try hits(seed: 1)
        #expect((150...250).contains(first.count { $0 }))
        #expect(try hits(seed: 1) == first)
        #expect(try hits(seed: 2) != first)
    }

    @Test("there is a limit to the switches that are on")
    func limits() throws {
        var switches = FaultSwitches()
        for _ in 0..<FaultSwitches.mostSwitches {
            try switches.apply(FaultOrder(fault: "close"), now: epoch)
        }
        #expect(throws: FaultOrderError.self) { try switches.apply(FaultOrder(fault: "close"), now: epoch) }
    }

    @Test("an order is read from JSON, with Retry-After as seconds or as text")
    func reads() throws {
        let text = #"{"app":"web","fault":"status","status":429,"count":5,"retry_after":RETRY,"delay_ms":3}"#
        for (retry, expected) in [("2", "2"), ("\"soon\"", "soon"), ("null", nil)] {
            let data = Data(text.replacing("RETRY", with: retry).utf8)
            let order = try JSONDecoder().decode(FaultOrder.self, from: data)
            let wanted = FaultOrder(
                app: "web", fault: "status", status: 429, retryAfter: expected, delayMilliseconds: 3, count: 5)
            #expect(order == wanted)
        }
    }
}
