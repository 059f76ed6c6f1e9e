// Commits through a real store process: kills at any moment, one store at a time, limits, a file that may not grow.

import EventLoop
import Foundation
import Framing
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("StoreService commits", .serialized) struct StoreCommitTests {
    private let database: DatabaseFixture

    init() throws {
        database = try DatabaseFixture()
    }

    /// The number of the last commit, which must be everywhere; 0 before the first.
    private func lastCommit(_ store: TestedWorker) throws -> UInt64 {
        let web = try store.ask(CursorRequest(appName: "web")).get()
        let last = web.cursor.flatMap { UInt64($0) } ?? 0
        #expect(try store.ask(CursorRequest(appName: "api")).get() == web)
        for sink in ["/log/a", "/log/b"] {
            let position = try store.ask(SinkPositionRequest(sink: sink)).get()
            #expect(position == .init(position: last == 0 ? nil : "\(last)", missedCommits: false))
        }
        let chunks = (web.memory ?? []).map { CommitPayload.Chunk(number: $0.number, identities: Array($0.identities)) }
        #expect(chunks == (max(last, 4) - 3..<last + 1).filter { $0 > 0 }.map { chunk($0, count: 100) })
        return last
    }

    @Test("a kill at any moment leaves cursors, positions and memory of one commit, none before an answered one")
    func killed() throws {
        let loop = try Loop()
        var generator = SystemRandomNumberGenerator()
        var next: UInt64 = 1
        for round in 1...12 {
            let store = try database.worker(loop, incarnation: round)
            try store.awaitReady()
            let ids = (0..<200).map { store.send(numbered(next + $0)) }
            let enough = ids[Int.random(in: 0..<200, using: &generator)]
            try store.run(until: { store.isAnswered(enough) }, "some answers")
            try store.kill()
            let answered = UInt64((ids.lastIndex { store.isAnswered($0) } ?? -1) + 1)
            let reader = try database.worker(loop, incarnation: round + 100)
            try reader.awaitReady()
            let last = try lastCommit(reader)
            #expect(last >= next - 1 + answered && last < next + 200)
            try reader.kill()
            next = last + 1
        }
        #expect(try database.read("PRAGMA integrity_check") == "ok")
    }

    @Test("a second store is ready only when the first is gone, and sees its last commit")
    func successor() throws {
        let loop = try Loop()
        let first = try database.worker(loop)
        try first.awaitReady()
        let second = try database.worker(loop, incarnation: 2)
        let asked = try second.send(CursorRequest(appName: "web"))
        for number in 1...50 { #expect(try first.answer(to: first.send(numbered(UInt64(number)))) == .success(Done())) }
        second.ping()
        try second.run(until: { second.pongs == 1 }, "a pong of the one that waits")
        #expect(!second.isReady && !second.isAnswered(asked))
        try first.kill()
        try second.awaitReady()
        #expect(try second.answer(CursorRequest.self, to: asked).get().cursor == "50")
        #expect(try lastCommit(second) == 50)
        #expect(try second.stop() == .exited(code: 0))
    }

    @Test("commits out of bounds, and bytes that are none, are refused and change nothing")
    func bounds() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        func refusal(_ commit: CommitPayload) throws -> Failure? {
            guard case .failure(let failure) = try store.answer(to: store.send(commit)) else { return nil }
            return failure
        }
        let name = Failure(.badRequest, "an app name has 1 to 63 bytes")
        for app in ["", String(repeating: "a", count: 64)] {
            #expect(try refusal(cursors(["web": "1", app: "1"])) == name)
        }
        let sink = Failure(.badRequest, "a sink's name has 1 to 4096 bytes")
        for path in ["", String(repeating: "a", count: 4_097)] {
            #expect(try refusal(numbered(1, sinks: ["/log/a", path])) == sink)
            #expect(try store.ask(SinkPositionRequest(sink: path)) == .failure(sink))
            #expect(try store.ask(PlaceSinkRequest(sink: path, position: "1")) == .failure(sink))
        }
        let position = Failure(.badRequest, "a position has 1 to 255 bytes")
        #expect(try refusal(CommitPayload(sinks: [.init(name: "/log/a", position: "")])) == position)
        for text in ["", String(repeating: "a", count: 256)] {
            #expect(try store.ask(PlaceSinkRequest(sink: "/log/a", position: text)) == .failure(position))
        }
        var payload = numbered(1)
        payload.apps[0].chunks[0].number = UInt64(Int64.max) + 1
        #expect(
            try refusal(payload) == Failure(.badRequest, "a chunk's number is at most 9223372036854775807"))
        let cut = store.send(frame: .commit, payload: Array(numbered(1).encode().dropLast()))
        guard case .failure(let failure) = try store.answer(to: cut) else {
            Issue.record("half a commit was taken")
            return
        }
        #expect(failure.code == .badRequest && failure.message.contains("it ends within identities"))
        #expect(try lastCommit(store) == 0)
        let longest = CommitPayload(
            sinks: [
                .init(name: String(repeating: "a", count: 4_096), position: String(repeating: "p", count: 255))
            ],
            apps: [.init(name: String(repeating: "a", count: 63), cursor: String(repeating: "c", count: 255))])
        #expect(try store.answer(to: store.send(longest)) == .success(Done()))
        #expect(
            try store.ask(SinkPositionRequest(sink: longest.sinks[0].name)).get().position == longest.sinks[0].position)
        #expect(try store.ask(CursorRequest(appName: longest.apps[0].name)).get().cursor == longest.apps[0].cursor)
        #expect(try store.stop() == .exited(code: 0))
    }

    /// Says how large files may become that a running process writes.
    private func limitFileSize(of store: TestedWorker, _ bytes: String) throws {
        let tool = try Process.run(
            URL(fileURLWithPath: "/usr/bin/prlimit"),
            arguments: ["--pid", "\(store.pid)", "--fsize=\(bytes):unlimited"])
        tool.waitUntilExit()
        #expect(tool.terminationStatus == 0)
    }

    @Test("where its file may not grow it says so once, lives on, and says once that it works again")
    func full() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        #expect(try store.answer(to: store.send(numbered(1))) == .success(Done()))
        // The log has more than this already: there is no room for another page.
        try limitFileSize(of: store, "4096")
        for _ in 0..<5 {
            guard case .failure(let failure) = try store.answer(to: store.send(numbered(2))) else {
                Issue.record("a commit was written where nothing may be written")
                return
            }
            #expect(failure.code == .unavailable && failure.message.contains("could not write \(database.path)"))
        }
        #expect(try store.ask(CursorRequest(appName: "web")).get().cursor == "1")
        try limitFileSize(of: store, "unlimited")
        #expect(try store.answer(to: store.send(numbered(2))) == .success(Done()))
        #expect(try store.answer(to: store.send(numbered(3))) == .success(Done()))
        #expect(try lastCommit(store) == 3)
        #expect(try store.stop() == .exited(code: 0))
        let said = store.errorText.split(separator: "\n")
        #expect(said.count == 2 && said[0].contains("could not write") && said[1].contains("can be written again"))
    }

    @Test("where only the log has no room it is moved into the database, and nobody notices")
    func fullLog() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        // A hundredth of what the commits write.
        try limitFileSize(of: store, "65536")
        for number in UInt64(1)...500 {
            #expect(try store.answer(to: store.send(numbered(number))) == .success(Done()))
        }
        #expect(try lastCommit(store) == 500)
        #expect(try store.stop() == .exited(code: 0))
        #expect(store.errorText == "")
    }

    @Test("a thousand memories asked for at once all come, whole")
    func manyMemories() throws {
        let loop = try Loop()
        let store = try database.worker(loop)
        try store.awaitReady()
        let apps = (0..<1_000).map { "app-\($0)" }
        for number in UInt64(1)...4 {
            #expect(try store.answer(to: store.send(numbered(number, apps: apps))) == .success(Done()))
        }
        let ids = try apps.map { try store.send(CursorRequest(appName: $0)) }
        let whole = try store.ask(CursorRequest(appName: apps[0])).get()
        #expect(whole.memory?.count == 4)
        for id in ids { #expect(try store.answer(CursorRequest.self, to: id) == .success(whole)) }
        #expect(try store.stop() == .exited(code: 0))
    }
}
