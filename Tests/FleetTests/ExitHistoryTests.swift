// The queue of exits on their way to the store: its bounds, and a store that comes and goes.

import Testing
import WorkerProtocol

@testable import Fleet

private func exit(_ path: String = "logs/streamers/web", stderr: [String] = []) -> ExitRecord {
    ExitRecord(
        sequence: 0, timeMs: 0, path: path, pid: 1, incarnation: 1, exit: .init(code: 1, signal: nil), reason: "crash",
        detail: nil, uptimeMs: nil, stderr: stderr)
}

@Suite("ExitHistory") struct ExitHistoryTests {
    private func sequences(_ batch: [ExitRecord]?) -> [Int64]? { batch?.map(\.sequence) }

    @Test("one batch is on its way at a time; what comes meanwhile goes with the next")
    func oneAtATime() {
        var history = ExitHistory()
        #expect(history.begin() == nil)
        history.add(exit())
        #expect(sequences(history.begin()) == [1])
        history.add(exit())
        history.add(exit())
        #expect(history.begin() == nil)
        history.succeed()
        #expect(sequences(history.begin()) == [2, 3])
        history.succeed()
        #expect(history.begin() == nil)
        #expect(history.count == 0)
    }

    @Test("a batch that failed goes again, with what came meanwhile behind it")
    func failed() {
        var history = ExitHistory()
        history.add(exit())
        _ = history.begin()
        history.add(exit())
        history.fail()
        #expect(sequences(history.begin()) == [1, 2])
        history.succeed()
        #expect(history.count == 0)
    }

    @Test("a batch has at most 100 exits", arguments: [99, 100, 101, 250])
    func batchCount(count: Int) {
        var history = ExitHistory()
        for _ in 0..<count { history.add(exit()) }
        var batches: [Int] = []
        while let batch = history.begin() {
            batches.append(batch.count)
            history.succeed()
        }
        #expect(batches.dropLast().allSatisfy { $0 == RecordExitsRequest.maximumExits })
        #expect(batches.reduce(0, +) == count)
        #expect(batches.count == (count + 99) / 100)
    }

    @Test("a batch ends before its text is too much for one frame, but has one exit at least")
    func batchBytes() {
        var history = ExitHistory()
        let lines = Array(repeating: String(repeating: "x", count: 9_999), count: 9)
        for _ in 0..<150 { history.add(exit(stderr: lines)) }
        let most = ExitHistory.batchBytes / (5 * ExitRecord.maximumLineBytes + "logs/streamers/web".utf8.count)
        var taken = 0
        while let batch = history.begin() {
            #expect(batch.reduce(0) { $0 + $1.textBytes } <= ExitHistory.batchBytes)
            #expect(batch.count == min(most, 150 - taken))
            taken += batch.count
            history.succeed()
        }
        #expect(taken == 150 && most == 51)
    }

    @Test("past 1,000 the oldest is dropped, and the next that is recorded says how many there were")
    func overflow() throws {
        var history = ExitHistory()
        for _ in 0..<1_003 { history.add(exit()) }
        #expect(history.count == 1_000)
        let first = history.begin()
        let batch = try #require(first)
        #expect(sequences(batch) == Array(4...103))
        #expect(batch.map(\.droppedBefore) == [3] + Array(repeating: 0, count: 99))
    }

    @Test("what was sent is never dropped: the gap is behind it")
    func overflowBehindBatch() throws {
        var history = ExitHistory()
        for _ in 0..<100 { history.add(exit()) }
        _ = history.begin()
        history.fail()
        for _ in 0..<1_000 { history.add(exit()) }
        #expect(sequences(history.begin()) == Array(1...100))
        history.succeed()
        let second = history.begin()
        let next = try #require(second)
        #expect(next.first?.sequence == 201 && next.first?.droppedBefore == 100)
    }

    @Test("long texts count: 4 MiB of them are the most that waits")
    func overflowBytes() {
        var history = ExitHistory()
        let lines = Array(repeating: String(repeating: "x", count: ExitRecord.maximumLineBytes), count: 5)
        for _ in 0..<1_000 { history.add(exit(stderr: lines)) }
        let size = 5 * ExitRecord.maximumLineBytes + "logs/streamers/web".utf8.count
        #expect(history.count == ExitHistory.capacityBytes / size)
        #expect(history.begin()?.first?.droppedBefore == Int64(1_000 - ExitHistory.capacityBytes / size))
    }

    @Test("what the store has taken counts no more")
    func bytesAfterSuccess() {
        var history = ExitHistory()
        let lines = Array(repeating: String(repeating: "x", count: ExitRecord.maximumLineBytes), count: 5)
        for _ in 0..<500 {
            history.add(exit(stderr: lines))
            history.add(exit(stderr: lines))
            #expect(history.begin()?.map(\.droppedBefore) == [0, 0])
            history.succeed()
        }
    }

    @Test("a batch that the store refuses is dropped and counted, by one that waits or by one that comes")
    func refused() {
        var history = ExitHistory()
        history.add(exit())
        history.add(exit())
        _ = history.begin()
        history.refuse()
        #expect(history.count == 0)
        history.add(exit())
        history.add(exit())
        #expect(history.begin()?.map(\.droppedBefore) == [2, 0])
        history.add(exit())
        history.refuse()
        #expect(history.begin()?.map(\.droppedBefore) == [4])
    }

    @Test("the last words are everything that is not on its way, in batches")
    func unsent() {
        var history = ExitHistory()
        for _ in 0..<350 { history.add(exit()) }
        #expect(history.unsent().map(\.count) == [100, 100, 100, 50])
        _ = history.begin()
        #expect(history.unsent().map { $0.map(\.sequence) } == [Array(101...200), Array(201...300), Array(301...350)])
        history.fail()
        #expect(history.unsent().first?.first?.sequence == 1)
    }

    @Test("no worker may record exits or read them", arguments: ["store.record_exits", "store.exits"])
    func routes(method: String) {
        for sender in [
            "logs/streamers/web", "tokens/servers/web", "sinks/console", "store", "sandbox", "logs/registry",
        ] {
            let route = RequestRoutes.route(RequestHead(method: method, appName: "web", key: "web"), from: sender)
            guard case .refused = route else {
                Issue.record("\(sender) reaches \(method)")
                continue
            }
        }
    }
}

@Suite("ExitHistory against a store that comes and goes") struct ExitHistoryPropertyTests {
    private static let longLine = [String(repeating: "x", count: ExitRecord.maximumLineBytes)]

    /// A store as seen through a pipe: it works off what was sent in order, and may die before, or right after, any of it.
    private struct ModelStore {
        var recorded: [ExitRecord] = []
        var numbers: Set<Int64> = []
        var pipe: [[ExitRecord]] = []

        /// Works off one request.
        mutating func work() {
            for record in pipe.removeFirst() where numbers.insert(record.sequence).inserted { recorded.append(record) }
        }
    }

    @Test(
        "every exit is recorded once and in order, or counted by the next one that is",
        arguments: 0..<100 as Range<UInt64>)
    func exactlyOnce(seed: UInt64) {
        var random = Seeded(state: seed)
        var history = ExitHistory()
        var store = ModelStore()
        var added: Int64 = 0
        var isUp = false
        // The batch whose answer is awaited stands first in the pipe, or was worked off and not answered.
        var awaitsAnswer = false
        var isAnswerDue = false
        func send() {
            guard isUp, let batch = history.begin() else { return }
            store.pipe.append(batch)
            awaitsAnswer = true
        }
        func die() {
            isUp = false
            store.pipe = []
            isAnswerDue = false
            if awaitsAnswer { history.fail() }
            awaitsAnswer = false
        }
        for _ in 0..<300 {
            switch random.below(12) {
            case 0...3:
                for _ in 0..<(random.below(30) == 0 ? 900 : random.pick([1, 1, 1, 3, 40])) {
                    history.add(exit(stderr: random.below(20) == 0 ? Self.longLine : []))
                    added += 1
                }
                send()
            case 4...6:
                if isUp, !store.pipe.isEmpty {
                    store.work()
                    isAnswerDue = true
                }
            case 7...8:
                if isAnswerDue {
                    isAnswerDue = false
                    awaitsAnswer = false
                    history.succeed()
                    send()
                }
            case 9: die()
            case 10:
                if awaitsAnswer, random.below(4) == 0 { die() }
            default:
                isUp = true
                send()
            }
        }
        // The end: a store that is up takes what is on its way, then all the rest.
        die()
        isUp = true
        send()
        while awaitsAnswer {
            store.work()
            awaitsAnswer = false
            history.succeed()
            send()
        }
        expectExact(store.recorded, added: added, seed: seed)
    }

    @Test(
        "a flush before the stop leaves nothing behind, and what it repeats is recorded once",
        arguments: 0..<50 as Range<UInt64>)
    func flush(seed: UInt64) {
        var random = Seeded(state: seed)
        var history = ExitHistory()
        var store = ModelStore()
        let count = Int64(random.below(800) + 1)
        for _ in 0..<count { history.add(exit()) }
        if random.below(2) == 0, let batch = history.begin() { store.pipe.append(batch) }
        store.pipe += history.unsent()
        // It may be killed in the midst of it; its successor then gets it all again.
        let isKilled = random.below(2) == 0
        let worked = isKilled ? random.below(UInt64(store.pipe.count) + 1) : UInt64(store.pipe.count)
        for _ in 0..<worked { store.work() }
        if isKilled {
            store.pipe = []
            history.fail()
            while let batch = history.begin() {
                store.pipe.append(batch)
                store.work()
                history.succeed()
            }
        }
        expectExact(store.recorded, added: count, seed: seed)
    }

    private func expectExact(_ recorded: [ExitRecord], added: Int64, seed: UInt64) {
        var last: Int64 = 0
        for record in recorded {
            guard record.sequence == last + record.droppedBefore + 1 else {
                Issue.record("seed \(seed): \(record.sequence) follows \(last) and counts \(record.droppedBefore)")
                return
            }
            last = record.sequence
        }
        #expect(last == added, "seed \(seed)")
    }
}

/// Random numbers that a seed repeats.
private struct Seeded {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: UInt64) -> UInt64 { next() % limit }

    mutating func pick(_ values: [Int]) -> Int { values[Int(below(UInt64(values.count)))] }
}
