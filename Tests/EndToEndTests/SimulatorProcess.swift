// flysim stand-alone: the API that the fleets under test read.

import Foundation
import Testing
import WorkerHarness

/// A running simulator.
final class SimulatorProcess: Sendable {
    let program: Program
    let port: UInt16
    let seed: Int

    var url: String { "http://127.0.0.1:\(port)" }

    /// A token of this simulator's, as `fly` would print it.
    let token: String

    private init(program: Program, port: UInt16, seed: Int, token: String) {
        self.program = program
        self.port = port
        self.seed = seed
        self.token = token
    }

    /// Starts a simulator of `apps` and waits until it listens.
    static func start(
        apps: String = "web,api,worker", rate: Double = 50, seed: Int = 7, port: UInt16 = 0, _ more: [String] = []
    ) async throws -> SimulatorProcess {
        let arguments = ["--apps", apps, "--rate", "\(rate)", "--seed", "\(seed)", "--port", "\(port)"] + more
        let program = try Program(Built.path("flysim"), arguments)
        try await program.output.wait("flysim's address") { $0.contains { $0.hasPrefix("listening on ") } }
        let line = try #require(program.output.lines.first { $0.hasPrefix("listening on ") })
        let bound = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
        let fly = try Program(
            Built.path("flysim"), ["fly", "tokens", "create", "readonly", "personal", "-n", "test", "-x", "24h"],
            environment: ["FLYSIM_SEED": "\(seed)"])
        _ = try await fly.end()
        let token = try #require(fly.output.lines.first)
        return SimulatorProcess(program: program, port: bound, seed: seed, token: token)
    }

    /// Switches a fault on or off.
    func set(fault: String, app: String? = nil, status: Int? = nil, count: Int? = nil) throws {
        var parts = ["\"fault\":\"\(fault)\""]
        if let app { parts.append("\"app\":\"\(app)\"") }
        if let status { parts.append("\"status\":\(status)") }
        if let count { parts.append("\"count\":\(count)") }
        let answer = try LoopbackHTTP.request(
            port: port, "POST", "/_sim/switch", body: "{\(parts.joined(separator: ","))}")
        try #require(answer.contains(" 200 ") || answer.contains(" 204 "), "the switch was refused: \(answer)")
    }

    func dispose() { program.dispose() }
}

/// The smallest HTTP client that a test needs.
enum LoopbackHTTP {
    struct Failed: Error {
        let what: String
    }

    /// One request; the answer's status line and everything after it.
    static func request(port: UInt16, _ method: String, _ path: String, body: String = "") throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failed(what: "socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failed(what: "connect: \(String(cString: strerror(errno)))") }
        let text =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        _ = text.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: buffer[..<count])
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

/// A simulator and the folders of one test.
struct Stage {
    let simulator: SimulatorProcess
    let folder: TemporaryFolder

    static func set(
        apps: String = "web,api,worker", rate: Double = 50, seed: Int = 7, _ more: [String] = []
    ) async throws -> Stage {
        Stage(
            simulator: try await SimulatorProcess.start(apps: apps, rate: rate, seed: seed, more),
            folder: try TemporaryFolder())
    }

    /// A fleet that reads this stage's simulator, with a token from the environment.
    func fleet(
        _ more: [String] = [], environment: [String: String]? = nil, wrapper: [String] = []
    ) throws -> FleetProcess {
        var arguments = ["--api-url", simulator.url, "--state-dir", folder.path + "/state", "--output", "json"]
        arguments += ["--poll-interval", "100ms"]
        if !more.contains("--apps") { arguments += ["--apps", "web,api,worker"] }
        return try FleetProcess(
            arguments + more, environment: environment ?? ["FLY_ACCESS_TOKEN": simulator.token], wrapper: wrapper)
    }

    func dispose() { simulator.dispose() }
}

/// Sequence numbers of one app must have no gap; a line may come twice only where a process was killed.
func expectComplete(_ sequences: [Int], repeatsAllowed: Bool, _ app: String) {
    let distinct = Set(sequences)
    guard let first = distinct.min(), let last = distinct.max() else {
        Issue.record("\(app) has no lines")
        return
    }
    let missing = (first...last).filter { !distinct.contains($0) }
    #expect(missing.isEmpty, "\(app) lost \(missing.count) lines, the first of them \(missing.prefix(5))")
    if !repeatsAllowed {
        #expect(sequences.count == distinct.count, "\(app) repeated \(sequences.count - distinct.count) lines")
        #expect(sequences == sequences.sorted(), "\(app) is out of order")
    }
}
