// What commits must withstand in the file: reopening, older schemas, damage, one writer at a time, a full disk.

import Foundation
import Framing
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("SQLiteStorage commits") struct SQLiteCommitTests {
    private let database: DatabaseFixture

    init() throws {
        database = try DatabaseFixture()
    }

    /// All that says which commit was the last.
    private func state(_ storage: SQLiteStorage) throws -> [StorageAnswer] {
        try storage.perform([
            .cursor(appName: "web"), .cursor(appName: "api"), .sinkPosition(sink: "/log/a"),
            .sinkPosition(sink: "/log/b"),
        ]).map { try $0.get() }
    }

    private func expected(_ number: UInt64) -> [StorageAnswer] {
        let memory = (max(number, 4) - 3...number).map { chunk($0, count: 100) }
        return [
            .cursor("\(number)", memory: memory), .cursor("\(number)", memory: memory),
            .sinkPosition("\(number)", missedCommits: false), .sinkPosition("\(number)", missedCommits: false),
        ]
    }

    @Test("cursors, memory and positions are there after the file is opened again, over many commits")
    func reopened() throws {
        for round in 0..<3 {
            let storage = try database.open()
            let commits = (1...50).map { StorageOperation.commit(numbered(UInt64(round * 50 + $0)), atMs: 1) }
            #expect(storage.perform(commits).allSatisfy { $0 == .success(.done) })
        }
        #expect(try state(database.open()) == expected(150))
        #expect(try database.read("SELECT count(*) FROM memory") == 8)
        #expect(try database.read("PRAGMA integrity_check") == "ok")
    }

    @Test("a commit that comes again after the file was opened again takes no more room", arguments: [1, 2, 4])
    func repeated(last: UInt64) throws {
        let commits = (1...last).map { StorageOperation.commit(numbered($0), atMs: 1) }
        for _ in 0..<3 {
            let storage = try database.open()
            #expect(storage.perform(commits).allSatisfy { $0 == .success(.done) })
            #expect(storage.perform(commits.suffix(1)) == [.success(.done)])
        }
        #expect(try state(database.open()) == expected(last))
        #expect(try database.read("SELECT count(*) FROM memory") == Int(2 * last))
    }

    @Test("a new database has small pages, an older one keeps its own and its content")
    func pageSize() throws {
        _ = try database.open()
        #expect(try database.read("PRAGMA page_size") == 1024)
        let older = try DatabaseFixture()
        try older.tamper(
            "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA user_version = 0; CREATE TABLE x (y)")
        let storage = try older.open()
        #expect(storage.perform([.commit(numbered(1), atMs: 1)]) == [.success(.done)])
        #expect(try older.read("PRAGMA page_size") == 4096)
        #expect(try state(storage) == expected(1))
    }

    @Test("a transaction that fails leaves no trace, in the file or beside it")
    func rolledBack() throws {
        let storage = try database.open()
        _ = storage.perform([.commit(numbered(1), atMs: 1)])
        try database.tamper(
            "CREATE TRIGGER refuse BEFORE INSERT ON cursors WHEN NEW.app_name = 'api' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        for answer in storage.perform([.commit(numbered(2), atMs: 1)]) {
            guard case .failure(let error) = answer else {
                Issue.record("a commit went through although its trigger refuses it")
                return
            }
            #expect(error.code == .unavailable)
        }
        #expect(try state(storage) == expected(1))
        try database.tamper("DROP TRIGGER refuse")
        #expect(storage.perform([.commit(numbered(2), atMs: 1)]) == [.success(.done)])
        #expect(try state(storage) == expected(2))
    }

    @Test("damage to what may be replaced does not cost a commit", arguments: ["exits", "cached_tokens"])
    func damagedElsewhere(table: String) throws {
        _ = try database.open().perform((1...9).map { .commit(numbered($0), atMs: 1) })
        try database.destroy(table)
        #expect(try state(database.open()) == expected(9))
    }

    @Test("a table that is missing is damage too", arguments: ["memory", "sinks"])
    func missingTable(table: String) throws {
        _ = try database.open().perform([
            .commit(numbered(1), atMs: 1), .recordExits([exitRecord(1)], run: "a"),
        ])
        try database.tamper("DROP TABLE \(table)")
        try database.destroy("exits")
        let error = try #require(database.openError())
        #expect(error.code == .corrupt)
        #expect(error.description.contains("the table \(table) is missing"))
    }

    @Test("a second store waits for the first, and says who has it when that stays")
    func oneWriter() throws {
        let first = try database.open()
        do {
            _ = try SQLiteStorage.open(directory: database.folder.path, patience: .milliseconds(20))
            Issue.record("two stores have one database")
        } catch {
            #expect(error.code == .unavailable)
            #expect(
                error.description == "\(database.path) belongs to another store, pid \(getpid()), which holds "
                    + "\(database.path)-lock: end it or wait")
        }
        #expect(first.perform([.commit(numbered(1), atMs: 1)]) == [.success(.done)])
        let attributes = try FileManager.default.attributesOfItem(atPath: database.path + "-lock")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("a database that may not grow refuses what does not fit, keeps what it has, and goes on with room")
    func full() throws {
        let storage = try database.open()
        _ = storage.perform([.commit(numbered(1), atMs: 1)])
        let pages: Int = try #require(try database.read("PRAGMA page_count"))
        storage.limitPages(pages + 4)
        let large = CommitPayload(
            sinks: [.init(name: "/log/a", position: "2"), .init(name: "/log/b", position: "2")],
            apps: [.init(name: "web", cursor: "2", chunks: [chunk(2, count: 1_000)])])
        let refused = StorageError(
            .unavailable, "could not write \(database.path): the disk is full; free some space")
        let answers = storage.perform([.commit(large, atMs: 1), .tokens(appName: "web")])
        #expect(answers == [.failure(refused), .success(.tokens(cached: nil, manual: nil))])
        #expect(try state(storage) == expected(1))
        storage.limitPages(1_000_000)
        #expect(storage.perform([.commit(numbered(2), atMs: 1)]) == [.success(.done)])
        #expect(try state(storage) == expected(2))
    }
}
