// The arithmetic of the restart intensity at its boundaries.

import Testing

@testable import Supervision

@Suite("RestartWindow") struct RestartWindowTests {
    @Test("performs exactly the limit and refuses the next", arguments: [0, 1, 2, 3, 20, 1000])
    func limit(maxRestarts: Int) {
        var window = RestartWindow(RestartIntensity(maxRestarts: maxRestarts, maxSeconds: 60))
        for attempt in 0..<maxRestarts {
            let isAllowed = window.recordAttempt(at: Timestamp(milliseconds: Int64(attempt)))
            #expect(isAllowed)
            #expect(window.count(at: Timestamp(milliseconds: Int64(attempt))) == attempt + 1)
        }
        let isAllowed = window.recordAttempt(at: Timestamp(milliseconds: 60_000))
        #expect(!isAllowed)
        #expect(window.count(at: Timestamp(milliseconds: 60_000)) == maxRestarts + 1)
    }

    @Test(
        "an exact window includes a stamp exactly as old as itself",
        arguments: [(4_999, false), (5_000, false), (5_001, true)] as [(Int64, Bool)])
    func exactBoundary(gap: Int64, mayRestart: Bool) {
        for origin in [-7_777, 0, 50, 999, 123_456_789] as [Int64] {
            var window = RestartWindow(RestartIntensity(maxRestarts: 1, maxSeconds: 5))
            let isFirstAllowed = window.recordAttempt(at: Timestamp(milliseconds: origin))
            #expect(isFirstAllowed)
            let isAllowed = window.recordAttempt(at: Timestamp(milliseconds: origin + gap))
            #expect(isAllowed == mayRestart)
        }
    }

    @Test(
        "OTP's clock rounds both stamps down, below zero too",
        arguments: [
            (50, 1_100, false), (500, 1_100, false), (950, 1_100, true), (50, 1_900, false), (0, 1_999, false),
            (0, 2_000, true), (999, 1_000, false), (999, 1_001, true), (-50, 1_049, false), (-50, 1_050, true),
            (-1_000, 1_999, false), (-1_000, 2_000, true), (-1, 1_001, true),
        ] as [(Int64, Int64, Bool)])
    func wholeSeconds(first: Int64, gap: Int64, mayRestart: Bool) {
        var window = RestartWindow(RestartIntensity(maxRestarts: 1, maxSeconds: 1, clock: .wholeSeconds))
        let isFirstAllowed = window.recordAttempt(at: Timestamp(milliseconds: first))
        #expect(isFirstAllowed)
        let isAllowed = window.recordAttempt(at: Timestamp(milliseconds: first + gap))
        #expect(isAllowed == mayRestart)
    }

    @Test("time passes only while the clock runs; stopping or starting it twice changes nothing") func stoppedClock() {
        var window = RestartWindow(RestartIntensity(maxRestarts: 1, maxSeconds: 1))
        let isFirstAllowed = window.recordAttempt(at: Timestamp(milliseconds: 0))
        window.startClock(at: Timestamp(milliseconds: 0))
        window.stopClock(at: Timestamp(milliseconds: 100))
        window.stopClock(at: Timestamp(milliseconds: 700))
        #expect(isFirstAllowed && window.count(at: Timestamp(milliseconds: 90_000)) == 1)
        window.startClock(at: Timestamp(milliseconds: 100_100))
        window.startClock(at: Timestamp(milliseconds: 100_500))
        #expect(window.count(at: Timestamp(milliseconds: 101_000)) == 1)
        #expect(window.count(at: Timestamp(milliseconds: 101_001)) == 0)
        let isSecondAllowed = window.recordAttempt(at: Timestamp(milliseconds: 101_000))
        #expect(!isSecondAllowed)
    }

    @Test("agrees with OTP's list walk on random attempts", arguments: 0..<200 as Range<UInt64>)
    func agreesWithTheListWalk(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let maxRestarts = Int.random(in: 0...5, using: &generator)
        let maxSeconds = Int.random(in: 1...4, using: &generator)
        let clock: RestartIntensity.Clock = Bool.random(using: &generator) ? .exact : .wholeSeconds
        var window = RestartWindow(RestartIntensity(maxRestarts: maxRestarts, maxSeconds: maxSeconds, clock: clock))
        var list: [Int64] = []
        var now = Int64.random(in: -5_000...5_000, using: &generator)
        for _ in 0..<100 {
            now +=
                [0, 1, 999, 1000, 1001, Int64.random(in: 0...3_000, using: &generator)].randomElement(using: &generator)
                ?? 0
            // R11, literally: newest first.
            let unit: Int64 = clock == .exact ? 1 : 1000
            let stamp = Int64((Double(now) / Double(unit)).rounded(.down))
            list = [stamp] + list.prefix { $0 >= stamp - Int64(maxSeconds) * 1000 / unit }
            let isAllowed = window.recordAttempt(at: Timestamp(milliseconds: now))
            #expect(isAllowed == (list.count <= maxRestarts), "seed \(seed)")
        }
    }
}
