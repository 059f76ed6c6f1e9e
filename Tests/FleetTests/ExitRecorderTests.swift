// What the recorder sends, and when: with a store that answers, is away, stands still, or knows nothing of exits.

import EventLoop
import Testing
import WorkerProtocol

@testable import Fleet
@testable import Supervision

@Suite("ExitRecorder") struct ExitRecorderTests {
    /// A store whose answers the test gives.
    private final class ScriptedStore {
        var requests: [(request: RecordExitsRequest, answer: ExitRecorder.Completion)] = []
        var complaints: [String] = []
        /// What it says at once.
        var immediately: Result<Done, Failure>?

        func recorder(_ loop: Loop) -> ExitRecorder {
            ExitRecorder(loop, run: "a") { [unowned self] request, answer in
                requests.append((request, answer))
                if let immediately { answer(immediately) }
            } complain: { [unowned self] complaint in
                complaints.append(complaint)
            }
        }

        func sequences(_ index: Int) -> [Int64] { requests[index].request.exits.map(\.sequence) }
    }

    private static let away = Failure(.unavailable, "store is not there")

    private func exited(_ path: String, _ reason: ExitReason = .crash("signal SIGKILL"), uptimeMs: Int64? = 5)
        -> SupervisionReport
    {
        SupervisionReport(path: path, incarnation: 3, turn: .exited(reason: reason, uptimeMilliseconds: uptimeMs))
    }

    private let killed = ProcessFacts(pid: 4711, exit: .signaled(signal: 9, coreDumped: false), lastWords: ["last"])

    @Test(
        "an exit becomes a record in the words of the events file",
        arguments: [
            (ProcessExit.exited(code: 3), ExitRecord.Exit(code: 3, signal: nil)),
            (.signaled(signal: 11, coreDumped: true), .init(code: nil, signal: "SIGSEGV", coreDumped: true)),
            (.outOfMemory, .init(code: nil, signal: "SIGKILL", outOfMemory: true)),
        ])
    func record(exit: ProcessExit, recorded: ExitRecord.Exit) throws {
        let store = ScriptedStore()
        let recorder = store.recorder(try Loop())
        let before = wallClockMilliseconds()
        recorder.record(exited("store"), process: ProcessFacts(pid: 4711, exit: exit, lastWords: ["one", "two"]))
        let request = try #require(store.requests.first?.request)
        let record = try #require(request.exits.first)
        #expect(request.run == "a")
        #expect((before...wallClockMilliseconds()).contains(record.timeMs))
        #expect(
            record
                == ExitRecord(
                    sequence: 1, timeMs: record.timeMs, path: "store", pid: 4711, incarnation: 3, exit: recorded,
                    reason: "crash", detail: "signal SIGKILL", uptimeMs: 5, stderr: ["one", "two"]))
    }

    @Test("a start that made no process and an end as asked are exits too; other turns are none")
    func otherTurns() throws {
        let store = ScriptedStore()
        store.immediately = .success(Done())
        let recorder = store.recorder(try Loop())
        recorder.record(exited("store", .crash("no memory"), uptimeMs: nil), process: nil)
        recorder.record(exited("store", .shutdown), process: killed)
        recorder.record(SupervisionReport(path: "store", incarnation: 3, turn: .ready), process: killed)
        let records = store.requests.flatMap(\.request.exits)
        #expect(records.map(\.pid) == [nil, 4711])
        #expect(records.map(\.ready) == [false, true])
        #expect(records.map(\.reason) == ["crash", "shutdown"])
        #expect(records.map(\.detail) == ["no memory", nil])
    }

    @Test("the store's own exit waits for its successor, and what was on its way is sent again first")
    func storeDied() throws {
        let store = ScriptedStore()
        let recorder = store.recorder(try Loop())
        recorder.record(exited("logs/streamers/web"), process: killed)
        recorder.record(exited("logs/streamers/api"), process: killed)
        store.requests[0].answer(.failure(Self.away))
        recorder.record(exited("store"), process: killed)
        #expect(store.requests.count == 1)
        recorder.storeIsReady()
        #expect(store.sequences(1) == [1, 2, 3])
        #expect(store.requests[1].request.exits.last?.path == "store")
        store.requests[1].answer(.success(Done()))
        #expect(store.requests.count == 2)
        #expect(store.complaints == [])
    }

    @Test("a store that does not answer is asked again after a while, and a person hears of it once")
    func retry() throws {
        let loop = try Loop()
        let store = ScriptedStore()
        let recorder = store.recorder(loop)
        store.immediately = .failure(Failure(.timeout, "no answer came in time"))
        recorder.record(exited("logs/streamers/web"), process: killed)
        try run(loop) { store.requests.count == 2 }
        store.immediately = .success(Done())
        try run(loop) { store.requests.count == 3 }
        #expect(store.sequences(2) == [1])
        #expect(store.complaints == ["exits are recorded later: no answer came in time"])
        store.immediately = .failure(Failure(.timeout, "no answer came in time"))
        recorder.record(exited("logs/streamers/web"), process: killed)
        #expect(store.complaints.count == 2)
    }

    /// Runs the loop until something is so, for 10 s at most.
    private func run(_ loop: Loop, until condition: () -> Bool) throws {
        var isLate = false
        let deadline = LoopTimer(loop)
        deadline.start(after: 10_000) { isLate = true }
        defer { deadline.close() }
        while !condition() {
            loop.runOnce()
            try #require(!isLate)
        }
    }

    @Test("a batch that is refused is not sent again; the next one counts it")
    func refused() throws {
        let store = ScriptedStore()
        let recorder = store.recorder(try Loop())
        recorder.record(exited("logs/streamers/web"), process: killed)
        recorder.record(exited("logs/streamers/api"), process: killed)
        store.requests[0].answer(.failure(Failure(.badRequest, "a path has 1 to 255 bytes")))
        #expect(store.sequences(1) == [2])
        #expect(store.requests[1].request.exits[0].droppedBefore == 1)
        #expect(store.complaints == ["exits are not recorded: a path has 1 to 255 bytes"])
    }

    @Test("a store that knows nothing of exits is left alone until another one is ready")
    func unknownMethod() throws {
        let store = ScriptedStore()
        store.immediately = .failure(Failure(.unknownMethod, "it does not know store.record_exits"))
        let recorder = store.recorder(try Loop())
        for _ in 0..<5 { recorder.record(exited("logs/streamers/web"), process: killed) }
        #expect(store.requests.count == 1 && store.complaints.count == 1)
        store.immediately = .success(Done())
        recorder.storeIsReady()
        #expect(store.sequences(1) == Array(1...5))
    }

    @Test("before the store is stopped it gets everything that is not on its way")
    func flush() throws {
        let store = ScriptedStore()
        let recorder = store.recorder(try Loop())
        for _ in 0..<150 { recorder.record(exited("logs/streamers/web"), process: killed) }
        recorder.flushToStore()
        #expect(store.requests.indices.map(store.sequences) == [[1], Array(2...101), Array(102...150)])
    }

    @Test("runs have names that differ")
    func runs() {
        let runs = (0..<100).map { _ in ExitRecorder.newRun() }
        #expect(Set(runs).count == 100 && runs.allSatisfy { $0.utf8.count == 16 })
    }
}
