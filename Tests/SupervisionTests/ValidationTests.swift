// What a specification may not say, each at its boundary.

import Testing

@testable import Supervision

@Suite("Validation") struct ValidationTests {
    typealias Problem = SpecError.Problem

    static let faults: [(SupervisorSpec, String, Problem)] = [
        (SupervisorSpec(.oneForOne, -1, ""), "top", .badMaxRestarts(-1)),
        (
            SupervisorSpec(.oneForOne, SpecLimits.maxRestarts + 1, ""), "top",
            .badMaxRestarts(SpecLimits.maxRestarts + 1)
        ),
        (SupervisorSpec(.oneForOne, 1, "", within: 0), "top", .badMaxSeconds(0)),
        (
            SupervisorSpec(.oneForOne, 1, "", within: SpecLimits.maxSeconds + 1), "top",
            .badMaxSeconds(SpecLimits.maxSeconds + 1)
        ),
        (SupervisorSpec(.oneForOne, 1, "a b a"), "a", .duplicateID),
        (SupervisorSpec(.oneForOne, 1, "a top"), "top", .duplicateID),
        (SupervisorSpec(.oneForOne, 1, "a!", auto: .anySignificant), "a", .significantPermanent),
        (SupervisorSpec(.oneForOne, 1, "a:transient!"), "a", .significantWithoutAutoShutdown),
        (
            SupervisorSpec(.oneForOne, 1, "a", shutdown: .grace(milliseconds: -1)), "a",
            .badShutdown(milliseconds: -1)
        ),
        (SupervisorSpec(.oneForOne, 1, "a/b"), "a/b", .badID),
        (SupervisorSpec(.oneForOne, 1, String(repeating: "a", count: 256)), String(repeating: "a", count: 256), .badID),
        (SupervisorSpec(.oneForOne, 1, "a\u{7}"), "a\u{7}", .badID),
        (SupervisorSpec(.oneForAll, 1, "", dynamic: true), "top", .dynamicStrategy(.oneForAll)),
        (SupervisorSpec(.restForOne, 1, "", dynamic: true), "top", .dynamicStrategy(.restForOne)),
        (SupervisorSpec(.oneForOne, 1, "", maxChildren: 3), "top", .badMaxChildren(3)),
        (SupervisorSpec(.oneForOne, 1, "", dynamic: true, maxChildren: -1), "top", .badMaxChildren(-1)),
        (SupervisorSpec(.oneForOne, 1, "a b", dynamic: true, maxChildren: 1), "top", .tooManyChildren(2)),
        (
            SupervisorSpec(.oneForOne, 1, "", supervisors: [.supervisor("g", SupervisorSpec(.oneForOne, 1, "x x"))]),
            "g/x", .duplicateID
        ),
    ]

    @Test("each fault is found before anything starts and named with its path", arguments: faults.indices)
    func fault(index: Int) {
        let (spec, path, problem) = ValidationTests.faults[index]
        #expect(throws: SpecError(path: path, problem: problem)) {
            _ = try SupervisionTree(name: "top", spec: spec, seed: 1)
        }
    }

    @Test("the widest allowed values are accepted") func boundaries() throws {
        let widest = SupervisorSpec(
            .oneForOne, SpecLimits.maxRestarts, String(repeating: "a", count: 255), within: SpecLimits.maxSeconds,
            shutdown: .grace(milliseconds: SpecLimits.milliseconds))
        _ = try SupervisionTree(name: "top", spec: widest, seed: 1)
        let narrowest = SupervisorSpec(.oneForOne, 0, "", within: 1, dynamic: true, maxChildren: 0)
        _ = try SupervisionTree(name: "t", spec: narrowest, seed: 1)
    }

    @Test("levels up to the limit are accepted, one more is not", arguments: [0, 1]) func depth(excess: Int) {
        var spec = SupervisorSpec(.oneForOne, 1, "x")
        for _ in 1..<(SpecLimits.depth + excess) {
            spec = SupervisorSpec(.oneForOne, 1, "", supervisors: [.supervisor("g", spec)])
        }
        var problem: Problem?
        do {
            _ = try SupervisionTree(name: "top", spec: spec, seed: 1)
        } catch {
            problem = error.problem
        }
        #expect(problem == (excess == 0 ? nil : .tooDeep))
    }

    @Test("times in the settings are checked")
    func settings() {
        let spec = SupervisorSpec(.oneForOne, 1, "a")
        let wrong = [
            SupervisionSettings(stopGraceMilliseconds: -1), SupervisionSettings(startTimeoutMilliseconds: 0),
            SupervisionSettings(backoff: BackoffSettings(initialMilliseconds: 0, capMilliseconds: 1)),
            SupervisionSettings(backoff: BackoffSettings(initialMilliseconds: 2, capMilliseconds: 1)),
            SupervisionSettings(stopGraceMilliseconds: SpecLimits.milliseconds + 1),
        ]
        for settings in wrong {
            #expect(throws: SpecError.self) {
                _ = try SupervisionTree(name: "top", spec: spec, settings: settings, seed: 1)
            }
        }
    }

    @Test("a fault is one line that names the place and the remedy") func description() {
        let error = SpecError(path: "logs/streamers", problem: .badMaxSeconds(0))
        #expect(error.description == "logs/streamers: max_seconds is 0; use 1 to 31536000")
        let backoff = SpecError(
            path: "flyfleet", problem: .badSetting(name: "restart backoff cap", milliseconds: 1, least: 2))
        #expect(backoff.description == "flyfleet: restart backoff cap is 1 ms; use 2 to 86400000 ms")
    }
}
