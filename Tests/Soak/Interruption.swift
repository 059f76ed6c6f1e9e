// SIGINT and SIGTERM to the soak: noted by a waiting thread, seen by the loops, so that everything is cleaned up.

import Foundation
import Synchronization

/// Whether somebody wants the soak to end.
final class Interruption: Sendable {
    private let seen = Atomic(false)

    /// Blocks the signals in this thread and all it starts; has to come before the first other thread.
    init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        Thread.detachNewThread { [self, signals] in
            var signals = signals
            var number: Int32 = 0
            while sigwait(&signals, &number) != 0 {}
            seen.store(true, ordering: .relaxed)
        }
    }

    var isSeen: Bool { seen.load(ordering: .relaxed) }
}
