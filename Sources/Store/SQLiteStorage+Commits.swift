// Cursors, memory and sinks' positions in SQLite: what a commit writes, and what is read back after a crash.

internal import FoundationEssentials
internal import Framing
internal import GRDB

extension SQLiteStorage {
    /// Reads the whole table's index.
    static func memoryIndex(_ database: Database) throws -> MemoryIndex {
        var index = MemoryIndex()
        let rows = try Row.fetchCursor(
            database, sql: "SELECT id, app_name, number, length(identities) FROM memory ORDER BY id")
        while let row = try rows.next() {
            let chunk = MemoryIndex.Chunk(number: row[2], row: row[0], cost: row[3] + StoreLimits.chunkBytes)
            _ = index.add(chunk, to: row[1])
        }
        return index
    }

    static func cursor(of appName: String, _ index: MemoryIndex, _ database: Database) throws -> StorageAnswer {
        let cursor = try database.cachedStatement(sql: "SELECT cursor FROM cursors WHERE app_name = ?")
        let memory = try database.cachedStatement(sql: "SELECT number, identities FROM memory WHERE id = ?")
        var chunks: [CommitPayload.Chunk] = []
        for id in index.rows(of: appName) {
            guard let row = try Row.fetchOne(memory, arguments: [id]) else { continue }
            let identities: Data = row[1]
            chunks.append(CommitPayload.Chunk(number: UInt64(row[0] as Int64), identities: Array(identities)))
        }
        return .cursor(try String.fetchOne(cursor, arguments: [appName]), memory: chunks)
    }

    static func commit(
        _ commit: CommitPayload, atMs: Int64, _ index: inout MemoryIndex, _ database: Database
    ) throws {
        // Sinks that take part are set right by their own row.
        if !commit.apps.isEmpty {
            try database.cachedStatement(sql: "UPDATE sinks SET missed_commits = 1 WHERE missed_commits = 0").execute()
        }
        for sink in commit.sinks { try place(sink.name, sink.position, atMs: atMs, database) }
        let upsert = try database.cachedStatement(
            sql: """
                INSERT INTO cursors (app_name, cursor, committed_at_ms) VALUES (?, ?, ?)
                ON CONFLICT (app_name) DO UPDATE SET
                    cursor = excluded.cursor, committed_at_ms = excluded.committed_at_ms
                """)
        for app in commit.apps {
            if !app.cursor.isEmpty { try upsert.execute(arguments: [app.name, app.cursor, atMs]) }
            try remember(app, &index, database)
        }
    }

    private static func remember(_ app: CommitPayload.App, _ index: inout MemoryIndex, _ database: Database) throws {
        let delete = try database.cachedStatement(sql: "DELETE FROM memory WHERE id = ?")
        let insert = try database.cachedStatement(
            sql: "INSERT INTO memory (app_name, number, identities) VALUES (?, ?, ?)")
        for row in index.remove(before: app.firstKept, of: app.name) { try delete.execute(arguments: [row]) }
        for chunk in app.chunks where chunk.number >= app.firstKept {
            let number = Int64(chunk.number)
            try insert.execute(arguments: [app.name, number, Data(chunk.identities)])
            let place = MemoryIndex.Chunk(number: number, row: database.lastInsertedRowID, cost: chunk.cost)
            // A commit whose answer was lost comes again.
            if let row = index.add(place, to: app.name) { try delete.execute(arguments: [row]) }
        }
        let cost = index.cost(of: app.name)
        guard cost <= StoreLimits.memoryBytes else { throw StorageError.memoryTooLarge(app.name, cost) }
    }

    static func sinkPosition(_ name: String, _ database: Database) throws -> StorageAnswer {
        let statement = try database.cachedStatement(sql: "SELECT position, missed_commits FROM sinks WHERE name = ?")
        guard let row = try Row.fetchOne(statement, arguments: [name]) else {
            return .sinkPosition(nil, missedCommits: false)
        }
        return .sinkPosition(row[0], missedCommits: row[1])
    }

    static func place(_ sink: String, _ position: String, atMs: Int64, _ database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO sinks (name, position, missed_commits, committed_at_ms) VALUES (?, ?, 0, ?)
                ON CONFLICT (name) DO UPDATE SET
                    position = excluded.position, missed_commits = 0, committed_at_ms = excluded.committed_at_ms
                """
        ).execute(arguments: [sink, position, atMs])
    }
}
