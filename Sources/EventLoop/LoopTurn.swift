// The next turn of the loop, for work that is done a piece a turn so that everything else is heard in between.
//
// Not a timer of 0 ms: one that is armed while libuv 1.44 runs timers fires in the same pass over them, and again, so
// that the pieces follow each other without a look at any descriptor. Here a check handle is called after the loop has
// polled, and an idle handle that does nothing keeps that poll from waiting.

internal import CLibuv

/// Calls back once the loop has heard what there is to hear.
package final class LoopTurn {
    private let loop: Loop
    private let check: UnsafeMutablePointer<uv_check_t>
    private let idle: UnsafeMutablePointer<uv_idle_t>
    private var onTurn: (() -> Void)?
    private var closed = false

    /// A turn that nobody waits for.
    package init(_ loop: Loop) {
        loop.assertOnLoop()
        self.loop = loop
        check = .allocate(capacity: 1)
        idle = .allocate(capacity: 1)
        // Neither init has a way to fail.
        uv_check_init(loop.raw, check)
        uv_idle_init(loop.raw, idle)
        check.pointee.data = Unmanaged.passRetained(self).toOpaque()
        idle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Whether the next turn is waited for.
    package var isRequested: Bool { onTurn != nil }

    /// Calls `onTurn` once after the next poll, in place of what an earlier request would have called.
    ///
    /// Requested from within a callback of a poll, that poll is the one: what it found is handled first. Requested again
    /// from within `onTurn`, it is called after another.
    package func request(_ onTurn: @escaping () -> Void) {
        loop.assertOnLoop()
        precondition(!closed, "a closed turn was requested")
        self.onTurn = onTurn
        uv_idle_start(idle) { _ in }
        uv_check_start(check) { handle in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<LoopTurn>.fromOpaque(data).takeUnretainedValue().run()
        }
    }

    /// Takes the request back; idempotent.
    package func cancel() {
        loop.assertOnLoop()
        guard !closed else { return }
        onTurn = nil
        uv_idle_stop(idle)
        uv_check_stop(check)
    }

    /// Ends it for good; idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        onTurn = nil
        HandleMemory.close(check)
        HandleMemory.close(idle)
    }

    private func run() {
        loop.assertOnLoop()
        let body = onTurn
        cancel()
        body?()
    }
}
