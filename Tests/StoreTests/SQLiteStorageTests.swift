// What the database file itself must withstand: reopening, strangers' eyes, newer versions, damage, a held lock.

import Foundation
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("SQLiteStorage") struct SQLiteStorageTests {
    private let database: DatabaseFixture
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        database = try DatabaseFixture()
        folder = database.folder
        path = database.path
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)[.posixPermissions] as? Int
    }

    @Test("what was committed is there after the file is opened again")
    func reopened() throws {
        let manual = token("fm2_by_hand", .manual)
        do {
            let storage = try database.open()
            _ = storage.perform([
                .commit(cursors(["web": "42"]), atMs: 1),
                .putToken(appName: "web", slot: .cached, token: token("fm2_a")),
                .putToken(appName: "web", slot: .manual, token: manual),
            ])
        }
        let answers = try database.open().perform([.cursor(appName: "web"), .tokens(appName: "web")])
        #expect(
            answers == [.success(.cursor("42", memory: [])), .success(.tokens(cached: token("fm2_a"), manual: manual))])
    }

    @Test("database, journal and shared memory are for their owner alone, also when the file was open to others before")
    func modes() throws {
        try folder.write(SQLiteStorage.fileName, "")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let storage = try database.open()
        _ = storage.perform([.putToken(appName: "web", slot: .cached, token: token("fm2_a"))])
        #expect(try mode("flyfleet.sqlite") == 0o600)
        #expect(try mode("flyfleet.sqlite-wal") == 0o600)
        #expect(try mode("flyfleet.sqlite-shm") == 0o600)
        withExtendedLifetime(storage) {}
    }

    @Test("it keeps a write-ahead log, one schema version, and the two kinds of tokens apart")
    func layout() throws {
        _ = try database.open()
        #expect(try database.read("PRAGMA journal_mode") == "wal")
        #expect(try database.read("PRAGMA user_version") == 3)
        let tables: String? = try database.read(
            "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)")
        #expect(tables == "cached_tokens,cursors,exits,manual_tokens,memory,sinks")
    }

    @Test(
        "after forgetting, the secret is in no file of the database, however long it was", arguments: [20, 400, 5_000])
    func secureDelete(count: Int) throws {
        let secret = "fm2_" + String(repeating: "unmistakable", count: count)
        let storage = try database.open()
        _ = storage.perform([.putToken(appName: "web", slot: .cached, token: token(secret))])
        let files = ["flyfleet.sqlite", "flyfleet.sqlite-wal"]
        let holds = {
            files.contains { String(decoding: folder.read($0) ?? [], as: UTF8.self).contains("unmistakable") }
        }
        #expect(holds())
        // Commits are deleted with less care, which must not stay with the next one to delete.
        _ = storage.perform([.commit(numbered(1), atMs: 1)])
        _ = storage.perform([.forgetToken(appName: "web", fingerprint: token(secret).fingerprint)])
        #expect(!holds())
        withExtendedLifetime(storage) {}
    }

    @Test("a database of a newer flyfleet is refused and left as it is")
    func newerSchema() throws {
        _ = try database.open()
        try database.tamper("PRAGMA user_version = 4; PRAGMA wal_checkpoint(TRUNCATE)")
        let error = try #require(database.openError())
        #expect(error.code == .newerSchema)
        #expect(
            error.description == "\(path) was written by a newer flyfleet (schema 4, this one knows 3): "
                + "use that flyfleet, or another --state-dir")
        #expect(try database.read("PRAGMA user_version") == 4)
    }

    @Test("a file that is no database is refused, named, and left as it is")
    func notADatabase() throws {
        let content = String(repeating: "this is not a database. ", count: 500)
        try folder.write(SQLiteStorage.fileName, content)
        let error = try #require(database.openError())
        #expect(error.code == .corrupt)
        #expect(error.description.contains(path))
        #expect(error.description.contains("move it away"))
        #expect(!error.description.contains("\n"))
        #expect(folder.read(SQLiteStorage.fileName) == Array(content.utf8))
    }

    @Test(
        "damage to what cannot be replaced is refused and left as it is",
        arguments: ["manual_tokens", "cursors", "memory", "sinks"])
    func irreplaceable(table: String) throws {
        _ = try database.open().perform([
            .commit(numbered(42), atMs: 1),
            .putToken(appName: "web", slot: .manual, token: token("fm2_by_hand", .manual)),
        ])
        try database.destroy(table)
        let before = folder.read(SQLiteStorage.fileName)
        let error = try #require(database.openError())
        #expect(error.code == .corrupt)
        #expect(error.description.contains(path))
        #expect(folder.read(SQLiteStorage.fileName) == before)
    }

    @Test("a damaged cache of tokens is made anew, and the rest is as it was")
    func damagedCache() throws {
        let manual = token("fm2_by_hand", .manual)
        _ = try database.open().perform([
            .commit(cursors(["web": "42"]), atMs: 1),
            .putToken(appName: "web", slot: .manual, token: manual),
            .putToken(appName: "web", slot: .cached, token: token("fm2_a")),
        ])
        try database.destroy("cached_tokens")
        let storage = try database.open()
        let answers = storage.perform([
            .cursor(appName: "web"), .tokens(appName: "web"),
            .putToken(appName: "web", slot: .cached, token: token("fm2_b")), .tokens(appName: "web"),
        ])
        #expect(
            answers == [
                .success(.cursor("42", memory: [])), .success(.tokens(cached: nil, manual: manual)), .success(.done),
                .success(.tokens(cached: token("fm2_b"), manual: manual)),
            ])
    }

    @Test("a directory that is not there is named")
    func noDirectory() {
        do {
            _ = try SQLiteStorage.open(directory: folder.path + "/missing")
            Issue.record("it opened a database in a directory that does not exist")
        } catch {
            #expect(error.code == .cannotOpen)
            #expect(error.description.contains("missing/flyfleet.sqlite: No such file or directory"))
        }
    }

    @Test("one operation that cannot be done does not keep its batch from it")
    func oneFails() throws {
        let storage = try database.open()
        try database.tamper("DROP TABLE manual_tokens")
        let answers = storage.perform([
            .commit(cursors(["web": "1"]), atMs: 1), .tokens(appName: "web"),
            .cursor(appName: "web"),
        ])
        #expect(answers[0] == .success(.done))
        #expect(answers[2] == .success(.cursor("1", memory: [])))
        guard case .failure(let error) = answers[1] else {
            Issue.record("tokens were read from a table that does not exist")
            return
        }
        #expect(error.description.contains(path))
    }

    @Test("a lock that a dying predecessor holds is waited for")
    func heldLock() throws {
        let storage = try database.open()
        let other = try DatabaseQueue(path: path)
        let started = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        other.asyncWriteWithoutTransaction { database in
            try? database.execute(sql: "BEGIN IMMEDIATE")
            started.signal()
            release.wait()
            try? database.execute(sql: "COMMIT")
        }
        started.wait()
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let answers = storage.perform([.commit(cursors(["web": "9"]), atMs: 1)])
            #expect(answers == [.success(.done)])
            done.signal()
        }
        // It cannot have got the lock: whoever holds it waits for the next line.
        #expect(done.wait(timeout: .now() + .milliseconds(20)) == .timedOut)
        release.signal()
        #expect(done.wait(timeout: .now() + .seconds(10)) == .success)
        #expect(storage.perform([.cursor(appName: "web")]) == [.success(.cursor("9", memory: []))])
    }
}
