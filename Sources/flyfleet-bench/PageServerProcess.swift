// The page server as a process of its own, so that its CPU is not the product's, and the way to talk to it.
//
// It is asked over its stdin and answers on its stdout, a JSON object a line; it ends with its stdin.

import FoundationEssentials
import Glibc

/// `flyfleet-bench serve full|empty|paced|ticks`.
enum ServeCommand {
    static let command = "serve"

    struct Greeting: Codable {
        var port: UInt16
    }

    /// Serves until stdin ends; the exit code.
    static func run(_ arguments: ArraySlice<String>) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        guard let content = PageServer.Content(rawValue: arguments.first ?? "full") else {
            progress("serve: \"\(arguments.first ?? "")\" is no content of ours")
            return 64
        }
        do {
            let server = try PageServer(content: content)
            pthread_detach(try startThread { server.acceptConnections() })
            try say(Greeting(port: server.port))
            while readLine() != nil { try say(server.counts) }
            return 0
        } catch {
            progress("serve: \(error)")
            return 71
        }
    }

    private static func say(_ message: some Encodable) throws {
        let line = String(decoding: try JSONEncoder().encode(message), as: UTF8.self) + "\n"
        guard writeAll(STDOUT_FILENO, line) else { throw BenchError.system("answer", EPIPE) }
    }
}

/// A page server that was started for one measurement.
final class PageServerProcess {
    let port: UInt16
    let process: LaunchedProcess
    private let answers: LineReader
    private let questions: Int32

    private static let patienceNs: Int64 = 10_000_000_000

    /// Starts it and waits until it listens.
    init(content: PageServer.Content) throws {
        let input = try makePipe()
        let output = try makePipe()
        answers = LineReader(output.reader)
        questions = input.writer
        defer {
            close(input.reader)
            close(output.writer)
        }
        process = try LaunchedProcess(
            Programs.ownPath(), [ServeCommand.command, content.rawValue], environment: [],
            streams: .init(input: input.reader, output: output.writer, error: STDERR_FILENO))
        guard let line = try answers.next(until: monotonicNs() + Self.patienceNs) else {
            throw BenchError.product("the page server did not start within 10 s")
        }
        port = try JSONDecoder().decode(ServeCommand.Greeting.self, from: Data(line.text.utf8)).port
    }

    deinit { close(questions) }

    /// What it has served by now.
    func counts() throws -> ServerCounts {
        guard writeAll(questions, "counts\n"), let line = try answers.next(until: monotonicNs() + Self.patienceNs)
        else {
            throw BenchError.product("the page server does not answer")
        }
        return try JSONDecoder().decode(ServerCounts.self, from: Data(line.text.utf8))
    }

    /// Waits until the counts are as wanted.
    ///
    /// - Throws: ``BenchError`` when they are not within `seconds`.
    func await(_ what: String, seconds: Int64, _ isReached: (ServerCounts) -> Bool) throws -> ServerCounts {
        let deadline = monotonicNs() + seconds * 1_000_000_000
        while true {
            let counts = try counts()
            if isReached(counts) { return counts }
            guard monotonicNs() < deadline else {
                throw BenchError.product("not within \(seconds) s: \(what)")
            }
            try Interruption.shared.pause(milliseconds: 20)
        }
    }
}
