// What must hold of every events file, whatever happened to the fleet.

import Foundation
import Testing

/// The life of every child as its events tell it.
enum EventGrammar {
    private struct Life {
        var incarnation = 0
        var last = ""
    }

    /// Leaves, in contrast to supervisors, are processes.
    static func isLeaf(_ path: String) -> Bool {
        let supervisors = ["flyfleet", "tokens", "tokens/servers", "sinks", "logs", "logs/streamers"]
        return !supervisors.contains(path)
    }

    /// Expects that numbers have no gap, that no start is skipped, that nobody is started before its last process is
    /// gone, that nobody is ready without a start or twice, and that nothing is heard of a process after its exit.
    static func expectSound(_ events: [FleetEvent], sourceLocation: SourceLocation = #_sourceLocation) {
        for (one, next) in zip(events, events.dropFirst()) where next.seq != one.seq + 1 {
            Issue.record("event \(next.seq) follows \(one.seq)", sourceLocation: sourceLocation)
        }
        var lives: [String: Life] = [:]
        for event in events where isLeaf(event.path) {
            var life = lives[event.path] ?? Life()
            if let complaint = judge(event, &life) {
                Issue.record("\(complaint): \(event)", sourceLocation: sourceLocation)
            }
            lives[event.path] = life
        }
    }

    /// Paths of leaves whose last event does not say that they are gone.
    static func unfinished(_ events: [FleetEvent]) -> [String] {
        var last: [String: String] = [:]
        for event in events where isLeaf(event.path) && phases.contains(event.event) { last[event.path] = event.event }
        return last.filter { $0.value != "exited" }.keys.sorted()
    }

    private static let phases: Set<String> = ["starting", "ready", "stopping", "killed", "exited"]

    private static func judge(_ event: FleetEvent, _ life: inout Life) -> String? {
        guard phases.contains(event.event) else { return nil }
        defer { life.last = event.event }
        switch event.event {
        case "starting":
            defer { life.incarnation = event.incarnation }
            if !["", "exited"].contains(life.last) { return "started before it was gone" }
            if event.incarnation != life.incarnation + 1 { return "a start was skipped after \(life.incarnation)" }
        case "ready":
            if life.last != "starting" { return "ready after \(life.last)" }
        case "exited":
            if ["", "exited"].contains(life.last) { return "gone twice" }
        default:
            if ["", "exited"].contains(life.last) { return "\(event.event) after it was gone" }
        }
        return event.incarnation == life.incarnation || event.event == "starting"
            ? nil : "of incarnation \(event.incarnation) in the life of \(life.incarnation)"
    }
}
