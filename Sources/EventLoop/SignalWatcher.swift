// A Unix signal as an event of the loop.

internal import CLibuv

/// Calls back for each arrival of one signal.
package final class SignalWatcher {
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_signal_t>
    private var onSignal: (() -> Void)?
    private var closed = false

    /// Watches `signal` from now on.
    ///
    /// Does not keep the loop running.
    package init(_ loop: Loop, signal: Int32, _ onSignal: @escaping () -> Void) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        self.onSignal = onSignal
        handle = .allocate(capacity: 1)
        let code = uv_signal_init(loop.raw, handle)
        guard code == 0 else {
            handle.deallocate()
            throw UVError(code: code, operation: "watch signal \(signal)")
        }
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        HandleMemory.unreference(handle)
        let started = uv_signal_start(
            handle,
            { handle, _ in
                guard let data = handle?.pointee.data else { return }
                Unmanaged<SignalWatcher>.fromOpaque(data).takeUnretainedValue().onSignal?()
            }, signal)
        guard started == 0 else {
            close()
            throw UVError(code: started, operation: "watch signal \(signal)")
        }
    }

    /// Stops watching; idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        onSignal = nil
        HandleMemory.close(handle)
    }
}
