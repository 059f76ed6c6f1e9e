// Random trees and random lives for the property tests: everything from one seed, so that a failure can be repeated.

@testable import Supervision

/// Draws specifications and events.
struct RandomTree {
    var generator: SplitMix64

    init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &generator) < percent
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.randomElement(using: &generator)
    }

    /// A supervisor with up to `levels` levels below it; ids are unique in the whole tree.
    mutating func supervisor(levels: Int, prefix: String = "c") -> SupervisorSpec {
        let isDynamic = chance(25)
        var spec = SupervisorSpec(
            strategy: isDynamic ? .oneForOne : pick(Strategy.allCases) ?? .oneForOne,
            intensity: RestartIntensity(
                maxRestarts: number(0...4), maxSeconds: number(1...6), clock: chance(50) ? .exact : .wholeSeconds),
            autoShutdown: chance(70) ? .never : pick(AutoShutdown.allCases) ?? .never, dynamic: isDynamic)
        for index in 0..<number(0...4) {
            spec.children.append(child(id: "\(prefix)\(index)", of: spec.autoShutdown, levels: levels))
        }
        return spec
    }

    mutating func child(id: String, of autoShutdown: AutoShutdown, levels: Int) -> ChildSpec {
        let restart: RestartType = chance(60) ? .permanent : pick(RestartType.allCases) ?? .permanent
        var spec = ChildSpec(
            id: id, restart: restart, significant: restart != .permanent && autoShutdown != .never && chance(50))
        if levels > 0, chance(40) {
            spec.kind = .supervisor(supervisor(levels: levels - 1, prefix: id))
            if chance(20) { spec.shutdown = pick([.brutalKill, .grace(milliseconds: 700)]) }
        } else if chance(40) {
            spec.shutdown = pick([.brutalKill, .grace(milliseconds: 0), .grace(milliseconds: 501)])
        }
        return spec
    }

    /// Lets something happen to the tree.
    mutating func step(_ driver: inout TreeDriver) {
        let status = driver.tree.status(at: driver.now)
        let path = pick(status.map(\.path)) ?? ""
        let living = pick(driver.alive.keys.sorted()) ?? ""
        switch number(0...15) {
        case 0...4:
            driver.exit(living, pick([.crash("crash"), .crash("crash"), .normal, .shutdown, .ignore]) ?? .normal)
        case 5: driver.advance(by: Int64(number(0...3_000)))
        case 6: driver.failingStarts[path] = number(1...6)
        case 7: driver.ignoringStarts[path] = 1
        case 8: driver.slowStops.formSymmetricDifference([path])
        case 9: driver.slowStarts.formSymmetricDifference([path])
        case 10: driver.becomeReady(living)
        case 11: driver.call { .terminateChild(path: path, request: $0) }
        case 12: driver.call { .restartChild(path: path, request: $0) }
        case 13: driver.call { .deleteChild(path: path, request: $0) }
        case 14:
            let spec = child(id: "n\(number(0...3))", of: .never, levels: 0)
            driver.call { .startChild(supervisor: path, spec: spec, request: $0) }
        default:
            guard let incarnation = driver.alive[living] else { return }
            driver.send(
                .failed(
                    path: living, incarnation: incarnation, reason: pick([.heartbeat, .protocolError]) ?? .heartbeat))
        }
    }
}
