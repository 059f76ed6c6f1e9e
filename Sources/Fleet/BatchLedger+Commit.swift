// What the store gets: a prefix of the order that all have acknowledged, as one transaction. Positions, cursors and
// identities in it are of one moment, that behind its last batch. A transaction that came to nothing is not undone: the
// next prefix begins where it began, and so holds all of it.

internal import DequeModule
package import Framing

extension BatchLedger {
    /// About what an app or a batch takes in a commit beside its texts and its identities, in bytes.
    private static var fieldBytes: Int { 24 }

    /// What is to be committed next, or nil when there is nothing or a commit is under way.
    ///
    /// - Parameter identities: the identities of a batch that has some, as bytes.
    package mutating func beginCommit(identities: (Body) -> [UInt8]) -> CommitPayload? {
        guard canCommit else { return nil }
        var payload = CommitPayload()
        var bytes = 0
        commits += 1
        while base + committing < committable, committing == 0 || bytes < BatchLimits.commit {
            let entry = entries[committing]
            if bytes > 0, bytes + (entry.batch.chunk?.bytes ?? 0) > BatchLimits.commit { break }
            committing += 1
            if entry.needsStore { bytes += add(entry, to: &payload, identities) }
        }
        dropForgotten(&payload)
        for subscriber in subscribers {
            guard let name = subscriber.description.name, let position = subscriber.positions[committing - 1] else {
                continue
            }
            payload.sinks.append(CommitPayload.Sink(name: name, position: position))
        }
        return payload
    }

    /// Adds a batch to a commit; gives about the bytes it takes there.
    private mutating func add(
        _ entry: Entry, to payload: inout CommitPayload, _ identities: (Body) -> [UInt8]
    ) -> Int {
        let batch = entry.batch
        var bytes = Self.fieldBytes
        if apps[entry.app].commit != commits {
            apps[entry.app].commit = commits
            apps[entry.app].place = payload.apps.count
            payload.apps.append(CommitPayload.App(name: batch.app, cursor: ""))
            bytes += Self.fieldBytes + batch.app.utf8.count
        }
        let place = apps[entry.app].place
        if !batch.cursor.isEmpty {
            bytes += batch.cursor.utf8.count
            payload.apps[place].cursor = batch.cursor
        }
        if let chunk = batch.chunk {
            bytes += chunk.bytes
            payload.apps[place].firstKept = max(payload.apps[place].firstKept, chunk.firstKept)
            payload.apps[place].chunks.append(
                CommitPayload.Chunk(number: chunk.number, identities: identities(batch.body)))
        }
        return bytes
    }

    /// Leaves out what a later batch of the same commit says is no longer needed.
    private func dropForgotten(_ payload: inout CommitPayload) {
        for place in payload.apps.indices {
            let firstKept = payload.apps[place].firstKept
            guard payload.apps[place].chunks.contains(where: { $0.number < firstKept }) else { continue }
            payload.apps[place].chunks.removeAll { $0.number < firstKept }
        }
    }

    /// The commit is in the store.
    package mutating func commitSucceeded() {
        precondition(committing > 0, "a commit succeeded that never began")
        for _ in 0..<committing { removeFirst() }
        committing = 0
    }

    /// The commit did not happen, or nobody knows whether it did: it is due again, with what came since.
    package mutating func commitFailed() {
        committing = 0
    }
}
