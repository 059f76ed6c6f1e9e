// What every storage must do with commits: cursors, memory and sinks' positions. Each test runs on each implementation.

import Framing
import Store
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("Commits") struct CommitConformanceTests {
    typealias Answers = [Result<StorageAnswer, StorageError>]

    /// The most chunks of 1 MiB that one app's memory holds.
    private static let largestChunks = 7
    private static let megabyte = 1024 * 1024 / 8

    private func memory(_ storage: any Storage, _ appName: String = "web") throws -> [CommitPayload.Chunk] {
        let answer = try storage.perform([.cursor(appName: appName)])[0].get()
        guard case .cursor(_, let memory) = answer else { return [] }
        return memory
    }

    private func remember(
        _ storage: any Storage, _ chunks: [CommitPayload.Chunk], firstKept: UInt64 = 0, cursor: String = ""
    ) -> Answers {
        let app = CommitPayload.App(name: "web", cursor: cursor, firstKept: firstKept, chunks: chunks)
        return storage.perform([.commit(CommitPayload(apps: [app]), atMs: 1)])
    }

    @Test("cursors of many apps are committed together, and the last write wins", arguments: StorageKind.allCases)
    func cursorsOfMany(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let answers = storage.perform([
            .commit(cursors(["web": "20", "api": "7"]), atMs: 1), .cursor(appName: "web"),
            .commit(cursors(["web": "10", "web": "11"]), atMs: 2),
            .cursor(appName: "web"), .cursor(appName: "api"), .cursor(appName: "worker"),
        ])
        let expected: Answers = [
            .success(.done), .success(.cursor("20", memory: [])), .success(.done),
            .success(.cursor("11", memory: [])), .success(.cursor("7", memory: [])),
            .success(.cursor(nil, memory: [])),
        ]
        #expect(answers == expected)
    }

    @Test("an empty cursor leaves the cursor and moves the memory", arguments: StorageKind.allCases)
    func emptyCursor(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        #expect(remember(storage, [chunk(1)], cursor: "5") == [.success(.done)])
        #expect(remember(storage, [chunk(2)]) == [.success(.done)])
        #expect(storage.perform([.cursor(appName: "web")]) == [.success(.cursor("5", memory: [chunk(1), chunk(2)]))])
        #expect(try memory(storage, "api") == [])
    }

    @Test("memory comes back by number, whatever order it came in, each number once", arguments: StorageKind.allCases)
    func memoryOrder(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        #expect(remember(storage, [chunk(5), chunk(3)]) == [.success(.done)])
        #expect(remember(storage, [chunk(4), chunk(9, count: 0), chunk(3, count: 1_000, 77)]) == [.success(.done)])
        #expect(try memory(storage) == [chunk(3, count: 1_000, 77), chunk(4), chunk(5), chunk(9, count: 0)])
        // The same again, as after an answer that was lost.
        #expect(remember(storage, [chunk(4), chunk(9, count: 0)]) == [.success(.done)])
        #expect(try memory(storage) == [chunk(3, count: 1_000, 77), chunk(4), chunk(5), chunk(9, count: 0)])
    }

    @Test("chunks before the first one kept go, also those of the same commit", arguments: StorageKind.allCases)
    func firstKept(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        #expect(remember(storage, (1...10).map { chunk($0) }) == [.success(.done)])
        #expect(remember(storage, [chunk(11)], firstKept: 9) == [.success(.done)])
        #expect(try memory(storage) == [chunk(9), chunk(10), chunk(11)])
        #expect(remember(storage, [chunk(12), chunk(13)], firstKept: 13) == [.success(.done)])
        #expect(try memory(storage) == [chunk(13)])
        #expect(remember(storage, [], firstKept: .max) == [.success(.done)])
        #expect(try memory(storage) == [])
        #expect(remember(storage, [chunk(1)]) == [.success(.done)])
        #expect(try memory(storage) == [chunk(1)])
    }

    @Test("a memory over its limit is refused with everything in its commit", arguments: StorageKind.allCases)
    func memoryLimit(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let most = Self.largestChunks
        let chunks = (1...UInt64(most)).map { chunk($0, count: Self.megabyte) }
        #expect(remember(storage, chunks, cursor: "1") == [.success(.done)])
        // Up to the limit and one identity over it.
        let rest = (8 * 1024 * 1024 - most * (1024 * 1024 + 32) - 32) / 8
        let over = CommitPayload(
            sinks: [.init(name: "/log/a", position: "2")],
            apps: [
                .init(name: "api", cursor: "2"), .init(name: "web", cursor: "2", chunks: [chunk(9, count: rest + 1)]),
            ])
        let answers = storage.perform([
            .commit(over, atMs: 2), .cursor(appName: "api"), .sinkPosition(sink: "/log/a"),
            .commit(cursors(["other": "1"]), atMs: 2), .cursor(appName: "other"),
        ])
        guard case .failure(let error) = answers[0] else {
            Issue.record("a memory over the limit was kept")
            return
        }
        #expect(error.code == .refused)
        #expect(
            error.description == "the memory of web would have 8388616 bytes, over the limit of 8388608")
        #expect(
            Array(answers[1...]) == [
                .success(.cursor(nil, memory: [])), .success(.sinkPosition(nil, missedCommits: false)),
                .success(.done), .success(.cursor("1", memory: [])),
            ])
        #expect(remember(storage, [chunk(9, count: rest)], cursor: "2") == [.success(.done)])
        #expect(try memory(storage).count == most + 1)
        // What is replaced and what goes makes room.
        #expect(remember(storage, [chunk(9, count: rest, 5)]) == [.success(.done)])
        #expect(remember(storage, [chunk(10, count: Self.megabyte)], firstKept: 2) == [.success(.done)])
        #expect(try memory(storage).map(\.number) == [2, 3, 4, 5, 6, 7, 9, 10])
    }

    @Test("a sink's position is what was committed last, by itself or with others", arguments: StorageKind.allCases)
    func positions(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let answers = storage.perform([
            .sinkPosition(sink: "/log/a"), .placeSink(sink: "/log/a", position: "0", atMs: 1),
            .sinkPosition(sink: "/log/a"), .commit(numbered(1, sinks: ["/log/a", "/log/b"]), atMs: 2),
            .sinkPosition(sink: "/log/a"), .sinkPosition(sink: "/log/b"),
        ])
        let expected: Answers = [
            .success(.sinkPosition(nil, missedCommits: false)), .success(.done),
            .success(.sinkPosition("0", missedCommits: false)), .success(.done),
            .success(.sinkPosition("1", missedCommits: false)), .success(.sinkPosition("1", missedCommits: false)),
        ]
        #expect(answers == expected)
    }

    @Test(
        "a sink without which lines were committed has missed them, until it takes part",
        arguments: StorageKind.allCases)
    func missed(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        func missed() throws -> [Bool] {
            try storage.perform([.sinkPosition(sink: "/log/a"), .sinkPosition(sink: "/log/b")]).map { answer in
                guard case .sinkPosition(_, let missed) = try answer.get() else { return false }
                return missed
            }
        }
        _ = storage.perform([.commit(numbered(1, sinks: ["/log/a", "/log/b"]), atMs: 1)])
        #expect(try missed() == [false, false])
        // Positions alone are no lines.
        _ = storage.perform([
            .commit(numbered(1, apps: [], sinks: ["/log/a"]), atMs: 1),
            .placeSink(sink: "/log/a", position: "1", atMs: 1), .commit(CommitPayload(), atMs: 1),
        ])
        #expect(try missed() == [false, false])
        _ = storage.perform([.commit(numbered(2, sinks: ["/log/a"]), atMs: 1)])
        #expect(try missed() == [false, true])
        #expect(storage.perform([.sinkPosition(sink: "/log/b")]) == [.success(.sinkPosition("1", missedCommits: true))])
        _ = storage.perform([.placeSink(sink: "/log/a", position: "5", atMs: 1)])
        #expect(try missed() == [false, true])
        _ = storage.perform([.commit(numbered(3, sinks: ["/log/a", "/log/b"]), atMs: 1)])
        #expect(try missed() == [false, false])
        _ = storage.perform([.commit(numbered(4, sinks: []), atMs: 1)])
        #expect(try missed() == [true, true])
        _ = storage.perform([.placeSink(sink: "/log/b", position: "5", atMs: 1)])
        #expect(try missed() == [true, false])
    }
}
