// Work that may block, done by a thread of libuv's pool while the loop goes on.
//
// Invariant: `work` runs once, on a pool thread; `completion` runs once after it, on the loop's thread. libuv's own
// queue lock orders the two. A process that ends by `_exit` does not wait for work that is stuck.

internal import CLibuv
internal import Synchronization

/// Runs blocking work off the loop.
package enum PoolWork {
    /// Runs `work` on a thread of the pool and hands what it returns to `completion` on the loop's thread.
    ///
    /// Jobs given at once may run at once and end in any order: whoever needs an order waits for the completion.
    package static func run<Value: Sendable>(
        _ loop: Loop, _ work: @escaping @Sendable () -> Value, completion: @escaping (Value) -> Void
    ) {
        loop.assertOnLoop()
        let slot = ResultSlot<Value>()
        PoolJob(
            work: {
                let value = work()
                slot.value.withLock { $0 = value }
            },
            finish: {
                guard let value = slot.value.withLock({ $0 }) else { return }
                completion(value)
            }
        ).submit(loop)
    }
}

/// Where the pool's thread leaves its result for the loop's.
private final class ResultSlot<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

/// One uv_work_t with what it runs; libuv owns one reference until the job is finished.
private final class PoolJob {
    private let raw: UnsafeMutablePointer<uv_work_t> = .allocate(capacity: 1)
    private let work: @Sendable () -> Void
    /// Touched on the loop's thread only.
    private let finish: () -> Void

    init(work: @escaping @Sendable () -> Void, finish: @escaping () -> Void) {
        self.work = work
        self.finish = finish
    }

    deinit {
        raw.deallocate()
    }

    func submit(_ loop: Loop) {
        raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let code = uv_queue_work(
            loop.raw, raw,
            { raw in
                guard let data = raw?.pointee.data else { return }
                Unmanaged<PoolJob>.fromOpaque(data).takeUnretainedValue().work()
            },
            { raw, _ in
                guard let data = raw?.pointee.data else { return }
                Unmanaged<PoolJob>.fromOpaque(data).takeRetainedValue().finish()
            })
        // uv_queue_work fails only without a work callback.
        precondition(code == 0, "the thread pool took no work")
    }
}
