// Where the chunks of every app's memory lie in the table, and how much of it there is.
//
// The table is a log without an index of its own: chunks of all apps are appended at its end and deleted at its
// beginning, so that a transaction over many apps writes a few pages, not one for each. The index is here, read once at
// the opening; only the process that holds the lock changes the table.
//
// Invariant: it says what the last committed transaction left. A transaction works on a copy, which takes its place
// once that is committed.

internal import Framing

struct MemoryIndex: Equatable, Sendable {
    struct Chunk: Equatable, Sendable {
        let number: Int64
        /// The row's id.
        let row: Int64
        let cost: Int
    }

    /// One app's chunks.
    private struct App: Equatable, Sendable {
        /// By number.
        var chunks: [Chunk] = []
        var cost = 0

        mutating func add(_ chunk: Chunk) -> Int64? {
            cost += chunk.cost
            // Chunks nearly always come in their order.
            let place = chunks.lastIndex { $0.number <= chunk.number }
            guard let place, chunks[place].number == chunk.number else {
                chunks.insert(chunk, at: place.map { $0 + 1 } ?? 0)
                return nil
            }
            let replaced = chunks[place]
            chunks[place] = chunk
            cost -= replaced.cost
            return replaced.row
        }
    }

    private var apps: [String: App] = [:]

    /// An app's rows, oldest chunk first.
    func rows(of appName: String) -> [Int64] { apps[appName]?.chunks.map(\.row) ?? [] }

    /// What an app's chunks count against ``StoreLimits/memoryBytes``.
    func cost(of appName: String) -> Int { apps[appName]?.cost ?? 0 }

    /// Adds a chunk.
    ///
    /// - Returns: the row of the chunk whose place it takes, if there was one of its number.
    mutating func add(_ chunk: Chunk, to appName: String) -> Int64? {
        apps[appName, default: App()].add(chunk)
    }

    /// Takes out an app's chunks before `firstKept`.
    ///
    /// - Returns: their rows.
    mutating func remove(before firstKept: UInt64, of appName: String) -> [Int64] {
        guard let app = apps[appName] else { return [] }
        let gone = app.chunks.prefix { UInt64($0.number) < firstKept }
        guard !gone.isEmpty else { return [] }
        apps[appName] =
            gone.count == app.chunks.count
            ? nil
            : App(
                chunks: Array(app.chunks.dropFirst(gone.count)), cost: gone.reduce(app.cost) { $0 - $1.cost })
        return gone.map(\.row)
    }
}
