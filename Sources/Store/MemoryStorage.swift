// Storage that forgets with its process: for tests, and the reading of what SQLiteStorage must do.

internal import Framing
internal import Synchronization
internal import WorkerProtocol

/// Keeps everything in memory.
package final class MemoryStorage: Storage {
    private struct Content {
        var cursors: [String: String] = [:]
        var memory: [String: [UInt64: CommitPayload.Chunk]] = [:]
        var sinks: [String: (position: String, missedCommits: Bool)] = [:]
        var cached: [String: Token] = [:]
        var manual: [String: Token] = [:]
        var exits: [StoredExit] = []
        var lastExit: Int64 = 0
    }

    private let content = Mutex(Content())

    package init() {}

    package func perform(_ batch: [StorageOperation]) -> [Result<StorageAnswer, StorageError>] {
        content.withLock { content in
            batch.map { operation in
                Result { () throws(StorageError) in try Self.perform(operation, &content) }
            }
        }
    }

    private static func perform(
        _ operation: StorageOperation, _ content: inout Content
    ) throws(StorageError) -> StorageAnswer {
        switch operation {
        case .cursor(let appName):
            let memory = (content.memory[appName] ?? [:]).values.sorted { $0.number < $1.number }
            return .cursor(content.cursors[appName], memory: memory)
        case .commit(let commit, _):
            content = try applying(commit, to: content)
        case .sinkPosition(let sink):
            let stored = content.sinks[sink]
            return .sinkPosition(stored?.position, missedCommits: stored?.missedCommits ?? false)
        case .placeSink(let sink, let position, _):
            content.sinks[sink] = (position, false)
        case .tokens(let appName):
            return .tokens(cached: content.cached[appName], manual: content.manual[appName])
        case .putToken(let appName, .cached, let token):
            content.cached[appName] = token
        case .putToken(let appName, .manual, let token):
            content.manual[appName] = token
        case .forgetToken(let appName, let fingerprint):
            if content.cached[appName]?.fingerprint == fingerprint { content.cached[appName] = nil }
        case .recordExits(let records, let run):
            add(records, run, &content)
        case .exits(let path, let before, let limit):
            let found = content.exits.reversed().lazy
                .filter { path == nil || $0.record.path == path }
                .filter { $0.id < before ?? .max }
            return .exits(Array(found.prefix(limit)))
        }
        return .done
    }

    private static func applying(_ commit: CommitPayload, to content: Content) throws(StorageError) -> Content {
        var content = content
        if !commit.apps.isEmpty {
            for name in content.sinks.keys { content.sinks[name]?.missedCommits = true }
        }
        for sink in commit.sinks { content.sinks[sink.name] = (sink.position, false) }
        for app in commit.apps {
            if !app.cursor.isEmpty { content.cursors[app.name] = app.cursor }
            var memory = content.memory[app.name] ?? [:]
            for chunk in app.chunks { memory[chunk.number] = chunk }
            memory = memory.filter { $0.key >= app.firstKept }
            let cost = memory.values.reduce(0) { $0 + $1.cost }
            guard cost <= StoreLimits.memoryBytes else { throw .memoryTooLarge(app.name, cost) }
            content.memory[app.name] = memory
        }
        return content
    }

    private static func add(_ records: [ExitRecord], _ run: String, _ content: inout Content) {
        var known = Set(content.exits.lazy.filter { $0.run == run }.map(\.record.sequence))
        for record in records where known.insert(record.sequence).inserted {
            content.lastExit += 1
            content.exits.append(StoredExit(id: content.lastExit, run: run, record: record.bounded))
        }
        for path in Set(records.map(\.path)) {
            let ofPath = content.exits.indices.filter { content.exits[$0].record.path == path }
            for index in ofPath.dropLast(HistoryLimits.exitsPerPath).reversed() { content.exits.remove(at: index) }
        }
        content.exits.removeFirst(max(0, content.exits.count - HistoryLimits.exits))
    }
}
