// What the store's suites share: a database somebody may tamper with, the store as a process, and commits to fill it.

import EventLoop
import Foundation
import Framing
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

/// A state directory with a database, and strangers' hands on it.
struct DatabaseFixture {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/" + SQLiteStorage.fileName
    }

    func open() throws -> SQLiteStorage { try SQLiteStorage.open(directory: folder.path) }

    func openError() -> StorageError? {
        do {
            _ = try open()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    /// Runs SQL on the file, as a stranger would.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    func read<Value: DatabaseValueConvertible>(_ sql: String) throws -> Value? {
        let queue = try DatabaseQueue(path: path)
        return try queue.read { try Value.fetchOne($0, sql: sql) }
    }

    /// Overwrites the pages on which tables or indexes begin.
    func destroy(_ names: String...) throws {
        try tamper("PRAGMA wal_checkpoint(TRUNCATE)")
        let size: Int = try #require(try read("PRAGMA page_size"))
        for name in names {
            let page: Int = try #require(try read("SELECT rootpage FROM sqlite_master WHERE name = '\(name)'"))
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: UInt64((page - 1) * size))
            file.write(Data(repeating: 0xA5, count: size))
            try file.close()
        }
    }

    /// The store as a process on this directory.
    func worker(_ loop: Loop, incarnation: Int = 1) throws -> TestedWorker {
        try TestedWorker(
            loop, program: "flyfleet-store", path: "store", role: .store,
            settings: StoreSettings(directory: folder.path), incarnation: incarnation)
    }
}

/// A commit of cursors alone.
func cursors(_ cursors: KeyValuePairs<String, String>) -> CommitPayload {
    CommitPayload(apps: cursors.map { CommitPayload.App(name: $0.key, cursor: $0.value) })
}

/// A chunk of as many identities, all alike.
func chunk(_ number: UInt64, count: Int = 3, _ identity: UInt64? = nil) -> CommitPayload.Chunk {
    var bytes: [UInt8] = []
    IdentityBytes.append(Array(repeating: identity ?? number, count: count), to: &bytes)
    return CommitPayload.Chunk(number: number, identities: bytes)
}

/// A commit that writes its number everywhere: cursors, memories of the last four commits, positions.
func numbered(_ number: UInt64, apps: [String] = ["web", "api"], sinks: [String] = ["/log/a", "/log/b"])
    -> CommitPayload
{
    CommitPayload(
        sinks: sinks.map { .init(name: $0, position: "\(number)") },
        apps: apps.map {
            .init(
                name: $0, cursor: "\(number)", firstKept: number > 3 ? number - 3 : 0,
                chunks: [chunk(number, count: 100)])
        })
}
