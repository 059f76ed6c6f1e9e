// A real `flyfleet start`, its stdout at /dev/null, its events in a FIFO that is read here.
//
// Everything about it is learned as an operator would: from events, from its exit code and its stderr.

import CLinux
import FoundationEssentials
import Glibc

/// One line of the events file, as far as it matters here.
struct FleetEvent: Decodable {
    var event: String
    var path: String
    var pid: Int32?
    /// When the line had arrived, monotonic ns.
    var arrivedNs: Int64 = 0

    private enum CodingKeys: String, CodingKey { case event, path, pid }
}

/// A running fleet.
final class FleetUnderTest {
    /// Where its stdout goes.
    enum Output {
        case discarded
        case file(String)
    }

    /// How it is started.
    struct Settings {
        var apps: [String]
        var port: UInt16
        var output = Output.discarded
        var format = "json"
        /// Where the workers are, if not beside flyfleet.
        var libexec: String?
        var extra: [String] = []
    }

    /// How often it is looked at while nothing comes.
    private static let watchNs: Int64 = 200_000_000

    let process: LaunchedProcess
    /// The living leaves by path, as far as their events were read.
    private(set) var pids: [String: Int32] = [:]
    private let scratch: ScratchFolder
    private let state: String
    private let events: LineReader
    private let errorFile: String
    private var deaths: [String] = []

    /// Starts a fleet that reads a page server.
    init(_ programs: Programs, _ settings: Settings) throws {
        scratch = try ScratchFolder()
        errorFile = "\(scratch.path)/stderr"
        events = try scratch.fifo("events", keptOpen: false)
        state = try scratch.folder("state")
        let errors = linux_open(errorFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard errors >= 0 else { throw BenchError.system("make \(errorFile)", errno) }
        defer { close(errors) }
        let arguments =
            ["start", "--apps", settings.apps.joined(separator: ","), "--api-url", "http://127.0.0.1:\(settings.port)"]
            + ["--output", settings.format, "--state-dir", state, "--events", "\(scratch.path)/events"]
            + ["--libexec", settings.libexec ?? programs.folder] + settings.extra
        let names = ["PATH", "LANG", "LD_LIBRARY_PATH"]
        let inherited = names.compactMap { (name: String) -> String? in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        // No home of a person: neither the user's configuration nor a token of theirs takes part.
        let environment = inherited + ["HOME=\(scratch.path)", "FLY_ACCESS_TOKEN=fo1_benchmark", "NO_COLOR=1"]
        var output: Int32?
        if case .file(let path) = settings.output {
            let file = linux_open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            guard file >= 0 else { throw BenchError.system("make \(path)", errno) }
            output = file
        }
        defer { if let output { close(output) } }
        process = try LaunchedProcess(
            programs.flyfleet, arguments, environment: environment,
            streams: .init(input: nil, output: output, error: errors))
    }

    static func streamer(_ app: String) -> String { "logs/streamers/\(app)" }
    static func appServer(_ app: String) -> String { "tokens/servers/\(app)" }

    /// The next line of the events file, which has no end as long as flyfleet has not opened it.
    private func nextLine(until deadline: Int64) throws -> LineReader.Line? {
        while true {
            let isRunning = process.isRunning
            do {
                let slice = min(deadline, monotonicNs() + Self.watchNs)
                if let line = try events.next(until: slice) { return line }
            } catch {
                throw error.exitCode == 70 ? trouble("flyfleet closed its events file") : error
            }
            guard isRunning else { throw trouble("flyfleet ended by itself") }
            if monotonicNs() >= deadline { return nil }
        }
    }

    /// The next event; nil when the deadline (monotonic ns) passed first.
    private func nextEvent(until deadline: Int64) throws -> FleetEvent? {
        guard let line = try nextLine(until: deadline) else { return nil }
        guard var event = try? JSONDecoder().decode(FleetEvent.self, from: Data(line.text.utf8)) else {
            throw trouble("this is no event: \(line.text.prefix(200))")
        }
        event.arrivedNs = line.arrivedNs
        switch event.event {
        case "ready": pids[event.path] = event.pid
        case "exited":
            pids[event.path] = nil
            deaths.append(event.path)
        default: break
        }
        return event
    }

    /// Waits for an event.
    ///
    /// - Throws: ``BenchError`` with flyfleet's own last words when it does not come within `seconds`.
    func await(_ what: String, seconds: Int64, _ isIt: (FleetEvent) -> Bool) throws -> FleetEvent {
        let deadline = monotonicNs() + seconds * 1_000_000_000
        while let event = try nextEvent(until: deadline) {
            if isIt(event) { return event }
        }
        throw trouble("not within \(seconds) s: \(what)")
    }

    /// Waits until all these leaves are ready; when the last of them was said to be (monotonic ns).
    @discardableResult
    func awaitReady(_ paths: [String], seconds: Int64) throws -> Int64 {
        var missing = Set(paths.filter { pids[$0] == nil })
        var last = monotonicNs()
        let deadline = last + seconds * 1_000_000_000
        while !missing.isEmpty {
            guard let event = try nextEvent(until: deadline) else {
                let names = missing.sorted().prefix(3).joined(separator: ", ")
                throw trouble("\(missing.count) of \(paths.count) not ready within \(seconds) s: \(names)")
            }
            if event.event == "ready", missing.remove(event.path) != nil { last = event.arrivedNs }
        }
        return last
    }

    /// Makes sure that nothing died while it was being measured.
    func checkUndisturbed() throws {
        while try nextEvent(until: monotonicNs()) != nil {}
        guard let dead = deaths.first else { return }
        throw trouble("\(dead) died during the measurement")
    }

    /// Stops it in order.
    func stop() throws {
        process.stop(signal: SIGINT)
        if let ending = process.ending, !ending.hasSuffix("exit code 0") { throw trouble(ending) }
    }

    /// What went wrong, with the last lines that flyfleet wrote to stderr.
    func trouble(_ what: String) -> BenchError {
        let words = (smallFile(errorFile) ?? "").split(whereSeparator: \.isNewline).suffix(5)
        let ending = process.ending.map { "; \($0)" } ?? ""
        return BenchError.product(
            "\(what)\(ending); its last words: \(words.isEmpty ? "none" : words.joined(separator: " | "))")
    }

    /// What follows `mark` in each line of flyfleet's stderr that has it.
    func words(after mark: String) -> [String] {
        (smallFile(errorFile) ?? "").split(whereSeparator: \.isNewline).compactMap { line in
            guard let range = String(line).split(separator: mark, maxSplits: 1).dropFirst().first else { return nil }
            return String(range)
        }
    }

    // MARK: accounts

    /// The leaves under a path, or the leaf of that path.
    func pids(under prefix: String) -> [Int32] {
        pids.filter { $0.key == prefix || $0.key.hasPrefix(prefix + "/") }.map(\.value)
    }

    /// Bytes of the database and the files beside it.
    func databaseBytes() -> Int64 {
        ["", "-wal", "-shm"].reduce(0) { sum, suffix in
            var status = stat()
            return stat("\(state)/flyfleet.sqlite\(suffix)", &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    /// CPU seconds used so far.
    func usage() -> Usage {
        func sum(_ pids: [Int32]) -> Double { pids.reduce(0) { $0 + ProcessAccounts.cpuSeconds($1) } }
        let console = pids(under: "sinks/console")
        return Usage(
            streamers: sum(pids(under: "logs/streamers")), parent: ProcessAccounts.cpuSeconds(process.pid),
            sink: sum(pids(under: "sinks")), others: sum(["store", "tokens", "logs/registry"].flatMap(pids(under:))),
            store: sum(pids(under: "store")),
            sinkBytes: console.first.flatMap { ProcessAccounts.output($0)?.written })
    }

    /// CPU seconds by part of the tree.
    struct Usage {
        var streamers: Double
        var parent: Double
        var sink: Double
        var others: Double
        /// The store's part of `others`.
        var store: Double
        var sinkBytes: Double?

        var total: Double { streamers + parent + sink + others }

        static func - (after: Usage, before: Usage) -> Usage {
            Usage(
                streamers: after.streamers - before.streamers, parent: after.parent - before.parent,
                sink: after.sink - before.sink, others: after.others - before.others,
                store: after.store - before.store, sinkBytes: nil)
        }
    }
}
