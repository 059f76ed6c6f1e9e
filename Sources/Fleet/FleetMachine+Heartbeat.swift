// Liveness: everybody who is ready is pinged, and given up when silent for too long.

internal import Supervision

extension FleetMachine {
    /// Pings, and finds out who was silent for too long, if it is time to.
    ///
    /// After the parent itself stood still (suspended, starved), the answers lie unread in the pipes: nobody is judged
    /// by a clock that ran on without us. A beat that is late looks as of when it was due, and after a whole interval
    /// suspects nobody. Nor is suspected who waits for us to read on.
    mutating func beat() {
        guard let heartbeat = settings.heartbeat, let dueMs = heartbeatDueMs, dueMs <= now else { return }
        let stoodStill = now - dueMs >= heartbeat.intervalMs
        heartbeatDueMs = now + heartbeat.intervalMs
        for path in lives.keys.sorted() {
            guard let life = lives[path], life.isReady, !life.isReadingPaused else { continue }
            if !stoodStill, dueMs - life.lastHeardMs >= heartbeat.limitMs {
                suspects.append(life.identity)
            } else {
                effects.append(.ping(life.identity))
            }
        }
    }

    /// Gives up whoever was suspected at an earlier turn and is still silent.
    ///
    /// Timers fire before descriptors are read: what a worker sent while the parent stood still for less than an interval
    /// is heard only now.
    mutating func judge() {
        guard let heartbeat = settings.heartbeat else { return }
        for suspect in suspects {
            guard let life = lives[suspect.path], life.identity == suspect, life.isReady, !life.isReadingPaused,
                now - life.lastHeardMs >= heartbeat.limitMs
            else { continue }
            tell(.failed(path: suspect.path, incarnation: suspect.incarnation, reason: .heartbeat))
        }
        suspects = []
    }
}
