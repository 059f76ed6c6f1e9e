// Deadlines of nodes. A node has at most one, because no state needs two.

extension SupervisionTree {
    /// Sets the node's deadline, in place of an earlier one.
    mutating func arm(_ slot: Int, inMilliseconds milliseconds: Int64) {
        disarm(slot)
        let due = now.advanced(byMilliseconds: milliseconds)
        lastSerial += 1
        nodes[slot].timer = lastSerial
        nodes[slot].timerDue = due
        armedDeadlines += 1
        deadlines.insert(DeadlineQueue.Entry(time: due, token: lastSerial, slot: slot))
    }

    /// Cancels the node's deadline, if it has one.
    mutating func disarm(_ slot: Int) {
        guard nodes[slot].timer != 0 else { return }
        nodes[slot].timer = 0
        nodes[slot].timerDue = nil
        armedDeadlines -= 1
    }

    /// Serves one deadline that has passed; false when there is none.
    mutating func fireDeadline() -> Bool {
        while let entry = deadlines.first, entry.time <= now {
            deadlines.popFirst()
            guard nodes[entry.slot].timer == entry.token else { continue }
            disarm(entry.slot)
            deadlinePassed(entry.slot)
            return true
        }
        return false
    }

    /// Drops cancelled deadlines: those on top, so that `nextDeadline` is a real one, and all once they prevail.
    mutating func tidyDeadlines() {
        while let entry = deadlines.first, nodes[entry.slot].timer != entry.token {
            deadlines.popFirst()
        }
        if deadlines.count > 2 * armedDeadlines + 64 {
            deadlines.compact { nodes[$0.slot].timer == $0.token }
        }
    }
}
