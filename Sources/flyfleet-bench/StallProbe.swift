// The worker that measures the parent's loop from where it hurts: it takes the console sink's place, asks the parent
// something once a millisecond and times the answer. A parent that is busy making processes answers late, and how late
// is how long any child's frame would have waited.

import CLinux
import Framing
import Glibc

/// A worker that does nothing but ask.
enum StallProbe {
    /// Opens each line that it writes to its stderr; the figures follow.
    static let mark = "loop probe:"
    /// Asks it for a line about the time since the last one.
    static let signal = SIGUSR1
    private static let intervalNs: Int64 = 1_000_000

    nonisolated(unsafe) private static var isAsked: sig_atomic_t = 0

    /// Lives as a worker until it is asked to stop.
    static func run() -> Int32 {
        _ = linux_set_parent_death_signal(SIGKILL)
        Glibc.signal(signal) { _ in StallProbe.isAsked = 1 }
        var decoder = FrameDecoder()
        var trips: [Int64] = []
        var askedNs: Int64?
        var nextNs = Int64.max
        var isStopping = false
        while !isStopping {
            if isAsked != 0 {
                isAsked = 0
                report(&trips)
            }
            guard wait(until: askedNs == nil ? nextNs : .max) else {
                askedNs = monotonicNs()
                guard send(.request, id: 1, payload: #"{"method":"probe.trip"}"#) else { return 69 }
                continue
            }
            let room = decoder.writableBytes()
            let count = read(STDIN_FILENO, room.baseAddress, room.count)
            decoder.commit(max(0, count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return 69 }
            while let frame = try? decoder.next() {
                switch frame.kind {
                case .configure:
                    guard send(.ready, payload: #"{"protocol":1,"pid":\#(getpid())}"#) else { return 69 }
                    nextNs = monotonicNs() + intervalNs
                case .ping:
                    guard send(.pong, id: frame.id) else { return 69 }
                case .reply, .failure:
                    let now = monotonicNs()
                    if let asked = askedNs { trips.append(now - asked) }
                    askedNs = nil
                    nextNs = now + intervalNs
                case .stop:
                    isStopping = true
                default:
                    break
                }
            }
        }
        report(&trips)
        return send(.goodbye) ? 0 : 69
    }

    /// Waits for a frame; false when the time has come first.
    private static func wait(until deadline: Int64) -> Bool {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard deadline != .max else { return poll(&descriptor, 1, -1) != 0 }
        let milliseconds = max(0, deadline - monotonicNs() + 999_999) / 1_000_000
        return poll(&descriptor, 1, Int32(milliseconds)) != 0
    }

    private static func send(_ kind: FrameKind, id: UInt32 = 0, payload: String = "") -> Bool {
        guard var rest = (try? FrameEncoder.encode(kind, id: id, payload: Array(payload.utf8)))?[...] else {
            return false
        }
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Count, median, 99th percentile and longest, in ns.
    private static func report(_ trips: inout [Int64]) {
        let sorted = trips.sorted()
        trips = []
        let figures =
            [sorted.count]
            + [sorted.count / 2, sorted.count * 99 / 100, sorted.count - 1].map {
                sorted.indices.contains($0) ? Int(sorted[$0]) : 0
            }
        writeAll(STDERR_FILENO, "\(mark) \(figures.map(String.init).joined(separator: " "))\n")
    }
}
