// The `--events` file: one object a line for every turn in a child's life, and for what Streamers tell of their reading,
// in the order in which they happened.
//
//     {"seq":12,"time":"…","event":"exited","path":"logs/streamers/web","pid":4711,"incarnation":3,
//      "exit":{"code":null,"signal":"SIGKILL","core_dumped":false,"out_of_memory":false},"reason":"crash",
//      "uptime_ms":81234,"detail":"signal SIGKILL"}

internal import CLinux
internal import EventLoop
internal import Glibc
internal import Supervision
internal import WorkerProtocol

/// Numbers events and writes them.
final class EventJournal {
    /// Events that are not yet written when the file stands still; past it they are counted, not kept.
    private static let maximumQueuedBytes = 8 * 1024 * 1024

    private let writer: FileWriter?
    private var sequence: Int64 = 0
    private var dropped: Int64 = 0

    /// Writes to `descriptor`, or nowhere.
    init(_ loop: Loop, descriptor: Int32?, onError: @escaping (UVError) -> Void) {
        writer = descriptor.map { FileWriter(loop, descriptor: $0) }
        writer?.onError = onError
    }

    /// Opens the file for appending; `-` is stderr.
    ///
    /// - Returns: nil when it cannot be opened; errno says why.
    static func open(_ path: String) -> Int32? {
        if path == "-" { return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10) }
        // A named pipe would keep us until somebody reads it; opened both ways, it waits for its reader with us.
        let access = linux_is_pipe_file(path) != 0 ? O_RDWR : O_WRONLY
        let descriptor = linux_open(path, access | O_CREAT | O_APPEND, 0o644)
        return descriptor >= 0 ? descriptor : nil
    }

    /// Whether everything is written.
    var isIdle: Bool { writer?.isIdle ?? true }

    /// Appends a turn in the life of a child, with what only the driver knows of its process.
    func append(_ report: SupervisionReport, process: ProcessFacts?) {
        append(report.name, path: report.path) { line in
            if let pid = process?.pid, pid > 0 { line.add("pid", Int64(pid)) }
            line.add("incarnation", Int64(report.incarnation))
            Self.describe(report.turn, process, &line)
        }
    }

    /// Appends an event about a child, with what `describe` adds.
    func append(_ event: String, path: String, _ describe: (inout JSONLine) -> Void) {
        sequence += 1
        guard let writer else { return }
        guard writer.queuedBytes < Self.maximumQueuedBytes else {
            dropped += 1
            return
        }
        var line = JSONLine()
        line.add("seq", sequence)
        line.add("time", WallClock.text(wallClockMilliseconds()))
        line.add("event", event)
        line.add("path", path)
        describe(&line)
        if dropped > 0 {
            line.add("dropped_before", dropped)
            dropped = 0
        }
        writer.write(line.finished())
    }

    private static func describe(_ turn: SupervisionReport.Turn, _ process: ProcessFacts?, _ line: inout JSONLine) {
        switch turn {
        case .starting, .ready, .stopping:
            break
        case .exited(let reason, let uptime):
            if let exit = process?.exit { line.add("exit") { describe(.init(exit), &$0) } }
            line.add("reason", reason.name)
            line.add("uptime_ms", uptime)
            if case .crash(let words) = reason { line.add("detail", words) }
            if let words = process?.lastWords, !words.isEmpty { line.add("stderr", words) }
        case .killed(let reason):
            line.add("reason", reason.rawValue)
        case .backoff(let delay):
            line.add("delay_ms", delay)
        case .restarting(let restart):
            line.add("cause", restart.cause)
            line.add("strategy", restart.strategy.rawValue)
            line.add("restarts_in_window", Int64(restart.restartsInWindow))
            line.add("max_restarts", Int64(restart.intensity.maxRestarts))
            line.add("max_seconds", Int64(restart.intensity.maxSeconds))
        case .restarted(let latency):
            line.add("latency_ms", latency)
        case .gaveUp(let giveUp):
            line.add("cause", giveUp.cause)
            line.add("reason", giveUp.reason)
            line.add("restarts_in_window", Int64(giveUp.restartsInWindow))
            line.add("max_restarts", Int64(giveUp.intensity.maxRestarts))
            line.add("max_seconds", Int64(giveUp.intensity.maxSeconds))
        }
    }

    private static func describe(_ exit: ExitRecord.Exit, _ line: inout JSONLine) {
        line.add("code", exit.code.map { Int64($0) })
        line.add("signal", exit.signal)
        line.add("core_dumped", exit.coreDumped)
        line.add("out_of_memory", exit.outOfMemory)
    }
}

/// What the driver knows of a process and the policies do not.
struct ProcessFacts {
    var pid: Int32
    var exit: ProcessExit?
    var lastWords: [String]
}

/// Names of signals.
enum SignalName {
    /// `SIGKILL` for 9; the number where it has no name.
    static func of(_ number: Int32) -> String {
        guard let name = linux_signal_name(number) else { return "signal \(number)" }
        return "SIG" + String(cString: name)
    }
}

/// Wall-clock time as text, for people; never for a decision.
enum WallClock {
    /// RFC 3339 in UTC with milliseconds.
    static func text(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let fraction = milliseconds % 1000
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(Int64(parts.tm_year) + 1900, 4))-\(padded(Int64(parts.tm_mon) + 1, 2))"
        let day = padded(Int64(parts.tm_mday), 2)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int64($0), 2) }.joined(separator: ":")
        return "\(date)-\(day)T\(clock).\(padded(fraction, 3))Z"
    }
}
