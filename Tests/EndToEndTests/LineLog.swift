// Lines as they arrive from a process, and waiting for the one a test needs. Deadlines are failures, never a way to
// keep time.

import Foundation
import Synchronization

/// A test waited for something that did not come.
struct DeadlinePassed: Error, CustomStringConvertible {
    let what: String
    let seen: [String]

    var description: String {
        "\(what) did not come in time; last seen:\n" + seen.suffix(25).joined(separator: "\n")
    }
}

/// What a stream said so far.
final class LineLog: Sendable {
    private struct Waiter {
        let id: Int
        let match: @Sendable ([String]) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var lines: [String] = []
        var waiters: [Waiter] = []
        var nextID = 0
        var ended = false
    }

    private let state = Mutex(State())

    /// Everything so far.
    var lines: [String] { state.withLock { $0.lines } }

    /// Reads `descriptor` to its end on a thread of its own.
    func follow(_ descriptor: Int32) {
        let thread = Thread { [self] in
            var pending: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                pending.append(contentsOf: buffer[..<count])
                append(Self.takeLines(&pending))
            }
            if !pending.isEmpty { append([String(decoding: pending, as: UTF8.self)]) }
            close(descriptor)
            finish()
        }
        thread.start()
    }

    /// Takes all lines that are complete; linear, whatever comes.
    private static func takeLines(_ pending: inout [UInt8]) -> [String] {
        var lines: [String] = []
        let taken = pending.withUnsafeBytes { bytes in
            var start = 0
            while let base = bytes.baseAddress, start < bytes.count,
                let end = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
            {
                let length = end - UnsafeMutableRawPointer(mutating: base + start)
                lines.append(String(decoding: bytes[start..<start + length], as: UTF8.self))
                start += length + 1
            }
            return start
        }
        pending.removeFirst(taken)
        return lines
    }

    /// Waits for the end of the stream.
    func awaitEnd() async {
        try? await wait("the end of a stream") { _ in false }
    }

    func append(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        resume { state in state.lines += lines }
    }

    private func finish() {
        resume { state in state.ended = true }
    }

    /// Changes the state, then wakes those whose condition holds now, and everybody once the stream ended.
    private func resume(_ change: (inout State) -> Void) {
        let ready = state.withLock { state in
            change(&state)
            let lines = state.lines
            let ended = state.ended
            let satisfied = state.waiters.map { (waiter: $0, holds: $0.match(lines)) }.filter { $0.holds || ended }
            let ids = Set(satisfied.map(\.waiter.id))
            state.waiters.removeAll { ids.contains($0.id) }
            return satisfied
        }
        for (waiter, holds) in ready { waiter.continuation.resume(returning: holds) }
    }

    /// Waits until `match` holds for the lines.
    ///
    /// - Throws: ``DeadlinePassed`` when it does not within `seconds`, or when the stream ends before.
    func wait(_ what: String, seconds: Double = 30, until match: @escaping @Sendable ([String]) -> Bool) async throws {
        let matched = await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if match(state.lines) { return true }
                if state.ended { return false }
                let id = state.nextID
                state.nextID += 1
                state.waiters.append(Waiter(id: id, match: match, continuation: continuation))
                DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in self?.giveUp(id) }
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard matched else { throw DeadlinePassed(what: what, seen: lines) }
    }

    private func giveUp(_ id: Int) {
        let waiter = state.withLock { state in
            let index = state.waiters.firstIndex { $0.id == id }
            return index.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: false)
    }
}
