// A built program as a process: started, followed, signalled, awaited.

import CLinux
import Foundation
import Synchronization
import Testing

/// Where the programs under test lie: beside the test bundle, where the build puts them.
enum Built {
    static let directory: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The runner may be the toolchain's own; the bundle's path is then among the arguments.
        let candidates = CommandLine.arguments + [path]
        for candidate in candidates where candidate.contains(".build") {
            let folder = (candidate as NSString).deletingLastPathComponent
            if FileManager.default.isExecutableFile(atPath: folder + "/flyfleet") { return folder }
        }
        return FileManager.default.currentDirectoryPath + "/.build/debug"
    }()

    static func path(_ name: String) -> String { "\(directory)/\(name)" }
}

/// How a process ended.
enum Ending: Equatable, Sendable {
    case code(Int32)
    case signal(Int32)
}

/// One run of a program.
final class Program: Sendable {
    let pid: Int32
    let output = LineLog()
    let errors = LineLog()
    private let ending = LineLog()

    /// Starts a program with exactly this environment.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil) throws {
        var toOutput: [Int32] = [0, 0]
        var toErrors: [Int32] = [0, 0]
        try #require(linux_pipe(&toOutput) == 0 && linux_pipe(&toErrors) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, toOutput[1], 1)
        posix_spawn_file_actions_adddup2(&actions, toErrors[1], 2)
        var base = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
        base["HOME"] = "/nonexistent"
        base["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        base.merge(environment) { _, given in given }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let envp = base.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, nil, argv, envp)
        close(toOutput[1])
        close(toErrors[1])
        try #require(code == 0, "could not start \(path): \(String(cString: strerror(code)))")
        pid = child
        output.follow(toOutput[0])
        errors.follow(toErrors[0])
        let ending = ending
        Thread { [child] in
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            ending.append([signal == 0 ? "code \((status >> 8) & 0xff)" : "signal \(signal)"])
        }.start()
    }

    /// Whether its end was not seen yet.
    var isRunning: Bool { ending.lines.isEmpty }

    /// Sends a signal; harmless once the process is reaped only because every test awaits its programs' ends.
    func send(_ signal: Int32) {
        if ending.lines.isEmpty { kill(pid, signal) }
    }

    /// Waits for the end, and for everything it wrote.
    func end(seconds: Double = 30) async throws -> Ending {
        try await ending.wait("the end of process \(pid)", seconds: seconds) { !$0.isEmpty }
        await output.awaitEnd()
        await errors.awaitEnd()
        let words = ending.lines[0].split(separator: " ")
        let number = Int32(words[1]) ?? -1
        return words[0] == "code" ? .code(number) : .signal(number)
    }

    /// Ends a program a test is done with, whatever became of the test.
    func dispose() {
        send(SIGKILL)
    }
}
