// Readiness of a descriptor that somebody else reads and writes, such as libcurl's sockets.

internal import CLibuv

/// Tells when a socket can be read or written.
package final class DescriptorPoll {
    /// What to wait for, or what is there.
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let readable = Events(rawValue: Int32(UV_READABLE.rawValue))
        package static let writable = Events(rawValue: Int32(UV_WRITABLE.rawValue))
        package static let disconnected = Events(rawValue: Int32(UV_DISCONNECT.rawValue))
    }

    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_poll_t>
    private var onEvents: ((Result<Events, UVError>) -> Void)?
    private var closed = false

    /// Prepares to watch `descriptor`, which must be open until ``close()``.
    package init(_ loop: Loop, descriptor: Int32) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        handle = .allocate(capacity: 1)
        let code = uv_poll_init(loop.raw, handle, descriptor)
        guard code == 0 else {
            handle.deallocate()
            throw UVError(code: code, operation: "watch descriptor \(descriptor)")
        }
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Watches for `events` in place of those watched before.
    package func start(_ events: Events, _ onEvents: @escaping (Result<Events, UVError>) -> Void) throws(UVError) {
        loop.assertOnLoop()
        precondition(!closed, "a closed poll was started")
        self.onEvents = onEvents
        let code = uv_poll_start(handle, events.rawValue) { handle, status, events in
            guard let data = handle?.pointee.data else { return }
            let poll = Unmanaged<DescriptorPoll>.fromOpaque(data).takeUnretainedValue()
            if status < 0 {
                poll.onEvents?(.failure(UVError(code: status, operation: "watch a descriptor")))
            } else {
                poll.onEvents?(.success(Events(rawValue: events)))
            }
        }
        try check(code, "watch a descriptor")
    }

    /// Watches no longer, until started again; idempotent.
    package func stop() {
        loop.assertOnLoop()
        guard !closed else { return }
        onEvents = nil
        uv_poll_stop(handle)
    }

    /// Lets ``Loop/run()`` return although the descriptor is watched.
    package func unreference() {
        loop.assertOnLoop()
        guard !closed else { return }
        HandleMemory.unreference(handle)
    }

    /// Stops watching; idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        onEvents = nil
        HandleMemory.close(handle)
    }
}
