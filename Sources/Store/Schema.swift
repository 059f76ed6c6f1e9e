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
        """
    ]

    /// Makes the token cache anew; nothing in it is missed for long.
    ///
    /// DROP would walk the damaged pages, and free those that another table may claim too. So the table is only taken
    /// out of the schema; its pages are lost until the file is rewritten.
    static let rebuildCache = """
        PRAGMA writable_schema = ON;
        DELETE FROM sqlite_schema WHERE tbl_name = 'cached_tokens';
        PRAGMA writable_schema = RESET;
        \(tokenTable("cached_tokens"))
        """

    private static func tokenTable(_ name: String) -> String {
        """
        CREATE TABLE \(name) (
            app_name TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL,
            expires_at_ms INTEGER NOT NULL, acquired_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
    }

    /// Applies what is missing, in the transaction the caller has opened.
    ///
    /// - Returns: the version found, if it is newer than this build knows; then nothing was touched.
    static func migrate(_ database: Database) throws -> Int? {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= migrations.count else { return version }
        for migration in migrations[version...] { try database.execute(sql: migration) }
        if version < migrations.count { try database.execute(sql: "PRAGMA user_version = \(migrations.count)") }
        return nil
    }
}
