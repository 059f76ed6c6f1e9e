// The history of exits in SQLite: recorded once however often it is sent, trimmed in the same transaction.
//
// Ids only grow although SQLite gives them out as largest + 1: trimming never takes the newest row. They do not need
// AUTOINCREMENT, whose table would be one more thing that damage can reach.

internal import GRDB
internal import WorkerProtocol

extension SQLiteStorage {
    static func record(_ records: [ExitRecord], run: String, _ database: Database) throws {
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO exits (
                    run, seq, time_ms, path, pid, incarnation, code, signal, core_dumped, out_of_memory, reason, detail,
                    uptime_ms, stderr, dropped_before
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (run, seq) DO NOTHING
                """)
        for record in records.lazy.map(\.bounded) {
            let exit = record.exit
            let stderr = String(decoding: try MessageCoding.encode(record.stderr), as: UTF8.self)
            try insert.execute(arguments: [
                run, record.sequence, record.timeMs, record.path, record.pid, record.incarnation, exit?.code,
                exit?.signal, exit?.coreDumped ?? false, exit?.outOfMemory ?? false, record.reason, record.detail,
                record.uptimeMs, stderr, record.droppedBefore,
            ])
        }
        try trim(Set(records.map(\.path)), database)
    }

    /// Costs a walk over at most ``HistoryLimits/exitsPerPath`` entries of an index for each path, and a count that
    /// reads that index's pages without looking into them.
    private static func trim(_ paths: Set<String>, _ database: Database) throws {
        let trimPath = try database.cachedStatement(
            sql: """
                DELETE FROM exits WHERE path = ?1 AND id <= (
                    SELECT id FROM exits WHERE path = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """)
        for path in paths.sorted() { try trimPath.execute(arguments: [path, HistoryLimits.exitsPerPath]) }
        let count = try Int.fetchOne(try database.cachedStatement(sql: "SELECT count(*) FROM exits")) ?? 0
        guard count > HistoryLimits.exits else { return }
        try database.cachedStatement(
            sql: "DELETE FROM exits WHERE id IN (SELECT id FROM exits ORDER BY id LIMIT ?)"
        ).execute(arguments: [count - HistoryLimits.exits])
    }

    static func exits(path: String?, before: Int64?, limit: Int, _ database: Database) throws -> [StoredExit] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, run, seq, time_ms, path, pid, incarnation, code, signal, core_dumped, out_of_memory, reason,
                    detail, uptime_ms, stderr, dropped_before
                FROM exits WHERE id < ? \(path == nil ? "" : "AND path = ?") ORDER BY id DESC LIMIT ?
                """)
        var arguments: StatementArguments = [before ?? .max]
        if let path { arguments += [path] }
        arguments += [limit]
        return try Row.fetchAll(statement, arguments: arguments).map(exit)
    }

    private static func exit(_ row: Row) -> StoredExit {
        let exit = ExitRecord.Exit(
            code: row["code"], signal: row["signal"], coreDumped: row["core_dumped"],
            outOfMemory: row["out_of_memory"])
        let hasExit = exit.code != nil || exit.signal != nil
        // Lines that are none are no reason to keep the rest from anybody.
        let text: String = row["stderr"]
        let stderr = try? MessageCoding.decode([String].self, from: Array(text.utf8))
        let record = ExitRecord(
            sequence: row["seq"], timeMs: row["time_ms"], path: row["path"], pid: row["pid"],
            incarnation: row["incarnation"], exit: hasExit ? exit : nil, reason: row["reason"],
            detail: row["detail"], uptimeMs: row["uptime_ms"], stderr: stderr ?? [],
            droppedBefore: row["dropped_before"])
        return StoredExit(id: row["id"], run: row["run"], record: record)
    }
}
