// A small language for the scenario table: children as `a`, `b:transient`, `c:temporary!` (significant), and steps as
// lines like `b crash`, `hold c`, `at 1100`. Keeps a scenario as short as its row in the table.

import Testing

@testable import Supervision

/// One row: what is set up, what happens, and everything the tree does about it.
struct Scenario: Sendable, CustomTestStringConvertible {
    let title: String
    let spec: SupervisorSpec
    var settings = SupervisionSettings.otp
    /// Separated by semicolons.
    let script: String
    /// Separated by commas; what the initial start logs is left out unless the script says `begin`.
    let expected: String
    /// The states of all children at the end.
    var states: String?

    var testDescription: String { title }

    /// Performs the script and returns the log.
    func run() throws -> (log: String, states: String) {
        var driver = try TreeDriver(spec, settings: settings)
        let steps = script.split(separator: ";").map { $0.split(separator: " ").map(String.init) }
        if !steps.contains(["begin"]) {
            driver.send(.startTree)
            _ = driver.takeLog()
        }
        for step in steps {
            try perform(step, &driver)
        }
        return (driver.log.joined(separator: ", "), driver.states)
    }

    private func perform(_ step: [String], _ driver: inout TreeDriver) throws {
        switch (step[0], step.count > 1 ? step[1] : "", step.count > 2 ? step[2] : "") {
        case ("begin", _, _): driver.send(.startTree)
        case ("stop", _, _): driver.send(.stopTree)
        case ("kill", _, _): driver.send(.stopNow)
        case ("at", let time, _): driver.advance(to: try #require(Int64(time)))
        case ("states", _, _): driver.log.append("[\(driver.states)]")
        case ("fail", let path, let times): driver.failingStarts[path] = Int(times) ?? .max
        case ("ignore", let path, let times): driver.ignoringStarts[path] = Int(times) ?? .max
        case ("hold", let path, _): driver.slowStops.insert(path)
        case ("release", let path, _):
            driver.slowStops.remove(path)
            driver.exit(path, .normal)
        case ("slow", let path, _): driver.slowStarts.insert(path)
        case ("ready", let path, _): driver.becomeReady(path)
        case ("terminate", let path, _): driver.call { .terminateChild(path: path, request: $0) }
        case ("restart", let path, _): driver.call { .restartChild(path: path, request: $0) }
        case ("delete", let path, _): driver.call { .deleteChild(path: path, request: $0) }
        case ("add", let child, let supervisor):
            let path = supervisor.isEmpty ? driver.root : supervisor
            driver.call { .startChild(supervisor: path, spec: ChildSpec(child), request: $0) }
        case (let path, "crash", _): driver.exit(path, .crash("signal SIGSEGV"))
        case (let path, "normal", _): driver.exit(path, .normal)
        case (let path, "shutdown", _): driver.exit(path, .shutdown)
        default: Issue.record("no such step: \(step)")
        }
    }
}

extension ChildSpec {
    /// `id`, `id:restart`, `id:restart!` for a significant one.
    init(_ text: String, shutdown: Shutdown? = nil) {
        let parts = text.split(separator: "!", omittingEmptySubsequences: false)[0].split(separator: ":")
        self.init(
            id: String(parts[0]),
            restart: parts.count > 1 ? RestartType(rawValue: String(parts[1])) ?? .permanent : .permanent,
            significant: text.hasSuffix("!"), shutdown: shutdown)
    }

    /// A supervisor as a child.
    static func supervisor(_ text: String, _ spec: SupervisorSpec) -> ChildSpec {
        var child = ChildSpec(text)
        child.kind = .supervisor(spec)
        return child
    }
}

extension SupervisorSpec {
    /// A supervisor of workers named in `children`, with the limit `restarts` in `seconds`.
    init(
        _ strategy: Strategy, _ restarts: Int, _ children: String, within seconds: Int = 3600,
        shutdown: Shutdown? = nil,
        auto: AutoShutdown = .never, clock: RestartIntensity.Clock = .exact, dynamic: Bool = false,
        maxChildren: Int? = nil, supervisors: [ChildSpec] = []
    ) {
        self.init(
            strategy: strategy,
            intensity: RestartIntensity(maxRestarts: restarts, maxSeconds: seconds, clock: clock), autoShutdown: auto,
            children: children.split(separator: " ").map { ChildSpec(String($0), shutdown: shutdown) } + supervisors,
            dynamic: dynamic, maxChildren: maxChildren)
    }
}
