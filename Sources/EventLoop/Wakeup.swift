// The one door through which another thread reaches a loop.

internal import CLibuv
internal import Synchronization

/// Carries messages from any thread to the loop's.
///
/// libuv folds several sends into one callback, so the callback takes every message that is there.
///
/// @unchecked Sendable because what other threads touch is the queue, under its lock, and `uv_async_send`, which
/// libuv documents as safe from any thread until the handle is closed; closing takes the same lock.
package final class Wakeup<Message: Sendable>: @unchecked Sendable {
    private struct State {
        var messages: [Message] = []
        var open = true
    }

    private let state = Mutex(State())
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_async_t>
    private var onMessage: ((Message) -> Void)?

    /// Made on the loop's thread, where `onMessage` will be called.
    package init(_ loop: Loop, _ onMessage: @escaping (Message) -> Void) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        self.onMessage = onMessage
        handle = .allocate(capacity: 1)
        let code = uv_async_init(loop.raw, handle) { handle in
            guard let data = handle?.pointee.data else { return }
            let object = Unmanaged<AnyObject>.fromOpaque(data).takeUnretainedValue()
            (object as? any Drainable)?.drain()
        }
        guard code == 0 else {
            handle.deallocate()
            throw UVError(code: code, operation: "make a wake-up handle")
        }
        handle.pointee.data = Unmanaged<AnyObject>.passRetained(self).toOpaque()
    }

    /// Hands `message` to the loop's thread; dropped after ``close()``.
    ///
    /// Callable from any thread.
    package func send(_ message: Message) {
        state.withLock { state in
            guard state.open else { return }
            state.messages.append(message)
            uv_async_send(handle)
        }
    }

    /// Ends the door, on the loop's thread; idempotent.
    package func close() {
        loop.assertOnLoop()
        let wasOpen = state.withLock { state in
            defer { state.open = false }
            return state.open
        }
        guard wasOpen else { return }
        onMessage = nil
        HandleMemory.close(handle)
    }
}

private protocol Drainable: AnyObject {
    func drain()
}

extension Wakeup: Drainable {
    fileprivate func drain() {
        let messages = state.withLock { state in
            let taken = state.messages
            state.messages = []
            return taken
        }
        for message in messages { onMessage?(message) }
    }
}
