// What may be asked of the store, checked before anything is done.

internal import Framing
internal import WorkerProtocol

/// What requests to the store may hold, in bytes.
enum StoreLimits {
    static let appNameBytes = 63
    /// The length field of an entries head has one byte.
    static let cursorBytes = 255
    static let tokenBytes = 64 * 1024
    /// A sink's name is a path.
    static let sinkNameBytes = 4096
    static let positionBytes = 255
    /// What is kept of one app's memory, each chunk counting ``chunkBytes`` more than its identities.
    ///
    /// A reply to `store.cursor` has to hold it, in base64.
    static let memoryBytes = 8 * 1024 * 1024
    /// What a chunk counts beside its identities.
    static let chunkBytes = 32
    /// Chunks' numbers are signed in SQLite.
    static let largestChunk = UInt64(Int64.max)

    /// What keeps exits from being recorded, if anything; texts that are only long are cut instead.
    static func violation(of request: RecordExitsRequest) -> String? {
        guard (1...RecordExitsRequest.maximumExits).contains(request.exits.count) else {
            return "a request records 1 to \(RecordExitsRequest.maximumExits) exits"
        }
        guard (1...RecordExitsRequest.maximumRunBytes).contains(request.run.utf8.count) else {
            return "a run has 1 to \(RecordExitsRequest.maximumRunBytes) bytes"
        }
        guard request.exits.allSatisfy({ (1...ExitRecord.maximumPathBytes).contains($0.path.utf8.count) }) else {
            return "a path has 1 to \(ExitRecord.maximumPathBytes) bytes"
        }
        return nil
    }

    /// What keeps a transaction from being committed, if anything, apart from what is stored already.
    static func violation(of commit: CommitPayload) -> String? {
        for sink in commit.sinks {
            if let reason = violation(ofSink: sink.name) ?? violation(ofPosition: sink.position) { return reason }
        }
        for app in commit.apps {
            if let reason = violation(ofApp: app.name) { return reason }
            guard app.cursor.utf8.count <= cursorBytes else { return "a cursor has at most \(cursorBytes) bytes" }
            for chunk in app.chunks {
                guard chunk.number <= largestChunk else { return "a chunk's number is at most \(largestChunk)" }
                guard chunk.identities.count % IdentityBytes.width == 0 else {
                    return "identities have \(IdentityBytes.width) bytes each"
                }
            }
        }
        return nil
    }

    static func violation(ofApp name: String) -> String? {
        (1...appNameBytes).contains(name.utf8.count) ? nil : "an app name has 1 to \(appNameBytes) bytes"
    }

    static func violation(ofSink name: String) -> String? {
        (1...sinkNameBytes).contains(name.utf8.count) ? nil : "a sink's name has 1 to \(sinkNameBytes) bytes"
    }

    static func violation(ofPosition position: String) -> String? {
        (1...positionBytes).contains(position.utf8.count) ? nil : "a position has 1 to \(positionBytes) bytes"
    }
}

extension CommitPayload.Chunk {
    /// What it counts against ``StoreLimits/memoryBytes``.
    var cost: Int { identities.count + StoreLimits.chunkBytes }
}

extension StorageError {
    /// An app's memory would grow over its limit.
    static func memoryTooLarge(_ appName: String, _ bytes: Int) -> StorageError {
        StorageError(
            .refused,
            "the memory of \(appName) would have \(bytes) bytes, over the limit of \(StoreLimits.memoryBytes)")
    }
}
