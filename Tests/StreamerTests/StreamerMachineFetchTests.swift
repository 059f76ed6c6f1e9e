import FlyAPI
import HTTPClient
import LogPages
import Streamer
import Testing
import WorkerProtocol

@Suite("StreamerMachine, fetching")
struct StreamerMachineFetchTests {
    static let start: UInt64 = 1_780_000_000_000_000_000

    /// What a page that ended at `start + end` commits.
    static func text(_ end: UInt64, settled: UInt64 = 0) -> String { "\(start + settled)..\(start + end)" }

    @Test("where nobody has another token the refused one is tried again, slowly")
    func refusedForAWhile() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.failed(unauthorized) == [.resolveToken(rejected: true)])
        let none = Failure(.noToken, "no source gave another one")
        for round in 1...3 {
            let effects = machine.tokenResolved(.failure(none), rejected: true, now: Fixture.moment)
            #expect(effects.count == (round == 1 ? 2 : 1), "said once: \(effects)")
            #expect((effects.pause ?? 0) >= 2_500)
            #expect(
                machine.timerFired(now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start))])
            #expect(machine.failed(unauthorized) == [.resolveToken(rejected: true)])
        }
    }

    @Test("after a full page the next request goes out before the batches, a nanosecond before the page's end")
    func fullPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.read(Fixture.page(100, next: Self.start + 5), bytes: [50_000])
        let batch = OutgoingBatch(number: 1, cursor: Self.text(5), chunk: 1, firstKept: 1)
        #expect(effects == [.fetch(LogCursor(nanoseconds: Self.start + 4)), .send([batch])])
    }

    @Test("after a page that is not full it waits for the poll interval")
    func partialPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.read(Fixture.page(99, next: Self.start + 5), bytes: [50_000])
        let batch = OutgoingBatch(number: 1, cursor: Self.text(5), chunk: 1, firstKept: 1)
        #expect(effects == [.arm(milliseconds: 2000), .send([batch])])
        #expect(machine.timerFired(now: Fixture.moment).fetches == [LogCursor(nanoseconds: Self.start + 4)])
    }

    @Test("an empty page sends nothing and keeps the cursor")
    func emptyPage() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.read(Fixture.page(0, next: nil), bytes: []) == [.arm(milliseconds: 2000)])
        #expect(machine.timerFired(now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start))])
    }

    @Test("a page in several batches is numbered on; how far it reached goes with the first, a cursor that moved once")
    func batchNumbers() throws {
        var machine = try Fixture.fetching().machine
        let first = machine.read(Fixture.page(9, next: Self.start + 5), bytes: [10, 20, 30]).sent
        #expect(first.map(\.number) == [1, 2, 3] && first.map(\.chunk) == [1, 2, 3])
        #expect(first.map(\.cursor) == [Self.text(5), "", ""])
        _ = machine.timerFired(now: Fixture.moment)
        let second = machine.read(Fixture.page(9, unseen: 1, next: Self.start + 5), bytes: [10]).sent
        #expect(second.map(\.number) == [4] && second.map(\.cursor) == [""])
    }

    @Test("the newest page is sent behind the place in front of its first line")
    func newestPage() throws {
        var machine = try Fixture.fetching(cursor: nil).machine
        var page = Fixture.page(9, next: Self.start + 5)
        page.firstTimestamp = Int64(Self.start)
        page.latestTimestamp = Int64(Self.start + 5)
        let sent = machine.read(page, bytes: [10]).sent
        #expect(sent.map(\.cursor) == ["\(Self.start - 1)..\(Self.start - 1)", "\(Self.start - 1)..\(Self.start + 5)"])
        #expect(sent.map(\.chunk) == [nil, 1])
    }

    @Test("of an empty log a place a day ago is sent")
    func emptyLog() throws {
        var machine = try Fixture.fetching(cursor: nil).machine
        let sent = machine.read(Fixture.page(0, next: nil), bytes: []).sent
        let dayAgo = Fixture.now - 86_400 * Fixture.second
        #expect(sent.map(\.cursor) == ["\(dayAgo)..\(dayAgo)"])
    }

    @Test("a nanosecond of more than a page is told of once, and stepped over")
    func pageLimit() throws {
        var machine = try Fixture.fetching().machine
        var page = Fixture.page(100, next: Self.start + 5)
        page.firstTimestamp = Int64(Self.start + 5)
        page.latestTimestamp = Int64(Self.start + 5)
        #expect(machine.read(page, bytes: [10]).fetches == [LogCursor(nanoseconds: Self.start + 4)])
        page.unseenCount = 0
        let again = machine.read(page, bytes: [])
        #expect(again.fetches == [LogCursor(nanoseconds: Self.start + 5)] && again.sent.isEmpty)
        let third = machine.read(page, bytes: [])
        let gap = GapNotice(
            from: "2026-05-28T20:26:40.000000005Z", to: "2026-05-28T20:26:40.000000005Z", reason: "page_limit")
        #expect(third.contains { if case .sendNotice(.gap(gap), _) = $0 { true } else { false } }, "\(third)")
        _ = machine.timerFired(now: Fixture.moment)
        #expect(machine.read(Fixture.page(3, next: Self.start + 50), bytes: [5]).sent.count == 1)
    }

    @Test("past the bound fetching stops, and goes on when an acknowledgement makes room")
    func bound() throws {
        var machine = try Fixture.fetching().machine
        #expect(
            machine.read(Fixture.page(100, next: Self.start + 10), bytes: [1_048_575]).count == 2, "room left")
        let effects = machine.read(Fixture.page(100, next: Self.start + 20), bytes: [1])
        #expect(effects.fetches.isEmpty && effects.sent.map(\.number) == [2], "no fetch at exactly 1 MiB")
        #expect(machine.acknowledged(0, now: Fixture.moment) == [])
        #expect(machine.acknowledged(99, now: Fixture.moment) == [], "a number that was never given changes nothing")
        #expect(machine.acknowledged(1, now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start + 19))])
        #expect(machine.acknowledged(1, now: Fixture.moment) == [])
        #expect(machine.acknowledged(2, now: Fixture.moment) == [])
    }

    @Test("the poll timer does not get past the bound either")
    func boundAfterPause() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.read(Fixture.page(50, next: Self.start + 10), bytes: [2_000_000, 100])
        #expect(machine.timerFired(now: Fixture.moment) == [])
        #expect(machine.acknowledged(1, now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start + 9))])
    }

    @Test("trouble is said once per change of state, with what happens next, and once when it is over")
    func saidOnce() throws {
        var machine = try Fixture.fetching().machine
        let trouble = StreamProblem.status(.server(status: 503, retryAfter: nil), redirectHost: nil)
        var lines = machine.failed(trouble).lines
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("could not read the logs of app web: the API has trouble (503); trying again in "))
        _ = machine.timerFired(now: Fixture.moment)
        #expect(machine.failed(trouble).lines == [])
        _ = machine.timerFired(now: Fixture.moment)
        lines = machine.failed(.transport(HTTPFailure(.couldNotConnect, host: "h:1"))).lines
        #expect(lines.first?.hasPrefix("could not read the logs of app web: could not connect to h:1; ") == true)
        _ = machine.timerFired(now: Fixture.moment)
        let page = Fixture.page(1, next: Self.start + 1)
        #expect(machine.read(page, bytes: [5]).lines == ["reading the logs of app web works again"])
        _ = machine.timerFired(now: Fixture.moment)
        #expect(machine.read(page, bytes: [5]).lines == [])
    }

    @Test("pauses after errors grow to 30 s and no further, and are short again after a page")
    func backoff() throws {
        var machine = try Fixture.fetching().machine
        let problem = StreamProblem.transport(HTTPFailure(.timedOut, host: "h"))
        var pauses: [Int64] = []
        for _ in 0..<12 {
            pauses.append(machine.failed(problem).pause ?? -1)
            #expect(machine.timerFired(now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start))])
        }
        #expect((250...500).contains(pauses[0]))
        #expect(pauses.allSatisfy { $0 <= 30_000 })
        #expect(pauses[11] >= 15_000)
        _ = machine.read(Fixture.page(1, next: nil), bytes: [5])
        _ = machine.timerFired(now: Fixture.moment)
        #expect((machine.failed(problem).pause ?? -1) <= 500)
    }

    @Test("Retry-After is obeyed", arguments: [1, 7, 600])
    func retryAfter(seconds: Int) throws {
        var machine = try Fixture.fetching().machine
        let problem = StreamProblem.status(.rateLimited(retryAfter: .seconds(seconds)), redirectHost: nil)
        #expect((machine.failed(problem).pause ?? 0) >= Int64(seconds) * 1000)
    }

    @Test("a first 401 asks for another token without a word; a second one is said, and retried slowly")
    func refused() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.failed(unauthorized) == [.resolveToken(rejected: true)])
        #expect(
            machine.tokenResolved(.success(()), rejected: true, now: Fixture.moment) == [
                .fetch(LogCursor(nanoseconds: Self.start))
            ])
        let second = machine.failed(unauthorized)
        #expect(second.lines.count == 1 && second.lines[0].contains("401"))
        #expect((15_000...30_000).contains(second.pause ?? 0))
        #expect(machine.timerFired(now: Fixture.moment) == [.resolveToken(rejected: true)])
        _ = machine.tokenResolved(.success(()), rejected: true, now: Fixture.moment)
        #expect(machine.failed(unauthorized).lines == [])
        _ = machine.timerFired(now: Fixture.moment)
        _ = machine.tokenResolved(.success(()), rejected: true, now: Fixture.moment)
        let recovered = machine.read(Fixture.page(1, next: nil), bytes: [5])
        #expect(recovered.lines == ["reading the logs of app web works again"])
        _ = machine.timerFired(now: Fixture.moment)
        #expect(machine.failed(unauthorized) == [.resolveToken(rejected: true)], "the next expiry is a first 401")
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
        let effects = machine.failed(problem)
        #expect(effects.lines.first?.contains(text) == true)
        #expect((2500...5000).contains(effects.pause ?? 0))
    }

    @Test("entries of a page that broke off are sent without moving the settled place")
    func brokenPage() throws {
        var machine = try Fixture.fetching().machine
        let effects = machine.failed(.status(.server(status: 500, retryAfter: nil), redirectHost: nil), bytes: [9])
        #expect(effects.first == .send([OutgoingBatch(number: 1, cursor: "", chunk: 1, firstKept: 1)]))
        #expect(machine.timerFired(now: Fixture.moment) == [.fetch(LogCursor(nanoseconds: Self.start))])
    }

    @Test("answers that nobody waits for change nothing")
    func staleAnswers() throws {
        var machine = try Fixture.fetching().machine
        #expect(machine.registered(.success(Done())) == [])
        #expect(machine.cursorAnswered(.failure(unavailable), now: Fixture.moment) == [])
        #expect(machine.tableAnswered(hasToken: false, now: Fixture.moment) == [])
        #expect(machine.tokenResolved(.failure(unavailable), rejected: true, now: Fixture.moment) == [])
        #expect(machine.timerFired(now: Fixture.moment) == [])
    }
}

@Suite("StreamerMachine, stopping")
struct StreamerMachineStopTests {
    @Test("the fetch is given up, the last line sent, and its acknowledgement ends the process")
    func stop() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.read(Fixture.page(100, next: 1_780_000_000_000_000_001), bytes: [10])
        let last = OutgoingBatch(number: 2, cursor: "", chunk: nil, firstKept: 1)
        #expect(
            machine.stopRequested() == [.abortFetch, .sendNotice(.stopped, last), .arm(milliseconds: 2000)])
        #expect(machine.stopRequested() == [])
        #expect(machine.acknowledged(1, now: Fixture.moment) == [])
        #expect(machine.acknowledged(2, now: Fixture.moment) == [.disarm, .finish])
        #expect(machine.timerFired(now: Fixture.moment) == [])
    }

    @Test("without acknowledgements the end comes with the timer")
    func stopTimer() throws {
        var machine = try Fixture.fetching().machine
        _ = machine.stopRequested()
        #expect(machine.timerFired(now: Fixture.moment) == [.finish])
        #expect(machine.acknowledged(1, now: Fixture.moment) == [])
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
