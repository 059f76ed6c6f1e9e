// Follows the files of a sink while they are written, for the time at which each line became readable. It has no say in
// the verdict: a line that was cut back and written again between two looks keeps the time of its first appearance.

import Foundation
import Synchronization

/// A reader on a thread of its own, looking every few milliseconds.
final class FileTail: Sendable {
    private static let period = 0.008

    private struct State {
        /// Seconds from emission to file, by app and number; NaN while unseen.
        var latencies: [String: [Float]]
        /// The same of the lines that appeared late, which are found when the overlap is read again.
        var late: [Float] = []
        /// Up to which number every line of an app was seen.
        var reach: [String: Int]
        /// When the last line came while silence counts; nil before the first.
        var lastNews: Double?
        var longestSilence = 0.0
        var isWatched = false
        var lines = 0

        /// Moves on over what was seen.
        mutating func moveReach(of app: String) {
            guard let seen = latencies[app], var number = reach[app] else { return }
            while number + 1 < seen.count, !seen[number + 1].isNaN { number += 1 }
            reach[app] = number
        }

        mutating func noteSilence() {
            if isWatched, let lastNews { longestSilence = max(longestSilence, Clock.seconds - lastNews) }
        }
    }

    private let path: String
    private let state: Mutex<State>
    private let isStopped = Atomic(false)

    /// Prepares to follow; `most` is the highest number an app can reach.
    init(_ path: String, apps: [String], most: Int) {
        self.path = path
        let unseen = [Float](repeating: .nan, count: most + 1)
        state = Mutex(
            State(
                latencies: Dictionary(uniqueKeysWithValues: apps.map { ($0, unseen) }),
                reach: Dictionary(uniqueKeysWithValues: apps.map { ($0, 0) })))
    }

    /// Starts the thread.
    func start() {
        Thread.detachNewThread { [self] in
            var reader = GrowingFile(path: path)
            while !isStopped.load(ordering: .relaxed) {
                reader.readNews { take($0) }
                Clock.sleep(Self.period)
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// From now to the next call with false, silence counts, from the first line on.
    func watchSilence(_ isWatched: Bool) {
        state.withLock {
            $0.noteSilence()
            $0.isWatched = isWatched
        }
    }

    /// The longest time without a new line, in seconds.
    var longestSilence: Double { state.withLock { $0.longestSilence } }
    /// Whether every line up to these numbers was seen.
    ///
    /// Lines that appear late are never counted as seen.
    func hasAll(_ numbers: [String: Int]) -> Bool {
        state.withLock { state in numbers.allSatisfy { state.reach[$0.key] ?? 0 >= $0.value } }
    }

    /// How many lines were seen, those twice that were written twice.
    var lines: Int { state.withLock { $0.lines } }
    /// Seconds from appearance to file of the lines that appeared late.
    var lateLatencies: [Float] { state.withLock { $0.late } }
    /// Seconds from emission to file of every other line that was seen, by app.
    var latencies: [String: [Float]] { state.withLock { $0.latencies.mapValues { $0.filter { !$0.isNaN } } } }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let parsed = LineParser.parse(bytes), let line = NumberedLine(parsed), let emitted = line.emitted
        else { return }
        let latency = Float(Clock.wall - emitted)
        state.withLock {
            guard let count = $0.latencies[line.app]?.count, line.number < count else { return }
            if line.isLate {
                $0.late.append(latency)
            } else {
                $0.latencies[line.app]?[line.number] = latency
                $0.moveReach(of: line.app)
            }
            $0.lines += 1
            $0.noteSilence()
            $0.lastNews = Clock.seconds
        }
    }
}

/// A file that grows, is cut back, and is renamed away.
private struct GrowingFile {
    let path: String
    private var descriptor: Int32 = -1
    private var inode: UInt64 = 0
    private var offset = 0
    private var splitter = LineSplitter()
    private var finished: Set<UInt64> = []
    private var chunk = [UInt8](repeating: 0, count: 1 << 18)

    init(path: String) { self.path = path }

    /// Hands out the lines that came since.
    mutating func readNews(_ body: (UnsafeRawBufferPointer) -> Void) {
        if descriptor < 0 { openNext() }
        while descriptor >= 0 {
            readToEnd(body)
            var status = stat()
            // The file that PATH names is read on; from another one goes on only once nothing is left in it.
            guard stat(path, &status) != 0 || UInt64(status.st_ino) != inode else { return }
            readToEnd(body)
            close(descriptor)
            descriptor = -1
            finished.insert(inode)
            openNext()
        }
    }

    private mutating func openNext() {
        // One that was packed before it was read gives no latencies.
        let files = SinkListing(path).originals
        // The inode of one that is gone may be another's by now.
        finished.formIntersection(files.map(\.inode))
        let next: SinkFile?
        if let place = files.firstIndex(where: { $0.inode == inode }) {
            next = files[(place + 1)...].first
        } else {
            next = files.first { !finished.contains($0.inode) } ?? files.last
        }
        guard let next else { return }
        descriptor = open(next.path, O_RDONLY | O_CLOEXEC)
        inode = next.inode
        offset = 0
        splitter.reset()
    }

    private mutating func readToEnd(_ body: (UnsafeRawBufferPointer) -> Void) {
        var status = stat()
        if fstat(descriptor, &status) == 0, Int(status.st_size) < offset {
            // Cut back to the end of a committed line.
            offset = Int(status.st_size)
            splitter.reset()
        }
        while true {
            let count = pread(descriptor, &chunk, chunk.count, off_t(offset))
            guard count > 0 else { return }
            offset += count
            splitter.add(chunk[..<count], body)
        }
    }
}
