// A loop of its own on a thread of its own for each test, with a deadline instead of sleeping.
//
// Expectations belong to the test's task, not to the loop's thread: the loop part returns an outcome, and the test
// looks at it.

package import EventLoop
internal import Foundation

/// How a test's loop went wrong as a whole.
package enum LoopTestError: Error {
    case deadlineExceeded(milliseconds: Int64)
    case handlesLeftOpen
}

/// Calls `setUp` with a new loop, runs the loop until nothing is left, and returns what `setUp`'s closure then says.
///
/// - Throws: when the deadline passed first, or when a handle was left open.
package func onLoopThread<Outcome: Sendable>(
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
