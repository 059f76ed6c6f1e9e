// `flyfleet start` under test: its events, its lines, the processes of its tree.

import CLinux
import Foundation
import Synchronization
import Testing

/// One event of the events file.
struct FleetEvent: Decodable, Sendable, Equatable {
    struct Exit: Decodable, Sendable, Equatable {
        var code: Int?
        var signal: String?
        var core_dumped: Bool?
        var out_of_memory: Bool?
    }
    var seq: Int
    var time: String
    var event: String
    var path: String
    var pid: Int32?
    var incarnation: Int
    var reason: String?
    var exit: Exit?
    var cause: String?
    var restarts_in_window: Int?
    var max_restarts: Int?
    var uptime_ms: Int?
    var latency_ms: Int?
    var delay_ms: Int?
    var stderr: [String]?
    var dropped_before: Int?

    /// When it happened, in ms of the day's clock.
    var milliseconds: Int {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return ((try? style.parse(time))?.timeIntervalSince1970).map { Int(($0 * 1000).rounded()) } ?? 0
    }
}

/// Events that were parsed already: each line once, however often somebody looks.
private final class ParsedEvents: Sendable {
    private struct State {
        var lines = 0
        var events: [FleetEvent] = []
    }
    private let state = Mutex(State())

    func of(_ lines: [String]) -> [FleetEvent] {
        state.withLock { state in
            if lines.count > state.lines {
                state.events += FleetProcess.events(Array(lines[state.lines...]))
                state.lines = lines.count
            }
            return state.events
        }
    }
}

/// One line of `--output json`.
struct LogLine: Decodable, Sendable {
    var type: String
    var app_name: String
    var message: String?

    /// The number the simulator gave the line.
    var sequence: Int? {
        guard let message, let range = message.range(of: "seq=", options: .backwards) else { return nil }
        return Int(message[range.upperBound...].prefix { $0.isNumber })
    }
}

/// A running fleet.
final class FleetProcess: Sendable {
    let program: Program
    /// The state directory it was told, which stands on its command line.
    let stateFolder: String
    private let parsed = ParsedEvents()

    /// Starts one; `wrapper` is the words of a program that runs the rest of its own words.
    init(_ arguments: [String], environment: [String: String] = [:], wrapper: [String] = []) throws {
        let flag = arguments.firstIndex(of: "--state-dir")
        stateFolder = flag.map { arguments[$0 + 1] } ?? "no state directory"
        let words = wrapper + [Built.path("flyfleet"), "start", "--events", "-"] + arguments
        program = try Program(words[0], Array(words.dropFirst()), environment: environment)
    }

    static func events(_ lines: [String]) -> [FleetEvent] {
        let decoder = JSONDecoder()
        return lines.filter { $0.hasPrefix("{") }.compactMap {
            try? decoder.decode(FleetEvent.self, from: Data($0.utf8))
        }
    }

    static func logLines(_ lines: [String]) -> [LogLine] {
        let decoder = JSONDecoder()
        return lines.compactMap { try? decoder.decode(LogLine.self, from: Data($0.utf8)) }
    }

    var events: [FleetEvent] { parsed.of(program.errors.lines) }
    var logLines: [LogLine] { Self.logLines(program.output.lines) }

    /// The sequence numbers of an app's lines, in the order in which they came.
    func sequences(_ app: String) -> [Int] {
        logLines.filter { $0.type == "log" && $0.app_name == app }.compactMap(\.sequence)
    }

    /// The same for all apps, in one go.
    func sequencesByApp() -> [String: [Int]] {
        var found: [String: [Int]] = [:]
        for line in logLines where line.type == "log" {
            if let number = line.sequence { found[line.app_name, default: []].append(number) }
        }
        return found
    }

    /// The pid with which a leaf became ready last.
    func pid(_ path: String) throws -> Int32 {
        let event = events.last { $0.path == path && $0.event == "ready" }
        return try #require(event?.pid, "\(path) was never ready")
    }

    /// Waits for an event after those of sequence number `after`.
    @discardableResult
    func event(
        _ name: String, _ path: String, after: Int = 0, seconds: Double = 30
    ) async throws -> FleetEvent {
        let find: @Sendable ([FleetEvent]) -> FleetEvent? = { events in
            events[Self.index(after: after, events)...].first { $0.event == name && $0.path == path }
        }
        try await events("event \(name) of \(path)", seconds: seconds) { find($0) != nil }
        return try #require(find(events))
    }

    /// Waits until all events so far satisfy `match`.
    func events(
        _ what: String, seconds: Double = 30, until match: @escaping @Sendable ([FleetEvent]) -> Bool
    ) async throws {
        try await program.errors.wait(what, seconds: seconds) { [parsed] in match(parsed.of($0)) }
    }

    /// The place in `events` of the first one after number `seq`.
    static func index(after seq: Int, _ events: [FleetEvent]) -> Int {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].seq <= seq { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The number of the last event so far.
    var lastSequence: Int { events.last?.seq ?? 0 }

    /// Waits until an app has a line numbered `number` or later.
    func line(_ app: String, atLeast number: Int, seconds: Double = 30) async throws {
        // It may have come long ago, with many of another app behind it.
        if (sequences(app).max() ?? 0) >= number { return }
        try await program.output.wait("line \(number) of \(app)", seconds: seconds) { lines in
            Self.logLines(lines.suffix(400)).contains { $0.app_name == app && ($0.sequence ?? 0) >= number }
        }
    }

    /// Waits for a line on stderr that holds all of `words`.
    func complaint(_ words: String..., seconds: Double = 30) async throws {
        try await program.errors.wait("a line with \(words)", seconds: seconds) { lines in
            lines.contains { line in words.allSatisfy { line.contains($0) } }
        }
    }

    /// How many lines on stderr hold `words`.
    func complaints(_ words: String) -> Int {
        program.errors.lines.count { !$0.hasPrefix("{") && $0.contains(words) }
    }

    /// Stops the fleet in order and expects that it stops well.
    func stop() async throws {
        program.send(SIGTERM)
        let ending = try await program.end()
        #expect(ending == .code(0))
    }

    func dispose() { program.dispose() }
}

/// What `/proc` says.
enum Processes {
    /// The children of a process that still run, by the path they were given.
    static func children(of parent: Int32) -> [String: Int32] {
        var found: [String: Int32] = [:]
        for pid in all() where fields(pid)?.parent == parent && fields(pid)?.state != "Z" {
            if let path = path(pid) { found[path] = pid }
        }
        return found
    }

    /// Every worker of a fleet whose parent was `parent`, by what its environment says: also orphans.
    static func workers(of parent: Int32) -> [Int32] {
        all().filter { pid in
            guard fields(pid)?.state != "Z",
                let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ")
            else { return false }
            return data.split(separator: 0).contains { $0.elementsEqual("FLYFLEET_PARENT_PID=\(parent)".utf8) }
        }
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let fields = fields(pid) else { return false }
        return fields.state != "Z"
    }

    /// Waits on the kernel's own word, a pidfd, that a process ended.
    static func awaitEnd(of pid: Int32, seconds: Double) -> Bool {
        let descriptor = linux_pidfd_open(pid)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, Int32(seconds * 1000)) == 1
    }

    private static func all() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.sorted()
    }

    private static func fields(_ pid: Int32) -> (state: String, parent: Int32)? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let rest = text[text.index(after: end)...].split(separator: " ")
        guard rest.count > 1, let parent = Int32(rest[1]) else { return nil }
        return (String(rest[0]), parent)
    }

    /// The path of a worker: the word after `--worker` on its command line.
    private static func path(_ pid: Int32) -> String? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
        let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard let flag = words.firstIndex(of: "--worker"), flag + 1 < words.count else { return nil }
        return words[flag + 1]
    }
}
