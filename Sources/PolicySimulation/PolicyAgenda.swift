// What the simulated processes will do, and when. Virtual time: the next thing is taken when the one before it is done.

/// Events of processes, ordered by time, then by the order in which they were set.
struct PolicyAgenda: Sendable {
    /// Something that a process does.
    struct Event: Sendable {
        enum Kind: Sendable {
            /// Its start is over.
            case started(StartOutcome)
            /// It is gone.
            case ended
        }

        let path: String
        let incarnation: Int
        let kind: Kind
    }

    /// Latest first, so that the soonest is cheap to take.
    private var events: [(time: Int64, event: Event)] = []

    /// When the soonest is due.
    var nextTime: Int64? { events.last?.time }

    mutating func add(at time: Int64, _ event: Event) {
        // The first that is not later: what was set earlier for the same time stays nearer to the end.
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].time > time { low = middle + 1 } else { high = middle }
        }
        events.insert((time, event), at: low)
    }

    /// Takes the soonest event, if it is due at `time`.
    mutating func popFirst(at time: Int64) -> Event? {
        guard let next = events.last, next.time <= time else { return nil }
        events.removeLast()
        return next.event
    }
}
