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

    init(dialect: Dialect = .platform, since: Int64? = nil, incarnation: Int = 1) throws {
        machine = StreamerMachine(
            StreamerMachine.Settings(
                app: try AppName("web"), dialect: dialect, pollIntervalMs: 2000, sinceNs: since,
                incarnation: incarnation),
            seed: 7)
    }

    /// A machine whose first fetch is under way.
    static func fetching(dialect: Dialect = .platform, cursor: String? = "1780000000000000000") throws -> Fixture {
        var fixture = try Fixture(dialect: dialect)
        _ = fixture.machine.started()
        _ = fixture.machine.registered(.success(Done()))
        _ = fixture.machine.cursorAnswered(.success(.init(cursor: cursor)), now: now)
        _ = fixture.machine.tableAnswered(hasToken: true)
        return fixture
    }

    static func page(_ entries: Int, unseen: Int? = nil, next: UInt64?) -> PageSummary {
        PageSummary(
            entryCount: entries, unseenCount: unseen ?? entries,
            nextToken: next.map { .cursor(LogCursor(nanoseconds: $0)) } ?? .empty)
    }
}

extension [StreamerEffect] {
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
        #expect(machine.cursorAnswered(.success(.init(cursor: "1780000000000000000")), now: Fixture.now) == [.askTable])
        #expect(machine.tableAnswered(hasToken: true) == [.fetch(LogCursor(nanoseconds: 1_780_000_000_000_000_000))])
    }

    @Test("without a committed cursor it begins with the newest page")
    func newestPage() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        _ = machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.now)
        #expect(machine.tableAnswered(hasToken: true) == [.fetch(nil)])
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
        #expect(machine.timerFired() == [.register])
        #expect(
            machine.registered(.failure(Failure(code, "nobody is there"))).lines == [], "the same state is said once")
    }

    @Test("it never begins anywhere else while the store does not answer")
    func storeAway() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        for attempt in 0..<20 {
            let effects = machine.cursorAnswered(.failure(unavailable), now: Fixture.now)
            #expect(effects.withoutPauses.count == (attempt == 0 ? 1 : 0))
            #expect((effects.pause ?? .max) <= 5000)
            #expect(machine.timerFired() == [.askCursor])
        }
        #expect(machine.cursorAnswered(.success(.init(cursor: "x5")), now: Fixture.now).pause != nil, "nor at nonsense")
        #expect(machine.timerFired() == [.askCursor])
    }

    @Test("--since wins in the first incarnation and gives way to a committed cursor in later ones", arguments: [1, 2])
    func since(incarnation: Int) throws {
        let since = Fixture.now - 60 * Fixture.second
        var machine = try Fixture(since: since, incarnation: incarnation).machine
        _ = machine.started()
        let effects = machine.registered(.success(Done()))
        if incarnation == 1 {
            #expect(effects == [.sayReady, .askTable, .prepareTransport])
            #expect(machine.tableAnswered(hasToken: true) == [.fetch(LogCursor(time: since))])
        } else {
            #expect(effects == [.sayReady, .askCursor, .prepareTransport])
            _ = machine.cursorAnswered(.success(.init(cursor: "\(Fixture.now)")), now: Fixture.now)
            #expect(machine.tableAnswered(hasToken: true) == [.fetch(LogCursor(time: Fixture.now))])
        }
    }

    @Test("a later incarnation without a committed cursor begins at --since again")
    func sinceAgain() throws {
        let since = Fixture.now - 60 * Fixture.second
        var machine = try Fixture(since: since, incarnation: 2).machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        _ = machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.now)
        #expect(machine.tableAnswered(hasToken: true) == [.fetch(LogCursor(time: since))])
    }

    @Test("a cursor older than the service's retention leaves a gap line")
    func retention() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        let effects = machine.cursorAnswered(.success(.init(cursor: "1000000000000000000")), now: Fixture.now)
        guard case .sendNotice(.gap(let gap), batch: 1) = effects.first else {
            Issue.record("no gap in \(effects)")
            return
        }
        #expect(gap.from.nanoseconds == 1_000_000_000_000_000_000)
        let line = StreamNotice.gap(gap).line(app: try AppName("web"))
        #expect(
            line == #"{"type":"gap","app_name":"web","from":"2001-09-09T01:46:40Z","to":"2026-05-21T20:26:40Z","#
                + #""reason":"retention"}"# + "\n")
    }

    @Test("an empty cache leads to the AppServer, and its failure to a pause")
    func tokens() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        _ = machine.cursorAnswered(.success(.init(cursor: nil)), now: Fixture.now)
        #expect(machine.tableAnswered(hasToken: false) == [.resolveToken(rejected: false)])
        let away = machine.tokenResolved(.failure(unavailable), rejected: false)
        #expect(
            away.lines.first?.hasPrefix("could not get a token for app web: nobody is there; trying again in ") == true)
        #expect(machine.timerFired() == [.resolveToken(rejected: false)])
        let none = machine.tokenResolved(.failure(Failure(.noToken, "no source gave one")), rejected: false)
        #expect(none.lines.count == 1, "another problem is another state")
        #expect((2500...5000).contains(none.pause ?? 0))
        #expect(machine.timerFired() == [.resolveToken(rejected: false)])
        #expect(machine.tokenResolved(.success(()), rejected: false) == [.fetch(nil)])
    }
}

@Suite("StreamerMachine, fetching")
struct StreamerMachineFetchTests {
    static let start: UInt64 = 1_780_000_000_000_000_000

    @Test("after a full page the next request goes out before the batches")
    func fullPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.pageRead(Fixture.page(100, next: Self.start + 5), batchBytes: [50_000])
        let cursor = LogCursor(nanoseconds: Self.start + 5)
        #expect(effects == [.fetch(cursor), .send(firstBatch: 1, cursor: cursor.text)])
    }

    @Test("after a page that is not full it waits for the poll interval")
    func partialPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.pageRead(Fixture.page(99, next: Self.start + 5), batchBytes: [50_000])
        #expect(effects == [.arm(milliseconds: 2000), .send(firstBatch: 1, cursor: "\(Self.start + 5)")])
        #expect(machine.timerFired() == [.fetch(LogCursor(nanoseconds: Self.start + 5))])
    }

    @Test("an empty page sends nothing and keeps the cursor")
    func emptyPage() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.pageRead(Fixture.page(0, next: nil), batchBytes: []) == [.arm(milliseconds: 2000)])
        #expect(machine.timerFired() == [.fetch(LogCursor(nanoseconds: Self.start))])
    }

    @Test("a page in several batches is numbered on, and a cursor that did not move is not sent")
    func batchNumbers() throws {
        var machine = try Fixture.fetching().machine
        #expect(
            machine.pageRead(Fixture.page(9, next: Self.start + 5), batchBytes: [10, 20, 30])
                == [.arm(milliseconds: 2000), .send(firstBatch: 1, cursor: "\(Self.start + 5)")])
        _ = machine.timerFired()
        #expect(
            machine.pageRead(Fixture.page(9, unseen: 1, next: Self.start + 5), batchBytes: [10])
                == [.arm(milliseconds: 2000), .send(firstBatch: 4, cursor: "")])
    }

    @Test("a cursor that moved over repeated entries goes out with the next batch")
    func cursorOfRepeatedPage() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.pageRead(Fixture.page(9, unseen: 0, next: Self.start + 5), batchBytes: [])
        _ = machine.timerFired()
        let effects = machine.pageRead(Fixture.page(9, unseen: 1, next: nil), batchBytes: [10])
        #expect(effects == [.arm(milliseconds: 2000), .send(firstBatch: 1, cursor: "\(Self.start + 5)")])
    }

    @Test("past the bound fetching stops, and goes on when an acknowledgement makes room")
    func bound() throws {
        var machine = try Fixture.fetching().machine
        #expect(
            machine.pageRead(Fixture.page(100, next: Self.start + 1), batchBytes: [1_048_575]).count == 2, "room left")
        let effects = machine.pageRead(Fixture.page(100, next: Self.start + 2), batchBytes: [1])
        #expect(effects == [.send(firstBatch: 2, cursor: "\(Self.start + 2)")], "no fetch at exactly 1 MiB")
        #expect(machine.acknowledged(0) == [])
        #expect(machine.acknowledged(99) == [], "a number that was never given changes nothing")
        #expect(machine.acknowledged(1) == [.fetch(LogCursor(nanoseconds: Self.start + 2))])
        #expect(machine.acknowledged(1) == [])
        #expect(machine.acknowledged(2) == [])
    }

    @Test("the poll timer does not get past the bound either")
    func boundAfterPause() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.pageRead(Fixture.page(50, next: Self.start + 1), batchBytes: [2_000_000, 100])
        #expect(machine.timerFired() == [])
        #expect(machine.acknowledged(1) == [.fetch(LogCursor(nanoseconds: Self.start + 1))])
    }

    @Test("trouble is said once per change of state, with what happens next, and once when it is over")
    func saidOnce() throws {
        var machine = try Fixture.fetching().machine
        let trouble = StreamProblem.status(.server(status: 503, retryAfter: nil), redirectHost: nil)
        var lines = machine.fetchFailed(trouble).lines
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("could not read the logs of app web: the API has trouble (503); trying again in "))
        _ = machine.timerFired()
        #expect(machine.fetchFailed(trouble).lines == [])
        _ = machine.timerFired()
        lines = machine.fetchFailed(.transport(HTTPFailure(.couldNotConnect, host: "h:1"))).lines
        #expect(lines.first?.hasPrefix("could not read the logs of app web: could not connect to h:1; ") == true)
        _ = machine.timerFired()
        let page = Fixture.page(1, next: Self.start + 1)
        #expect(machine.pageRead(page, batchBytes: [5]).lines == ["reading the logs of app web works again"])
        _ = machine.timerFired()
        #expect(machine.pageRead(page, batchBytes: [5]).lines == [])
    }

    @Test("pauses after errors grow to 30 s and no further, and are short again after a page")
    func backoff() throws {
        var machine = try Fixture.fetching().machine
        let problem = StreamProblem.transport(HTTPFailure(.timedOut, host: "h"))
        var pauses: [Int64] = []
        for _ in 0..<12 {
            pauses.append(machine.fetchFailed(problem).pause ?? -1)
            #expect(machine.timerFired() == [.fetch(LogCursor(nanoseconds: Self.start))])
        }
        #expect((250...500).contains(pauses[0]))
        #expect(pauses.allSatisfy { $0 <= 30_000 })
        #expect(pauses[11] >= 15_000)
        _ = machine.pageRead(Fixture.page(1, next: nil), batchBytes: [5])
        _ = machine.timerFired()
        #expect((machine.fetchFailed(problem).pause ?? -1) <= 500)
    }

    @Test("Retry-After is obeyed", arguments: [1, 7, 600])
    func retryAfter(seconds: Int) throws {
        var machine = try Fixture.fetching().machine
        let problem = StreamProblem.status(.rateLimited(retryAfter: .seconds(seconds)), redirectHost: nil)
        #expect((machine.fetchFailed(problem).pause ?? 0) >= Int64(seconds) * 1000)
    }

    @Test("a first 401 asks for another token without a word; a second one is said, and retried slowly")
    func refused() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.fetchFailed(unauthorized) == [.resolveToken(rejected: true)])
        #expect(machine.tokenResolved(.success(()), rejected: true) == [.fetch(LogCursor(nanoseconds: Self.start))])
        let second = machine.fetchFailed(unauthorized)
        #expect(second.lines.count == 1 && second.lines[0].contains("401"))
        #expect((15_000...30_000).contains(second.pause ?? 0))
        #expect(machine.timerFired() == [.resolveToken(rejected: true)])
        _ = machine.tokenResolved(.success(()), rejected: true)
        #expect(machine.fetchFailed(unauthorized).lines == [])
        _ = machine.timerFired()
        _ = machine.tokenResolved(.success(()), rejected: true)
        let recovered = machine.pageRead(Fixture.page(1, next: nil), batchBytes: [5])
        #expect(recovered.lines == ["reading the logs of app web works again"])
        _ = machine.timerFired()
        #expect(machine.fetchFailed(unauthorized) == [.resolveToken(rejected: true)], "the next expiry is a first 401")
    }

    @Test(
        "other refusals say what to do and are retried at leisure",
        arguments: [
            (StreamProblem.status(.forbidden, redirectHost: nil), "403"),
            (.status(.notFound, redirectHost: nil), "--dialect platform"),
            (.status(.unexpected(status: 302), redirectHost: "evil.test"), "evil.test"),
        ])
    func otherRefusals(problem: StreamProblem, text: String) throws {
        var machine = try Fixture.fetching(dialect: .machines).machine
        let effects = machine.fetchFailed(problem)
        #expect(effects.lines.first?.contains(text) == true)
        #expect((2500...5000).contains(effects.pause ?? 0))
    }

    @Test("entries of a page that broke off are sent without a cursor")
    func brokenPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.fetchFailed(
            .status(.server(status: 500, retryAfter: nil), redirectHost: nil), batchBytes: [9])
        #expect(effects.first == .send(firstBatch: 1, cursor: ""))
        #expect(machine.timerFired() == [.fetch(LogCursor(nanoseconds: Self.start))])
    }

    @Test("answers that nobody waits for change nothing")
    func staleAnswers() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.registered(.success(Done())) == [])
        #expect(machine.cursorAnswered(.failure(unavailable), now: Fixture.now) == [])
        #expect(machine.tableAnswered(hasToken: false) == [])
        #expect(machine.tokenResolved(.failure(unavailable), rejected: true) == [])
        #expect(machine.timerFired() == [])
    }
}

@Suite("StreamerMachine, stopping")
struct StreamerMachineStopTests {
    @Test("the fetch is given up, the last line sent, and its acknowledgement ends the process")
    func stop() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.pageRead(Fixture.page(100, next: 1_780_000_000_000_000_001), batchBytes: [10])
        #expect(
            machine.stopRequested() == [.abortFetch, .sendNotice(.stopped, batch: 2), .arm(milliseconds: 2000)])
        #expect(machine.stopRequested() == [])
        #expect(machine.acknowledged(1) == [])
        #expect(machine.acknowledged(2) == [.disarm, .finish])
        #expect(machine.timerFired() == [])
    }

    @Test("without acknowledgements the end comes with the timer")
    func stopTimer() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.stopRequested()
        #expect(machine.timerFired() == [.finish])
        #expect(machine.acknowledged(1) == [])
    }

    @Test("a Streamer that never became ready ends without a line")
    func stopBeforeReady() throws {
        var machine = try Fixture().machine
        _ = machine.started()
        #expect(machine.stopRequested() == [.disarm, .finish])
        #expect(machine.registered(.success(Done())) == [])
    }

    @Test("the last line is the one that is promised")
    func line() throws {
        #expect(StreamNotice.stopped.line(app: try AppName("web")) == "{\"type\":\"stopped\",\"app_name\":\"web\"}\n")
    }
}
