// Sizes: what happens to one child of many must not cost as if it happened to all. Judged by ratios of counts of work
// in one run, with wide margins, never by absolute times.

import Testing

@testable import Supervision

@Suite("Scale") struct ScaleTests {
    static func group(_ count: Int, dynamic: Bool) -> SupervisorSpec {
        SupervisorSpec(
            intensity: RestartIntensity(maxRestarts: 1_000_000, maxSeconds: 1),
            children: (0..<count).map { ChildSpec(id: "c\($0)") }, dynamic: dynamic)
    }

    /// Starts a group, kills `deaths` of its children one after the other, stops it; the time of the deaths.
    static func time(_ count: Int, dynamic: Bool, deaths: Int) throws -> Duration {
        var tree = try SupervisionTree(name: "top", spec: group(count, dynamic: dynamic), seed: 1)
        var now: Int64 = 0
        var incarnations = Array(repeating: 1, count: count)
        func ready(_ index: Int) -> SupervisionEvent { .ready(path: "c\(index)", incarnation: incarnations[index]) }
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: now))
        for index in 0..<count {
            _ = tree.handle(ready(index), at: Timestamp(milliseconds: now))
        }
        let clock = ContinuousClock()
        let begin = clock.now
        for death in 0..<deaths {
            // Each stays up longer than the backoff's cap, so that every restart is at once.
            now += 40_000
            let index = death * 7 % count
            let exit = SupervisionEvent.exited(path: "c\(index)", incarnation: incarnations[index], reason: .crash(""))
            let actions = tree.handle(exit, at: Timestamp(milliseconds: now))
            incarnations[index] += 1
            #expect(actions.last == .start(path: "c\(index)", incarnation: incarnations[index]))
            _ = tree.handle(ready(index), at: Timestamp(milliseconds: now))
        }
        let duration = begin.duration(to: clock.now)
        #expect(tree.deadlines.count <= 2 * tree.armedDeadlines + 64)
        return duration
    }

    @Test("a death among ten thousand children costs about what it costs among a hundred", arguments: [true, false])
    func deathsDoNotScale(dynamic: Bool) throws {
        _ = try ScaleTests.time(100, dynamic: dynamic, deaths: 1_000)
        let few = try ScaleTests.time(100, dynamic: dynamic, deaths: 5_000)
        let many = try ScaleTests.time(10_000, dynamic: dynamic, deaths: 5_000)
        #expect(many < few * 10, "100 children: \(few), 10,000: \(many)")
    }

    @Test("63: starting and stopping scales about linearly", arguments: [true, false]) func startAndStop(dynamic: Bool)
        throws
    {
        func run(_ count: Int) throws -> Duration {
            var tree = try SupervisionTree(name: "top", spec: ScaleTests.group(count, dynamic: dynamic), seed: 1)
            let now = Timestamp(milliseconds: 0)
            let begin = ContinuousClock().now
            var waiting = tree.handle(.startTree, at: now)
            var next = 0
            var finished = false
            while next < waiting.count {
                switch waiting[next] {
                case .start(let path, let incarnation):
                    waiting += tree.handle(.ready(path: path, incarnation: incarnation), at: now)
                case .stop(let path, let incarnation):
                    waiting += tree.handle(.exited(path: path, incarnation: incarnation, reason: .normal), at: now)
                case .finished: finished = true
                default: break
                }
                next += 1
                if next == waiting.count, !finished { waiting += tree.handle(.stopTree, at: now) }
            }
            #expect(finished)
            return begin.duration(to: ContinuousClock().now)
        }
        _ = try run(1_000)
        let few = try run(2_000)
        let many = try run(20_000)
        #expect(many < few * 100, "2,000 children: \(few), 20,000: \(many)")
    }
}
