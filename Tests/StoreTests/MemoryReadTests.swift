// Memories that are asked for all at once, each of them another one: they are read a few at a time.

import EventLoop
import Foundation
import Framing
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("Memories asked for at once", .serialized) struct MemoryReadTests {
    /// What an app's memory holds here: as many chunks and identities as only this one has.
    private static func chunks(of app: Int) -> [CommitPayload.Chunk] {
        (1...UInt64(app % 7 + 1)).map { chunk($0, count: 100 + app, UInt64(app) << 32 | $0) }
    }

    @Test(
        "a hundred apps get each its own cursor and memory, while commits go on between", arguments: [63, 64, 65, 100])
    func each(count: Int) throws {
        let loop = try Loop()
        let database = try DatabaseFixture()
        let store = try database.worker(loop)
        try store.awaitReady()
        let apps = CommitPayload(
            apps: (0..<count).map { .init(name: "app-\($0)", cursor: "\(1_000 + $0)", chunks: Self.chunks(of: $0)) })
        #expect(try store.answer(to: store.send(apps)) == .success(Done()))
        let others = store.send(cursors(["other": "5"]))
        let ids = try (0..<count).map { try store.send(CursorRequest(appName: "app-\($0)")) }
        let later = store.send(cursors(["app-0": "7", "other": "6"]))
        let unknown = try store.send(CursorRequest(appName: "unknown"))
        #expect(try store.answer(to: others) == .success(Done()))
        for (app, id) in ids.enumerated() {
            let reply = try store.answer(CursorRequest.self, to: id).get()
            #expect(reply.cursor == "\(1_000 + app)", "app-\(app): as it was when it was asked for")
            let memory = (reply.memory ?? []).map {
                CommitPayload.Chunk(number: $0.number, identities: Array($0.identities))
            }
            #expect(memory == Self.chunks(of: app), "app-\(app)")
        }
        #expect(try store.answer(to: later) == .success(Done()))
        let none = try store.answer(CursorRequest.self, to: unknown).get()
        #expect(none.cursor == nil && (none.memory ?? []).isEmpty)
        #expect(try store.ask(CursorRequest(appName: "app-0")).get().cursor == "7")
        #expect(try store.stop() == .exited(code: 0))
        #expect(store.errorText == "")
    }
}
