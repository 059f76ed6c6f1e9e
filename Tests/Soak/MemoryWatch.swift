// The highest memory of each kind of process, looked at every second.

import Foundation
import Synchronization

/// Samples PSS on a thread of its own.
final class MemoryWatch: Sendable {
    private struct State {
        var parent: pid_t?
        var peaks: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let isStopped = Atomic(false)

    /// Starts the thread.
    func start() {
        Thread.detachNewThread { [self] in
            while !isStopped.load(ordering: .relaxed) {
                if let parent = state.withLock({ $0.parent }) { look(parent) }
                Clock.sleep(1)
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Says who the parent is now.
    func follow(_ parent: pid_t?) { state.withLock { $0.parent = parent } }

    /// Peaks in kB by kind of process.
    var peaks: [String: Int] { state.withLock { $0.peaks } }

    private func look(_ parent: pid_t) {
        var found: [(kind: String, memory: Int?)] = [("parent", ProcessTable.memory(parent))]
        for worker in ProcessTable.workers(of: parent) {
            found.append((Target.worker(worker.path).kind, ProcessTable.memory(worker.identity.pid)))
        }
        state.withLock { state in
            for (kind, memory) in found {
                if let memory { state.peaks[kind] = max(state.peaks[kind] ?? 0, memory) }
            }
        }
    }
}
