// Storage that forgets with its process: for tests, and the reading of what SQLiteStorage must do.

internal import Synchronization
internal import WorkerProtocol

/// Keeps cursors and tokens in memory.
package final class MemoryStorage: Storage {
    private struct Content {
        var cursors: [String: String] = [:]
        var cached: [String: Token] = [:]
        var manual: [String: Token] = [:]
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
        }
        return .done
    }
}
