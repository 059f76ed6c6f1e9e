import FlyAPI
import HTTPClient
import LogPages
import Streamer
import Testing
import WorkerProtocol

/// Steps shared by the tables: a machine brought to a certain point.
struct Fixture {
    var machine: StreamerMachine
    static let second: Int64 = 1_000_000_000
    static let now: Int64 = 1_780_000_000 * second
    static let moment = StreamMoment(monotonic: 7 * second, wall: now)

    init(dialect: Dialect = .platform, since: Int64? = nil) throws {
        machine = StreamerMachine(
            StreamerMachine.Settings(
                app: try AppName("web"), dialect: dialect, pollIntervalMs: 2000, sinceNs: since),
            seed: 7)
    }

    /// A machine whose first fetch is under way.
    static func fetching(dialect: Dialect = .platform, cursor: String? = "1780000000000000000") throws -> Fixture {
        var fixture = try Fixture(dialect: dialect)
        _ = fixture.machine.started()
        _ = fixture.machine.registered(.success(Done()))
        _ = fixture.machine.cursorAnswered(.success(.init(cursor: cursor)), now: moment)
        _ = fixture.machine.tableAnswered(hasToken: true, now: Fixture.moment)
        return fixture
    }

    static func page(_ entries: Int, unseen: Int? = nil, next: UInt64?) -> PageSummary {
        PageSummary(
            entryCount: entries, unseenCount: unseen ?? entries,
            nextToken: next.map { .cursor(LogCursor(nanoseconds: $0)) } ?? .empty)
    }
}

extension StreamerMachine {
    /// A page with batches of such sizes, one entry each.
    mutating func read(_ page: PageSummary, bytes: [Int]) -> [StreamerEffect] {
        pageRead(page, batches: bytes.map { BatchSummary(bytes: $0, identities: 1) }, now: Fixture.moment)
    }

    mutating func failed(_ problem: StreamProblem, bytes: [Int] = []) -> [StreamerEffect] {
        fetchFailed(problem, batches: bytes.map { BatchSummary(bytes: $0, identities: 1) }, now: Fixture.moment)
    }
}

extension [StreamerEffect] {
    /// The batches sent, by number, cursor and chunk.
    var sent: [OutgoingBatch] {
        flatMap { effect -> [OutgoingBatch] in
            switch effect {
            case .send(let batches): batches
            case .sendPosition(let batch), .sendNotice(_, let batch): [batch]
            default: []
            }
        }
    }
    var fetches: [LogCursor?] {
        compactMap { if case .fetch(let cursor) = $0 { .some(cursor) } else { nil } }
    }
    /// The pause asked for, in ms.
    var pause: Int64? {
        for case .arm(let milliseconds) in self { return milliseconds }
        return nil
    }
    var lines: [String] {
        compactMap { if case .log(let line) = $0 { line } else { nil } }
    }
    /// Everything but pauses, whose jitter the tests bound elsewhere.
    var withoutPauses: [StreamerEffect] {
        filter { if case .arm = $0 { false } else { true } }
    }
}

let unavailable = Failure(.unavailable, "nobody is there")
let unauthorized = StreamProblem.status(.unauthorized, redirectHost: nil)

@Suite("StreamerMachine, before the first fetch")
struct StreamerMachineStartTests {
    @Test("registers, says ready, learns the cursor, gets the token, fetches from the cursor")
    func plainStart() throws {
        var machine = try Fixture().machine
        #expect(machine.started() == [.register])
        #expect(machine.registered(.success(Done())) == [.sayReady, .askCursor, .prepareTransport])
        #expect(
            machine.cursorAnswered(.success(.init(cursor: "1780000000000000000")), now: Fixture.moment) == [.askTable])
        #expect(
            machine.tableAnswered(hasToken: true, now: Fixture.moment) == [
                .fetch(LogCursor(nanoseconds: 1_780_000_000_000_000_000))
            ])
    }

    @Test("without a committed cursor it begins with the newest page")
    func newestPage() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        _ = machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.moment)
        #expect(machine.tableAnswered(hasToken: true, now: Fixture.moment) == [.fetch(nil)])
    }

    @Test("another owner of the app ends it before ready")
    func alreadyRegistered() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        let answer = machine.registered(.failure(Failure(.alreadyRegistered, "taken")))
        #expect(answer == [.giveWay("app web is streamed by another worker already")])
        #expect(machine.stopRequested() == [])
    }

    @Test(
        "a registry that does not answer is asked again after a short pause",
        arguments: [
            FailureCode.unavailable, .timeout, .failed,
        ])
    func registryAway(_ code: FailureCode) throws {
        var machine = try Fixture().machine
        _ = machine.started()
        let effects = machine.registered(.failure(Failure(code, "nobody is there")))
        #expect((50...100).contains(effects.pause ?? -1))
        #expect(effects.lines.count == 1)
        #expect(machine.timerFired(now: Fixture.moment) == [.register])
        #expect(
            machine.registered(.failure(Failure(code, "nobody is there"))).lines == [], "the same state is said once")
    }

    @Test("it never begins anywhere else while the store does not answer")
    func storeAway() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        for attempt in 0..<20 {
            let effects = machine.cursorAnswered(.failure(unavailable), now: Fixture.moment)
            #expect(effects.withoutPauses.count == (attempt == 0 ? 1 : 0))
            #expect((effects.pause ?? .max) <= 5000)
            #expect(machine.timerFired(now: Fixture.moment) == [.askCursor])
        }
        #expect(
            machine.cursorAnswered(.success(.init(cursor: "x5")), now: Fixture.moment).pause != nil, "nor at nonsense")
        #expect(machine.timerFired(now: Fixture.moment) == [.askCursor])
    }

    @Test("--since begins where nothing is committed")
    func since() throws {
        let since = LogCursor(time: Fixture.now - 60 * Fixture.second)
        var machine = try Fixture(since: Int64(since.nanoseconds)).machine
        _ = machine.started()
        #expect(machine.registered(.success(Done())) == [.sayReady, .askCursor, .prepareTransport])
        let place = StreamPosition(at: since.previous)
        let begin = OutgoingBatch(number: 1, cursor: place.text, chunk: nil, firstKept: 1)
        #expect(
            machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.moment)
                == [.sendPosition(begin), .askTable], "the place is committed before anything is read")
        #expect(machine.tableAnswered(hasToken: true, now: Fixture.moment) == [.fetch(since.previous)])
    }

    @Test("against a committed cursor --since wins where no sink keeps its position")
    func sinceAndCommitted() throws {
        let since = LogCursor(time: Fixture.now - 60 * Fixture.second)
        var machine = try Fixture(since: Int64(since.nanoseconds)).machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        let effects = machine.cursorAnswered(
            .success(.init(cursor: "\(Fixture.now)")), loaded: [LoadedChunk(number: 7, count: 3)], now: Fixture.moment)
        let place = StreamPosition(at: since.previous)
        let begin = OutgoingBatch(number: 1, cursor: place.text, chunk: nil, firstKept: 8)
        #expect(effects == [.forget(3), .sendPosition(begin), .askTable])
        #expect(machine.tableAnswered(hasToken: true, now: Fixture.moment) == [.fetch(since.previous)])
    }

    @Test("a cursor older than the service's retention leaves a gap line, with the place behind the gap")
    func retention() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        let effects = machine.cursorAnswered(.success(.init(cursor: "1000000000000000000")), now: Fixture.moment)
        guard case .sendNotice(.gap(let gap), let batch) = effects.first else {
            Issue.record("no gap in \(effects)")
            return
        }
        #expect(batch.number == 1 && batch.cursor == "1779395200000000000..1779395200000000000")
        let line = StreamNotice.gap(gap).line(app: try AppName("web"))
        #expect(
            line == #"{"type":"gap","app_name":"web","from":"2001-09-09T01:46:40Z","to":"2026-05-21T20:26:40Z","#
                + #""reason":"retention"}"# + "\n")
        #expect(machine.tableAnswered(hasToken: true, now: Fixture.moment).fetches.count == 1)
    }

    @Test("an empty cache leads to the AppServer, and its failure to a pause")
    func tokens() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        _ = machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.moment)
        #expect(machine.tableAnswered(hasToken: false, now: Fixture.moment) == [.resolveToken(rejected: false)])
        let away = machine.tokenResolved(.failure(unavailable), rejected: false, now: Fixture.moment)
        #expect(
            away.lines.first?.hasPrefix("could not get a token for app web: nobody is there; trying again in ") == true)
        #expect(machine.timerFired(now: Fixture.moment) == [.resolveToken(rejected: false)])
        let none = machine.tokenResolved(
            .failure(Failure(.noToken, "no source gave one")), rejected: false, now: Fixture.moment)
        #expect(none.lines.count == 1, "another problem is another state")
        #expect((2500...5000).contains(none.pause ?? 0))
        #expect(machine.timerFired(now: Fixture.moment) == [.resolveToken(rejected: false)])
        #expect(machine.tokenResolved(.success(()), rejected: false, now: Fixture.moment) == [.fetch(nil)])
    }
}
