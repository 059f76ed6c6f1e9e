// Storage that forgets with its process: for tests, and the reading of what SQLiteStorage must do.

internal import Synchronization
internal import WorkerProtocol

/// Keeps everything in memory.
package final class MemoryStorage: Storage {
    private struct Content {
        var cursors: [String: String] = [:]
        var cached: [String: Token] = [:]
        var manual: [String: Token] = [:]
        var exits: [StoredExit] = []
        var lastExit: Int64 = 0
    }

    private let content = Mutex(Content())

    package init() {}

    package func perform(_ batch: [StorageOperation]) -> [Result<StorageAnswer, StorageError>] {
        content.withLock { content in
            batch.map { .success(Self.perform($0, &content)) }
        }
    }

    private static func perform(_ operation: StorageOperation, _ content: inout Content) -> StorageAnswer {
        switch operation {
        case .cursor(let appName):
            return .cursor(content.cursors[appName])
        case .commitCursors(let positions, _):
            for position in positions { content.cursors[position.appName] = position.cursor }
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
