// The database's tables and how an older database becomes a current one.
//
// The version is SQLite's own `user_version`: the number of migrations that were applied. A migration is never edited
// once it was released; changes are new migrations at the end.

internal import GRDB

/// The schema of `flyfleet.sqlite`.
enum Schema {
    /// Tokens set by hand stand apart from cached ones: the cache may be thrown away, they may not.
    static let migrations: [String] = [
        """
        CREATE TABLE cursors (
            app_name TEXT PRIMARY KEY, cursor TEXT NOT NULL, committed_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        \(tokenTable("manual_tokens"))
        \(tokenTable("cached_tokens"))
        """,
        exitsTable,
        """
        CREATE TABLE memory (
            id INTEGER PRIMARY KEY, app_name TEXT NOT NULL, number INTEGER NOT NULL, identities BLOB NOT NULL
        ) STRICT;
        CREATE TABLE sinks (
            name TEXT PRIMARY KEY, position TEXT NOT NULL, missed_commits INTEGER NOT NULL,
            committed_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
    ]

    /// The version that has a history.
    static let historyVersion = 2

    /// Tables whose loss is never accepted, with the version they came with: nobody could set a token by hand again but
    /// the hand, and without its cursor, memory or position a stream would leave lines out or repeat them.
    static let irreplaceable = [
        (name: "manual_tokens", version: 1), (name: "cursors", version: 1), (name: "memory", version: 3),
        (name: "sinks", version: 3),
    ]

    /// Tables that may be thrown away when they are damaged, with what makes them anew: a token is acquired again, and
    /// what is lost of the history nobody waits for.
    static let replaceable = [
        (name: "cached_tokens", definition: tokenTable("cached_tokens")), (name: "exits", definition: exitsTable),
    ]

    /// Makes a table anew, empty.
    ///
    /// DROP would walk the damaged pages, and free those that another table may claim too. So the table is only taken
    /// out of the schema; its pages are lost until the file is rewritten.
    static func rebuild(_ table: (name: String, definition: String)) -> String {
        """
        PRAGMA writable_schema = ON;
        DELETE FROM sqlite_schema WHERE tbl_name = '\(table.name)';
        PRAGMA writable_schema = RESET;
        \(table.definition)
        """
    }

    /// The number of migrations that were applied.
    static func version(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    }

    private static func tokenTable(_ name: String) -> String {
        """
        CREATE TABLE \(name) (
            app_name TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL,
            expires_at_ms INTEGER NOT NULL, acquired_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
    }

    /// A row for each exit; `uptime_ms` is NULL for a process that never was ready, `stderr` a JSON array of lines.
    private static let exitsTable = """
        CREATE TABLE exits (
            id INTEGER PRIMARY KEY, run TEXT NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
            path TEXT NOT NULL, pid INTEGER, incarnation INTEGER NOT NULL, code INTEGER, signal TEXT,
            core_dumped INTEGER NOT NULL, out_of_memory INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT,
            uptime_ms INTEGER, stderr TEXT NOT NULL, dropped_before INTEGER NOT NULL, UNIQUE (run, seq)
        ) STRICT;
        CREATE INDEX exits_by_path ON exits (path, id);
        """

    /// Applies what is missing, in the transaction the caller has opened.
    static func migrate(_ database: Database) throws {
        let version = try version(database)
        guard version < migrations.count else { return }
        for migration in migrations[version...] { try database.execute(sql: migration) }
        try database.execute(sql: "PRAGMA user_version = \(migrations.count)")
    }
}
