// The store as a real process: order, kills, and what it says when it cannot start.

import EventLoop
import Foundation
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("StoreService", .serialized) struct StoreWorkerTests {
    private let database: DatabaseFixture

    init() throws {
        database = try DatabaseFixture()
    }

    @Test("requests sent without waiting are served in their order")
    func order() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        var reads: [(id: UInt32, cursor: String)] = []
        for number in 1...500 {
            _ = store.send(cursors(["web": "\(number)"]))
            reads.append((try store.send(CursorRequest(appName: "web")), "\(number)"))
        }
        store.ping()
        for (id, cursor) in reads {
            #expect(try store.answer(CursorRequest.self, to: id) == .success(.init(cursor: cursor, memory: [])))
        }
        try store.run(until: { store.pongs == 1 }, "a pong")
        #expect(try store.stop() == .exited(code: 0))
        #expect(store.saidGoodbye)
    }

    @Test("all that was answered is there after kill -9")
    func killed() throws {
        let loop = try Loop()
        let stored = token("fm2_a")
        let first = try database.worker(loop)
        try first.awaitReady()
        #expect(try first.answer(to: first.send(cursors(["web": "1", "api": "2"]))) == .success(Done()))
        let put = StoreTokenRequest(appName: "web", slot: .cached, token: stored)
        #expect(try first.ask(put) == .success(Done()))
        try first.kill()
        let second = try database.worker(loop, incarnation: 2)
        try second.awaitReady()
        #expect(try second.ask(CursorRequest(appName: "api")) == .success(.init(cursor: "2", memory: [])))
        #expect(try second.ask(StoredTokensRequest(appName: "web")) == .success(.init(cached: stored, manual: nil)))
        let forget = ForgetTokenRequest(appName: "web", fingerprint: stored.fingerprint)
        #expect(try second.ask(forget) == .success(Done()))
        #expect(try second.ask(StoredTokensRequest(appName: "web")) == .success(.init(cached: nil, manual: nil)))
        #expect(try second.stop() == .exited(code: 0))
    }

    @Test("what is asked before the stop is done before the end")
    func stopAfterWork() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        let ids = (1...100).map { first.send(cursors(["web": "\($0)"])) }
        #expect(try first.stop() == .exited(code: 0))
        #expect(ids.allSatisfy { first.isAnswered($0) })
        #expect(first.saidGoodbye)
    }

    @Test("parameters out of bounds are refused and change nothing")
    func bounds() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        let app64 = String(repeating: "a", count: 64)
        let name = Failure(.badRequest, "an app name has 1 to 63 bytes")
        #expect(try store.ask(CursorRequest(appName: "")) == .failure(name))
        #expect(try store.ask(StoredTokensRequest(appName: app64)) == .failure(name))
        for count in [0, 65_537] {
            let put = StoreTokenRequest(
                appName: "web", slot: .manual, token: token(String(repeating: "a", count: count)))
            #expect(try store.ask(put) == .failure(Failure(.badRequest, "a token has 1 to 65536 bytes")))
        }
        #expect(try store.ask(CursorRequest(appName: "web")) == .success(.init(cursor: nil, memory: [])))
        #expect(try store.ask(StoredTokensRequest(appName: "web")) == .success(.init(cached: nil, manual: nil)))
        let longest = StoreTokenRequest(
            appName: String(app64.dropLast()), slot: .manual, token: token(String(repeating: "a", count: 65_536)))
        #expect(try store.ask(longest) == .success(Done()))
        #expect(try store.stop() == .exited(code: 0))
    }

    @Test("damage that shows while it runs ends it, and the next start says what to do")
    func damagedWhileRunning() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        let manual = token("fm2_by_hand", .manual)
        let put = StoreTokenRequest(appName: "web", slot: .manual, token: manual)
        #expect(try first.ask(put) == .success(Done()))
        try database.tamper(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'cached_tokens';
            PRAGMA schema_version = 99;
            """)
        _ = try first.send(StoredTokensRequest(appName: "web"))
        #expect(try first.awaitExit() == .exited(code: WorkerExit.unavailable))
        #expect(first.errorText.contains("is damaged"))
        // The schema itself is damaged, so nothing in the file can be told apart any more.
        let second = try database.worker(loop, incarnation: 2)
        #expect(try second.awaitExit() == .exited(code: WorkerExit.configuration))
        #expect(second.errorText.contains("move it away"))
    }

    @Test("with a file that is no database it exits with 78 and one line that names it")
    func corrupt() throws {
        try database.folder.write(SQLiteStorage.fileName, String(repeating: "no database ", count: 1000))
        let loop = try Loop()
        let store = try database.worker(loop)
        #expect(try store.awaitExit() == .exited(code: WorkerExit.configuration))
        #expect(store.errorText.split(separator: "\n").count == 1)
        #expect(store.errorText.contains("\(database.folder.path)/flyfleet.sqlite is damaged"))
        #expect(store.errorText.contains("move it away"))
        #expect(!store.isReady)
    }
}
