// A timer of the loop.

internal import CLibuv

/// Calls back once or again and again.
///
/// Times are in ms of the loop's clock.
package final class LoopTimer {
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_timer_t>
    private var onFire: (() -> Void)?
    private var closed = false

    /// A timer that is not armed.
    package init(_ loop: Loop) {
        loop.assertOnLoop()
        self.loop = loop
        handle = .allocate(capacity: 1)
        // uv_timer_init has no way to fail.
        uv_timer_init(loop.raw, handle)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Arms the timer, in place of what it was armed for before.
    ///
    /// - Parameters:
    ///   - milliseconds: from the loop's ``Loop/now``; below 0 counts as 0.
    ///   - repeating: ms between further calls; 0 for one call.
    package func start(after milliseconds: Int64, repeating: Int64 = 0, _ onFire: @escaping () -> Void) {
        loop.assertOnLoop()
        precondition(!closed, "a closed timer was started")
        self.onFire = onFire
        uv_timer_start(
            handle,
            { handle in
                guard let data = handle?.pointee.data else { return }
                let timer = Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue()
                timer.loop.assertOnLoop()
                timer.onFire?()
            }, UInt64(max(0, milliseconds)), UInt64(max(0, repeating)))
    }

    /// Disarms the timer; idempotent.
    package func stop() {
        loop.assertOnLoop()
        guard !closed else { return }
        onFire = nil
        uv_timer_stop(handle)
    }

    /// Lets ``Loop/run()`` return although the timer is armed.
    package func unreference() {
        loop.assertOnLoop()
        guard !closed else { return }
        HandleMemory.unreference(handle)
    }

    /// Ends the timer for good; idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        onFire = nil
        HandleMemory.close(handle)
    }
}
