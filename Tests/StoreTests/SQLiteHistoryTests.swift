// What the history must withstand in its file, and what it must not do to the rest of it: older schemas, damage, speed.

import Foundation
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("SQLiteStorage history") struct SQLiteHistoryTests {
    private let database: DatabaseFixture
    private let folder: TemporaryFolder
    private let manual = token("fm2_by_hand", .manual)

    /// The schema before there was a history, as it was released.
    private static let firstSchema = """
        CREATE TABLE cursors (
            app_name TEXT PRIMARY KEY, cursor TEXT NOT NULL, committed_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE manual_tokens (
            app_name TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL,
            expires_at_ms INTEGER NOT NULL, acquired_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE cached_tokens (
            app_name TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL,
            expires_at_ms INTEGER NOT NULL, acquired_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        INSERT INTO cursors VALUES ('web', '42', 1);
        INSERT INTO manual_tokens VALUES ('web', 'fm2_by_hand', 'manual', 'f', 2000, 1000);
        INSERT INTO cached_tokens VALUES ('web', 'fm2_a', 'command', 'f', 2000, 1000);
        """

    init() throws {
        database = try DatabaseFixture()
        folder = database.folder
    }

    private func fill() throws {
        let answers = try database.open().perform([
            .commit(cursors(["web": "42"]), atMs: 1),
            .putToken(appName: "web", slot: .manual, token: manual),
            .putToken(appName: "web", slot: .cached, token: token("fm2_a")),
            .recordExits((1...100).map { exitRecord($0) }, run: "a"),
        ])
        #expect(answers.allSatisfy { $0 == .success(.done) })
    }

    private func history(_ storage: SQLiteStorage) throws -> [Int64] {
        let answer = try storage.perform([.exits(path: nil, before: nil, limit: 1_000)])[0].get()
        guard case .exits(let exits) = answer else { return [] }
        return exits.map(\.record.sequence)
    }

    @Test("the history is there after the file is opened again")
    func reopened() throws {
        try fill()
        #expect(try history(database.open()) == (1...100).reversed())
    }

    @Test("a database of the schema before gets a history and keeps what it has")
    func migration() throws {
        try database.tamper("PRAGMA journal_mode = WAL; " + Self.firstSchema)
        let storage = try database.open()
        #expect(try database.read("PRAGMA user_version") == 3)
        let answers = storage.perform([
            .cursor(appName: "web"), .tokens(appName: "web"), .recordExits([exitRecord(1)], run: "a"),
        ])
        #expect(
            answers == [
                .success(.cursor("42", memory: [])), .success(.tokens(cached: token("fm2_a"), manual: manual)),
                .success(.done),
            ])
        #expect(try history(storage) == [1])
    }

    @Test("a migrated database has the schema of a new one")
    func migratedSchema() throws {
        let sql = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master ORDER BY name)"
        try database.tamper(Self.firstSchema)
        _ = try database.open()
        let migrated: String? = try database.read(sql)
        let other = try TemporaryFolder()
        _ = try SQLiteStorage.open(directory: other.path)
        let queue = try DatabaseQueue(path: other.path + "/" + SQLiteStorage.fileName)
        let fresh = try queue.read { try String.fetchOne($0, sql: sql) }
        #expect(migrated == fresh)
    }

    @Test("a damaged database of the schema before is refused as it is, not migrated")
    func damagedBeforeMigration() throws {
        try database.tamper("PRAGMA journal_mode = WAL; " + Self.firstSchema)
        try database.destroy("manual_tokens")
        let before = folder.read(SQLiteStorage.fileName)
        #expect(throws: StorageError.self) { try database.open() }
        #expect(folder.read(SQLiteStorage.fileName) == before)
        #expect(try database.read("PRAGMA user_version") == 1)
    }

    @Test("a damaged cache in a database of the schema before is mended and migrated")
    func damagedCacheBeforeMigration() throws {
        try database.tamper("PRAGMA journal_mode = WAL; " + Self.firstSchema)
        try database.destroy("cached_tokens")
        let storage = try database.open()
        let answers = storage.perform([.cursor(appName: "web"), .tokens(appName: "web")])
        #expect(answers == [.success(.cursor("42", memory: [])), .success(.tokens(cached: nil, manual: manual))])
        _ = storage.perform([.recordExits([exitRecord(1)], run: "a")])
        #expect(try history(storage) == [1])
    }

    @Test(
        "a damaged history begins anew, and everything else is as it was",
        arguments: ["exits", "exits_by_path", "sqlite_autoindex_exits_1"])
    func damagedHistory(name: String) throws {
        try fill()
        try database.destroy(name)
        let storage = try database.open()
        let answers = storage.perform([
            .cursor(appName: "web"), .tokens(appName: "web"), .recordExits([exitRecord(101)], run: "a"),
        ])
        #expect(
            answers == [
                .success(.cursor("42", memory: [])), .success(.tokens(cached: token("fm2_a"), manual: manual)),
                .success(.done),
            ])
        #expect(try history(storage) == [101])
        #expect(try database.read("PRAGMA integrity_check") == "ok")
    }

    @Test("a damaged cache of tokens does not cost the history")
    func damagedCache() throws {
        try fill()
        try database.destroy("cached_tokens")
        let storage = try database.open()
        #expect(storage.perform([.tokens(appName: "web")]) == [.success(.tokens(cached: nil, manual: manual))])
        #expect(try history(storage) == (1...100).reversed())
    }

    @Test("damage to both is mended together")
    func damagedBoth() throws {
        try fill()
        try database.destroy("cached_tokens", "exits")
        let storage = try database.open()
        let answers = storage.perform([.cursor(appName: "web"), .tokens(appName: "web")])
        #expect(answers == [.success(.cursor("42", memory: [])), .success(.tokens(cached: nil, manual: manual))])
        #expect(try history(storage) == [])
    }

    @Test("a page that the history and the cache both claim costs them both, and nothing else")
    func sharedPage() throws {
        try fill()
        try database.tamper(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'cached_tokens')
                WHERE name = 'exits_by_path';
            """)
        let storage = try database.open()
        let answers = storage.perform([.cursor(appName: "web"), .tokens(appName: "web")])
        #expect(answers[0] == .success(.cursor("42", memory: [])))
        guard case .success(.tokens(_, manual)) = answers[1] else {
            Issue.record("the token set by hand is not as it was: \(answers[1])")
            return
        }
        #expect(try history(storage) == [])
        #expect(try database.read("PRAGMA integrity_check") == "ok")
    }

    @Test("damage to the history that shows while it is open is told as damage")
    func damagedWhileOpen() throws {
        try fill()
        let storage = try database.open()
        try database.tamper(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'exits';
            PRAGMA schema_version = 99;
            """)
        let answers = storage.perform([
            .commit(cursors(["web": "43"]), atMs: 1), .recordExits([exitRecord(101)], run: "a"),
        ])
        guard case .failure(let error) = answers[1] else {
            Issue.record("it recorded an exit in a table that is not there")
            return
        }
        #expect(error.code == .corrupt)
    }
}
