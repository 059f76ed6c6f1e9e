// A parent that stood still (suspended, frozen with its group, starved) finds everything at once: deadlines that are long
// past, and in the pipes what would have kept them. Nobody is killed by a clock that ran on without us.

extension FleetMachine {
    /// How late a deadline may be found before it is a standstill, in ms.
    static let toleratedLatenessMs: Int64 = 250
    /// What is left until a deadline that was found too late, in ms, if there was so much before: time to read what came,
    /// and for workers that stood still with us to go on.
    static let catchUpMs: Int64 = 500

    /// The machine's time for one of its driver's.
    ///
    /// A deadline that is found too late is put off, once, and the time beyond it does not count.
    mutating func machineTime(_ atMs: Int64) -> Int64 {
        let time = max(now, atMs - stoodStillMs)
        guard let dueMs = timedDeadlineMs, time - dueMs > Self.toleratedLatenessMs, putOffMs != dueMs else {
            return time
        }
        putOffMs = dueMs
        let resumed = max(now, dueMs - Self.catchUpMs)
        stoodStillMs += time - resumed
        // What was heard before this was noticed was heard no later than now.
        for path in lives.keys { lives[path]?.setBack(toMs: resumed) }
        return resumed
    }
}
