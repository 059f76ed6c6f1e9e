// Real children: how they end, what they say before, and what they are given.

import EventLoop
import Foundation
import Testing
import WorkerHarness

/// What one child said and how it ended.
struct ChildStory: Sendable {
    var pid: Int32 = 0
    var exit: ProcessExit?
    var exits = 0
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var outputEnded = false
    var errorsEnded = false

    var outputText: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { outputText.split(separator: "\n").map(String.init) }
}

/// Runs one child to its end: exit and both ends of file, in whichever order they come.
final class ChildRun {
    private let collectors = (Collector(), Collector())
    private var child: ChildProcess?
    private(set) var exits: [ProcessExit] = []
    private var pid: Int32 = 0
    var onExit: (() -> Void)?

    init(_ loop: Loop, _ request: SpawnRequest, input: [UInt8] = [], _ onOutput: ((ChildProcess) -> Void)? = nil) throws
    {
        let child = try ChildProcess(loop, request) { [self] exit in
            exits.append(exit)
            onExit?()
            closeWhenDone()
        }
        self.child = child
        pid = child.pid
        child.output.delegate = collectors.0
        child.errors.delegate = collectors.1
        collectors.0.onRead = { _ in onOutput?(child) }
        collectors.0.onEnd = { [self] _ in closeWhenDone() }
        collectors.1.onEnd = { [self] _ in closeWhenDone() }
        child.output.resume()
        child.errors.resume()
        if input.isEmpty {
            child.input.close()
        } else {
            child.input.onProgress = { if child.input.queuedBytes == 0 { child.input.close() } }
            child.input.write(input)
        }
    }

    convenience init(_ loop: Loop, _ script: String, _ onOutput: ((ChildProcess) -> Void)? = nil) throws {
        try self.init(loop, .shell(script), onOutput)
    }

    var outputText: String { String(decoding: collectors.0.bytes, as: UTF8.self) }

    var story: ChildStory {
        ChildStory(
            pid: pid, exit: exits.first, exits: exits.count, output: collectors.0.bytes, errors: collectors.1.bytes,
            outputEnded: collectors.0.ends.count == 1, errorsEnded: collectors.1.ends.count == 1)
    }

    private func closeWhenDone() {
        guard !exits.isEmpty, !collectors.0.ends.isEmpty, !collectors.1.ends.isEmpty else { return }
        child?.closePipes()
        child = nil
        collectors.0.onRead = nil
        collectors.0.onEnd = nil
        collectors.1.onEnd = nil
        onExit = nil
    }
}

extension SpawnRequest {
    static func shell(_ script: String) -> SpawnRequest {
        SpawnRequest(executable: "/bin/sh", arguments: ["-c", script], environment: [("PATH", "/usr/bin:/bin")])
    }
}

@Suite("ChildProcess") struct ChildProcessTests {
    private func run(_ script: String) async throws -> ChildStory {
        try await onLoopThread { loop in
            let run = try ChildRun(loop, script)
            return { run.story }
        }
    }

    @Test(
        "F7: an exit code is told as it is, and the child is reaped",
        arguments: [0, 1, 2, 127, 128, 254, 255] as [Int32])
    func exitCodes(code: Int32) async throws {
        let story = try await run("exit \(code)")
        #expect(story.exit == .exited(code: code))
        #expect(story.exits == 1)
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(story.pid)"))
    }

    @Test("F7: a signal is told as a signal", arguments: [SIGHUP, SIGTERM, SIGKILL, SIGUSR1])
    func signals(signal: Int32) async throws {
        #expect(try await run("kill -\(signal) $$").exit == .signaled(signal: signal, coreDumped: false))
    }

    /// Where the kernel writes core files itself, the resource limit decides; a collector behind a `|` decides alone.
    static let coresAreFiles: Bool = {
        let pattern = (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)) ?? "|"
        return !pattern.hasPrefix("|") && !pattern.hasPrefix("/")
    }()

    @Test(
        "F7: whether a core was dumped is told", .enabled(if: coresAreFiles), arguments: [SIGSEGV, SIGABRT, SIGILL],
        [false, true])
    func cores(signal: Int32, dumped: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let story = try await run("cd '\(folder)' && ulimit -c \(dumped ? "unlimited" : "0") && kill -\(signal) $$")
        #expect(story.exit == .signaled(signal: signal, coreDumped: dumped))
    }

    @Test("F9: bursts of 1 MiB on stdout and on stderr arrive whole although the child then crashes")
    func burstThenCrash() async throws {
        let story = try await run(
            """
            (head -c 1048576 /dev/zero | tr '\\0' e >&2) &
            head -c 1048576 /dev/zero | tr '\\0' o
            wait
            ulimit -c 0
            kill -SEGV $$
            """)
        #expect(story.output == [UInt8](repeating: 0x6f, count: 1_048_576))
        #expect(story.errors == [UInt8](repeating: 0x65, count: 1_048_576))
        #expect(story.exit == .signaled(signal: SIGSEGV, coreDumped: false))
        #expect(story.outputEnded)
        #expect(story.errorsEnded)
    }

    @Test("1 MiB goes in through stdin and comes back, and closing stdin is its end")
    func echo() async throws {
        let story = try await onLoopThread { loop in
            let request = SpawnRequest(executable: "/bin/cat", arguments: [], environment: [])
            let run = try ChildRun(loop, request, input: pattern(1 << 20))
            return { run.story }
        }
        #expect(story.output == pattern(1 << 20))
        #expect(story.exit == .exited(code: 0))
    }

    @Test("F10: a child that ends at once is told of, every time")
    func shortLived() async throws {
        let stories = try await onLoopThread { loop in
            let request = SpawnRequest(executable: "/bin/true", arguments: [], environment: [])
            let runs = try (0..<50).map { _ in try ChildRun(loop, request) }
            return { runs.map(\.story) }
        }
        #expect(stories.map(\.exit) == Array(repeating: .exited(code: 0), count: 50))
        #expect(stories.allSatisfy { $0.exits == 1 && $0.outputEnded && $0.errorsEnded })
    }

    @Test("the environment is exactly what was given, in its order, and the arguments too")
    func environment() async throws {
        let story = try await onLoopThread { loop in
            let environment = [(name: "B", value: "2"), (name: "A", value: "one two"), (name: "EMPTY", value: "")]
            let request = SpawnRequest(executable: "/usr/bin/env", arguments: [], environment: environment)
            let run = try ChildRun(loop, request)
            return { run.story }
        }
        #expect(story.lines == ["B=2", "A=one two", "EMPTY="])
        let arguments = try await onLoopThread { loop in
            let request = SpawnRequest(
                executable: "/bin/sh", arguments: ["-c", "printf '%s|' \"$0\" \"$@\"", "zero", "", "a b", "é"],
                environment: [])
            let run = try ChildRun(loop, request)
            return { run.story }
        }
        #expect(arguments.outputText == "zero||a b|é|")
    }

    @Test("a child leads a session and a group of its own, or shares ours when told to", arguments: [true, false])
    func session(own: Bool) async throws {
        let story = try await onLoopThread { loop in
            var request = SpawnRequest.shell("read -r line < /proc/$$/stat; echo \"$line\"")
            request.ownSession = own
            let run = try ChildRun(loop, request)
            return { run.story }
        }
        // pid (comm) state ppid pgrp session …
        let fields = (story.lines.first ?? "").split(separator: " ").map(String.init)
        try #require(fields.count > 5)
        #expect(fields[3] == "\(getpid())")
        #expect(fields[4] == "\(own ? story.pid : getpgrp())")
        #expect(fields[5] == "\(own ? story.pid : getsid(0))")
    }

    @Test("an executable that is not there is an error with its name", arguments: ["/no/such/program", "/etc/passwd"])
    func cannotStart(executable: String) async throws {
        let error = try await onLoopThread { loop in
            let request = SpawnRequest(executable: executable, arguments: [], environment: [])
            let error = uvError { _ = try ChildProcess(loop, request) { _ in } }
            return { error }
        }
        #expect(error?.name == (executable == "/etc/passwd" ? "EACCES" : "ENOENT"))
        #expect("\(error?.operation ?? "")" == "start \(executable)")
    }
}
