// The history through a real store process: kills, bounds, and the program that reads it beside one.

import EventLoop
import Foundation
import GRDB
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("StoreService history", .serialized) struct StoreHistoryTests {
    private let database: DatabaseFixture

    init() throws {
        database = try DatabaseFixture()
    }

    private func batch(_ sequences: ClosedRange<Int64>) -> RecordExitsRequest {
        RecordExitsRequest(run: "a", exits: sequences.map { exitRecord($0, stderr: ["line \($0)"]) })
    }

    private func sequences(_ store: TestedWorker, path: String? = nil) throws -> [Int64] {
        try store.ask(ExitsRequest(path: path, limit: 100)).get().exits.map(\.record.sequence).reversed()
    }

    @Test("a batch that was written before kill -9 and not answered is recorded once when it is repeated")
    func killedBetweenWriteAndAnswer() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        let stranger = try DatabaseQueue(path: database.path)
        // The answer is never waited for: what is in the file is all that is known of the batch.
        _ = try first.send(batch(1...10))
        var written: Int? = 0
        try first.run(
            until: {
                // Keeps the loop turning.
                first.ping()
                written = try? stranger.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM exits") }
                return written == 10
            }, "ten exits in the file")
        try first.kill()
        let second = try database.worker(loop, incarnation: 2)
        try second.awaitReady()
        #expect(try second.ask(batch(1...12)) == .success(Done()))
        #expect(try sequences(second) == Array(1...12))
        #expect(try second.stop() == .exited(code: 0))
    }

    @Test(
        "a kill in the midst of batches loses none that was answered, and repeating all makes it whole",
        arguments: 0..<5)
    func killedMidWrite(round: Int) throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        let ids = try (0..<50).map { try first.send(batch($0 * 2 + 1...$0 * 2 + 2)) }
        try first.run(until: { first.isAnswered(ids[round * 10]) }, "some answers")
        try first.kill()
        let answered = ids.lastIndex { first.isAnswered($0) } ?? -1
        let second = try database.worker(loop, incarnation: 2)
        try second.awaitReady()
        let kept = try sequences(second)
        #expect(kept == Array(1..<Int64(kept.count) + 1))
        #expect(kept.count >= (answered + 1) * 2 && kept.count % 2 == 0)
        #expect(try second.ask(batch(1...100)) == .success(Done()))
        #expect(try sequences(second) == Array(1...100))
        #expect(try second.stop() == .exited(code: 0))
    }

    @Test("what is sent before the stop frame is recorded before the end")
    func flushedBeforeStop() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        for start in stride(from: Int64(1), to: 100, by: 10) { _ = try first.send(batch(start...start + 9)) }
        #expect(try first.stop() == .exited(code: 0))
        let second = try database.worker(loop, incarnation: 2)
        try second.awaitReady()
        #expect(try sequences(second) == Array(1...100))
        #expect(try second.stop() == .exited(code: 0))
    }

    @Test("parameters out of bounds are refused and change nothing")
    func bounds() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        let count = Failure(.badRequest, "a request records 1 to 100 exits")
        #expect(try store.ask(RecordExitsRequest(run: "a", exits: [])) == .failure(count))
        #expect(try store.ask(batch(1...101)) == .failure(count))
        for run in ["", String(repeating: "a", count: 65)] {
            let request = RecordExitsRequest(run: run, exits: [exitRecord(1)])
            #expect(try store.ask(request) == .failure(Failure(.badRequest, "a run has 1 to 64 bytes")))
        }
        for path in ["", String(repeating: "a", count: 256)] {
            let request = RecordExitsRequest(run: "a", exits: [exitRecord(1), exitRecord(2, path: path)])
            #expect(try store.ask(request) == .failure(Failure(.badRequest, "a path has 1 to 255 bytes")))
        }
        for limit in [0, -1, 101] {
            let request = ExitsRequest(limit: limit)
            #expect(try store.ask(request) == .failure(Failure(.badRequest, "a page has 1 to 100 exits")))
        }
        #expect(try sequences(store) == [])
        let longest = exitRecord(1, path: String(repeating: "a", count: 255))
        let request = RecordExitsRequest(run: String(repeating: "a", count: 64), exits: [longest])
        #expect(try store.ask(request) == .success(Done()))
        #expect(try sequences(store, path: longest.path) == [1])
        #expect(try store.stop() == .exited(code: 0))
    }

    @Test("a damaged history does not keep the store from starting")
    func damaged() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        #expect(try first.ask(batch(1...10)) == .success(Done()))
        #expect(try first.answer(to: first.send(cursors(["web": "7"]))) == .success(Done()))
        #expect(try first.stop() == .exited(code: 0))
        try database.tamper(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'cursors')
                WHERE name = 'exits';
            """)
        let second = try database.worker(loop, incarnation: 2)
        try second.awaitReady()
        #expect(try second.ask(CursorRequest(appName: "web")) == .success(.init(cursor: "7", memory: [])))
        #expect(try sequences(second) == [])
        #expect(try second.ask(batch(11...12)) == .success(Done()))
        #expect(try sequences(second) == [11, 12])
        #expect(try second.stop() == .exited(code: 0))
    }
}
