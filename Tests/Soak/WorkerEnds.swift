// Ends of workers that neither the soak nor the parent brought about: read from the events file, after everything.

import Foundation

/// A line of the events file.
struct FleetEvent: Decodable {
    struct Exit: Decodable {
        var code: Int?
        var signal: String?
    }
    var event: String
    var path: String
    var pid: pid_t?
    var exit: Exit?
    var reason: String?
    var stderr: [String]?
}

/// Reads the events.
enum WorkerEnds {
    /// EX_UNAVAILABLE: a worker that waited in vain for another one, which stood still or was dead.
    private static let unavailable = 69

    /// How often each kind of worker ended in which way, unexpectedly; with the first of each kind in words.
    ///
    /// - Parameter victims: The workers that were hit.
    static func unexplained(in path: String, victims: Set<pid_t>) -> [String: Int] {
        guard let content = FileManager.default.contents(atPath: path) else { return [:] }
        let decoder = JSONDecoder()
        var expected = victims
        var found: [String: Int] = [:]
        for line in content.split(separator: 0x0A) {
            // The parent may have been killed in the middle of a line.
            guard let event = try? decoder.decode(FleetEvent.self, from: line), let pid = event.pid else { continue }
            switch event.event {
            case "killed", "stopping": expected.insert(pid)
            case "exited":
                let code = event.exit?.code.map { "exit code \($0)" } ?? event.exit?.signal ?? "unknown"
                let wasHit = expected.remove(pid) != nil
                guard event.exit?.code != 0, event.exit?.code != unavailable, !wasHit else { continue }
                let words = event.stderr?.last.map { ": \($0.prefix(160))" } ?? ""
                found["\(Target.worker(event.path).kind), \(code)\(words)", default: 0] += 1
            default: break
            }
        }
        return found
    }
}
