// What every storage must do with exits. Each test runs on each implementation.

import Store
import Testing
import WorkerHarness
import WorkerProtocol

func exitRecord(
    _ sequence: Int64, path: String = "logs/streamers/web", stderr: [String] = [], uptimeMs: Int64? = 1_500
) -> ExitRecord {
    ExitRecord(
        sequence: sequence, timeMs: 1_780_608_305_000 + sequence, path: path, pid: 4_000 + Int32(sequence),
        incarnation: Int(sequence), exit: .init(code: nil, signal: "SIGKILL"), reason: "crash",
        detail: "signal SIGKILL", uptimeMs: uptimeMs, stderr: stderr)
}

@Suite("History") struct HistoryConformanceTests {
    private func exits(
        _ storage: any Storage, path: String? = nil, before: Int64? = nil, limit: Int = 20_000
    ) throws -> [StoredExit] {
        let answer = try #require(storage.perform([.exits(path: path, before: before, limit: limit)]).first).get()
        guard case .exits(let exits) = answer else {
            Issue.record("it answered \(answer)")
            return []
        }
        return exits
    }

    private func record(
        _ storage: any Storage, _ sequences: ClosedRange<Int64>, path: String = "logs/streamers/web", run: String = "a"
    ) throws {
        let all = sequences.map { exitRecord($0, path: path) }
        for start in stride(from: 0, to: all.count, by: 100) {
            let batch = Array(all[start..<min(start + 100, all.count)])
            #expect(storage.perform([.recordExits(batch, run: run)]) == [.success(.done)])
        }
    }

    @Test("nothing recorded is an empty history", arguments: StorageKind.allCases)
    func empty(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        #expect(try exits(storage) == [])
        #expect(storage.perform([.recordExits([], run: "a")]) == [.success(.done)])
        #expect(try exits(storage, path: "store") == [])
    }

    @Test("every field comes back as it went in, newest first", arguments: StorageKind.allCases)
    func fields(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let records = [
            ExitRecord(
                sequence: 1, timeMs: .max, path: "store", pid: .max, incarnation: .max,
                exit: .init(code: -1, signal: nil), reason: "normal", detail: nil, uptimeMs: 0, stderr: []),
            ExitRecord(
                sequence: .max, timeMs: 0, path: "tokens/servers/web", pid: nil, incarnation: 0, exit: nil,
                reason: "crash", detail: "no 'process'\n", uptimeMs: nil, stderr: ["", "ünï\"\\\u{1}", "\u{2028}"],
                droppedBefore: 17),
            ExitRecord(
                sequence: 2, timeMs: -1, path: "sandbox", pid: 1, incarnation: 1,
                exit: .init(code: nil, signal: "SIGSEGV", coreDumped: true, outOfMemory: true), reason: "crash",
                detail: "", uptimeMs: .max, stderr: Array(repeating: "x", count: 5)),
        ]
        #expect(storage.perform([.recordExits(records, run: "b")]) == [.success(.done)])
        let expected = zip([1, 2, 3] as [Int64], records).map { StoredExit(id: $0, run: "b", record: $1) }
        #expect(try exits(storage) == expected.reversed())
        #expect(expected.map(\.record.ready) == [true, false, true])
    }

    @Test(
        "an exit that is recorded again stays as it was; another run's has the same number",
        arguments: StorageKind.allCases)
    func idempotent(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        try record(storage, 1...3)
        var changed = exitRecord(3)
        changed.reason = "normal"
        let answers = storage.perform([
            .recordExits([exitRecord(2), changed, exitRecord(4), exitRecord(4)], run: "a"),
            .recordExits([exitRecord(3)], run: "b"),
        ])
        #expect(answers == [.success(.done), .success(.done)])
        let all = try exits(storage).reversed()
        #expect(all.map(\.record) == [1, 2, 3, 4, 3].map { exitRecord($0) })
        #expect(all.map(\.run) == ["a", "a", "a", "a", "b"])
        #expect(all.map(\.id) == [1, 2, 3, 4, 5])
    }

    @Test("texts past their limits are cut", arguments: StorageKind.allCases)
    func longTexts(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let long = String(repeating: "x", count: 10_000)
        var wild = exitRecord(1, stderr: Array(repeating: long, count: 9))
        wild.detail = long
        _ = storage.perform([.recordExits([wild], run: "a")])
        let kept = try #require(try exits(storage).first).record
        #expect(kept == wild.bounded)
        #expect(kept.stderr.count == 5 && kept.stderr.allSatisfy { $0.utf8.count == ExitRecord.maximumLineBytes })
    }

    @Test("pages follow each other without a gap, of one leaf or of all", arguments: StorageKind.allCases)
    func pages(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let records = (1...57).map { exitRecord($0, path: $0 % 3 == 0 ? "store" : "logs/streamers/web") }
        _ = storage.perform([.recordExits(records, run: "a")])
        for (path, expected) in [(nil, records), ("store", records.filter { $0.path == "store" })] {
            var read: [StoredExit] = []
            while true {
                let page = try exits(storage, path: path, before: read.last?.id, limit: 10)
                #expect(page.count == min(10, expected.count - read.count))
                guard !page.isEmpty else { break }
                read += page
            }
            #expect(read.map(\.record) == expected.reversed())
        }
        #expect(try exits(storage, path: "stor") == [])
    }

    @Test("of one leaf the newest 200 are kept, however many die beside it", arguments: StorageKind.allCases)
    func boundPerPath(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        try record(storage, 1...2, path: "store")
        try record(storage, 3...202)
        #expect(try exits(storage).count == 202)
        try record(storage, 203...203)
        try record(storage, 204...1_000)
        let web = try exits(storage, path: "logs/streamers/web")
        #expect(web.map(\.record.sequence) == (801...1_000).reversed())
        #expect(try exits(storage, path: "store").map(\.record.sequence) == [2, 1])
    }

    @Test("of all leaves the newest 10,000 are kept, and ids only grow", arguments: StorageKind.allCases)
    func boundInAll(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        func records(_ sequences: ClosedRange<Int64>) -> [ExitRecord] {
            sequences.map { exitRecord($0, path: "logs/streamers/app-\(($0 - 1) / 100)") }
        }
        let batches = stride(from: Int64(1), to: 10_000, by: 100).map {
            StorageOperation.recordExits(records($0...$0 + 99), run: "a")
        }
        #expect(storage.perform(batches).allSatisfy { $0 == .success(.done) })
        #expect(try exits(storage).count == 10_000)
        _ = storage.perform([.recordExits(records(10_001...10_003), run: "a")])
        let all = try exits(storage)
        #expect(all.map(\.record.sequence) == (4...10_003).reversed())
        #expect(all.map(\.id) == (4...10_003).reversed())
    }

    @Test("a repeated batch changes nothing although its leaf is at its bound", arguments: StorageKind.allCases)
    func repeatedAtBound(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        try record(storage, 1...1_000)
        let before = try exits(storage)
        try record(storage, 901...1_000)
        #expect(try exits(storage) == before)
    }
}
