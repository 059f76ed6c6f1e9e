// What a misbehaving worker can be told to do, and where it is told so.
//
// The order, first hit wins: the environment variable FLYFLEET_TEST_BEHAVIOUR; the file `<program>.behaviour` beside
// the program, under the name it was started by; `behaviour` in its settings. Without any of them it behaves well.
// The text is lines, of which the first that concerns this start counts: a behaviour's name, then its numbers, then
// maybe `path=…`, `from=…` and `incarnations=…` to limit it to one worker, and to its starts from one on and to one.

import FoundationEssentials
import Glibc

/// One way to behave, as one line of text.
struct Behaviour {
    enum Name: String, CaseIterable {
        /// Answers everything, stops when asked.
        case good
        /// Configured, but never says ready.
        case neverReady = "never_ready"
        /// Exits before ready; the number is the exit code, 1 by default.
        case exitBeforeReady = "exit_before_ready"
        /// Kills itself before ready; the number is the signal, SIGSEGV by default.
        case crashBeforeReady = "crash_before_ready"
        /// Exits after ready without a goodbye; the number is the exit code, 0 by default.
        case exitAfterReady = "exit_after_ready"
        /// Kills itself after ready; the number is the signal, SIGSEGV by default.
        case crashAfterReady = "crash_after_ready"
        /// Dies by SIGALRM so many ms after ready, the number, 1 s by default.
        case crashLater = "crash_later"
        /// Says goodbye after ready and exits with code 0.
        case goodbye
        /// After ready writes bytes that are no frame, and goes on living.
        case garbage
        /// After ready writes a length field; the number is its value, 16 MiB + 1 by default.
        case length
        /// After ready writes half a frame and exits with code 0.
        case halfFrame = "half_frame"
        /// Says ready twice.
        case readyTwice = "ready_twice"
        /// Neither the stop frame nor SIGTERM makes it stop.
        case ignoreStop = "ignore_stop"
        /// Stops itself by SIGSTOP after ready: it is there and silent.
        case hang
        /// Writes to stderr, without pause; the number is how many bytes, 1 MiB by default.
        case floodStderr = "flood_stderr"
        /// Writes to stderr as above, then one last line, and crashes; the second number is the length of a line, the
        /// third the byte it consists of.
        case floodThenCrash = "flood_then_crash"
        /// Has a child in its own process group that ignores SIGTERM, and its stderr.
        case grandchild
        /// Has a child as above, in another process group of its session.
        case grandchildGroup = "grandchild_group"
        /// Prints to stdout, where frames are, as a careless library would.
        case strayPrint = "stray_print"
    }

    let name: Name
    let numbers: [Int]
    let path: String?
    let from: Int
    let incarnations: Int?

    /// Reads one line; nil when it names no behaviour.
    init?(_ line: String) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let first = words.first, let name = Name(rawValue: first) else { return nil }
        self.name = name
        numbers = words.dropFirst().compactMap { Int($0) }
        func value(_ key: String) -> String? {
            words.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        path = value("path")
        from = value("from").flatMap { Int($0) } ?? 1
        incarnations = value("incarnations").flatMap { Int($0) }
    }

    func number(_ fallback: Int32) -> Int32 { numbers.first.map(Int32.init(truncatingIfNeeded:)) ?? fallback }

    /// Whether it concerns this start of this worker.
    func concerns(path: String, incarnation: Int) -> Bool {
        (self.path ?? path) == path && incarnation >= from && incarnation <= (incarnations ?? .max)
    }

    /// The lines that apply, from the first place that has any.
    static func lines(settings: String?) -> [String] {
        if let text = getenv("FLYFLEET_TEST_BEHAVIOUR").map({ String(cString: $0) }) { return [text] }
        if let text = try? String(contentsOfFile: CommandLine.arguments[0] + ".behaviour", encoding: .utf8) {
            return text.split(separator: "\n").map(String.init)
        }
        return settings.map { [$0] } ?? []
    }
}
