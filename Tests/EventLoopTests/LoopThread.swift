// A loop of its own on a thread of its own for each test, with a deadline instead of sleeping.
//
// Expectations belong to the test's task, not to the loop's thread: the loop part returns an outcome, and the test
// looks at it.

import EventLoop
import Foundation
import Testing

/// How a test's loop went wrong as a whole.
enum LoopTestError: Error {
    case deadlineExceeded(milliseconds: Int64)
    case handlesLeftOpen
}

/// Calls `setUp` with a new loop, runs the loop until nothing is left, and returns what `setUp`'s closure then says.
///
/// - Throws: when the deadline passed first, or when a handle was left open.
func onLoopThread<Outcome: Sendable>(
    deadline milliseconds: Int64 = 20_000, _ setUp: @escaping @Sendable (Loop) throws -> () -> Outcome
) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread {
            continuation.resume(with: Result { try runOnThisThread(deadline: milliseconds, setUp) })
        }
        thread.start()
    }
}

private func runOnThisThread<Outcome>(
    deadline milliseconds: Int64, _ setUp: (Loop) throws -> () -> Outcome
) throws -> Outcome {
    ignoreBrokenPipeSignal()
    let loop = try Loop()
    let watchdog = LoopTimer(loop)
    var expired = false
    watchdog.start(after: milliseconds) {
        expired = true
        loop.stop()
    }
    watchdog.unreference()
    let outcome = try setUp(loop)
    loop.run()
    watchdog.close()
    guard !expired else { throw LoopTestError.deadlineExceeded(milliseconds: milliseconds) }
    loop.run()
    guard loop.isEmpty else { throw LoopTestError.handlesLeftOpen }
    return outcome()
}

/// Runs the same thing again and again until the descriptors open after it are those of the time before.
///
/// What leaks does so each time; what the runtime of an exit test opens for itself, it opens once.
func expectNoDescriptorLeft(_ setUp: @escaping @Sendable (Loop) throws -> () -> Void) async throws {
    var before: [String] = []
    for _ in 0..<6 {
        try await onLoopThread(setUp)
        let after = openDescriptors()
        if after == before { return }
        before = after
    }
    Issue.record("descriptors are left open each time: \(before)")
}

/// The descriptors of this process with what they refer to, without the one that reads the list.
func openDescriptors() -> [String] {
    let folder = "/proc/self/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")).map { "\(name) \($0)" }
    }.filter { !$0.hasSuffix("/fd") }.sorted()
}

/// The error of libuv that `body` threw; nil when it threw none.
func uvError(_ body: () throws -> Void) -> UVError? {
    do {
        try body()
        return nil
    } catch {
        return error as? UVError
    }
}

/// Something a test's closures share on one thread.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
