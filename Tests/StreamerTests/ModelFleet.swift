// A Streamer's machine and digest between a model server and a model of the rest of the fleet, in virtual time:
// batches are committed in order, at any moment; a crash leaves what was committed and nothing else.

import FlyAPI
import Foundation
import Framing
import LogPages
import WorkerProtocol

@testable import Streamer

/// What is committed.
struct ModelStore {
    var cursor: String?
    var chunks: [(number: UInt64, identities: [UInt64])] = []
    /// The lines in the file, as messages, and those of our own.
    var lines: [String] = []
    var gaps: [String] = []
    /// The first place that was committed.
    var firstPosition: StreamPosition?
}

/// A batch on its way.
struct ModelBatch {
    var order: OutgoingBatch
    var identities: [UInt64] = []
    var lines: [String] = []
    var gap: String?
    var isReplay = false
    var count = 0
}

/// Runs one app.
struct ModelFleet: ~Copyable {
    let server: ModelServer
    let settings: StreamerMachine.Settings
    var dice: Dice
    var now = ModelServer.start
    var store = ModelStore()
    var machine: StreamerMachine
    var digest: PageDigest
    var sent: [ModelBatch] = []
    /// When the answer is served and comes, and what was asked.
    var fetch: (cursor: LogCursor?, served: Int64, comes: Int64)?
    var timer: Int64?
    var commitAt: Int64 = .max
    var isFinished = false
    /// What people saw again.
    var replayed: [String] = []
    var requests = 0
    var crashes = 0
    var telemetry = (late: 0, repeated: 0, filtered: 0)
    var log: [String] = []
    var failOnce = 0
    var filter = LineFilterSettings()
    /// How many identities are remembered at most; nil leaves it as it is.
    var mostIdentities: Int?
    /// Whether answers say when they were given, to the second.
    var sendsDate = true

    init(_ server: ModelServer, _ settings: StreamerMachine.Settings, seed: UInt64, store: ModelStore = ModelStore())
        throws
    {
        self.server = server
        self.settings = settings
        self.store = store
        dice = Dice(seed: seed &+ 77)
        machine = StreamerMachine(settings, seed: seed)
        digest = try PageDigest(app: settings.app, dialect: settings.dialect)
    }

    var moment: StreamMoment { StreamMoment(monotonic: now - ModelServer.start + 5_000, wall: now) }

    /// A new process; the one before left nothing behind.
    mutating func boot(incarnation: Int) throws {
        var settings = settings
        // As the parent does: an explicit beginning is for the first process, and for the next while nothing is safe.
        if incarnation > 1, store.cursor != nil {
            settings.sinceNs = nil
            settings.tail = nil
        }
        machine = StreamerMachine(settings, seed: dice.next())
        if let mostIdentities { machine.ledger = MemoryLedger(most: mostIdentities) }
        digest = try PageDigest(app: settings.app, dialect: settings.dialect, filter: filter)
        sent = []
        fetch = nil
        timer = nil
        commitAt = .max
        _ = machine.started()
        _ = machine.registered(.success(Done()))
        let loaded = digest.load(store.chunks)
        perform(machine.cursorAnswered(.success(.init(cursor: store.cursor)), loaded: loaded, now: moment))
        perform(machine.tableAnswered(hasToken: true, now: moment))
    }

    mutating func crash() throws {
        crashes += 1
        try boot(incarnation: 1 + crashes)
    }

    /// The next thing that happens, if it does before `end`.
    mutating func step(until end: Int64) -> Bool {
        let next = min(fetch?.comes ?? .max, timer ?? .max, commitAt)
        guard next <= end, !isFinished else { return false }
        now = max(now, next)
        if let fetch, fetch.comes <= now {
            self.fetch = nil
            answer(fetch.cursor, served: fetch.served)
        } else if let due = timer, due <= now {
            timer = nil
            perform(machine.timerFired(now: moment))
        } else {
            commit(Int.random(in: 1...max(sent.count, 1), using: &dice))
        }
        return true
    }

    private mutating func answer(_ cursor: LogCursor?, served: Int64) {
        var body = server.page(cursor, now: served)
        if failOnce > 0, dice.once(in: failOnce) {
            if dice.once(in: 2) {
                let problem = StreamProblem.status(.server(status: 503, retryAfter: nil), redirectHost: nil)
                return perform(machine.fetchFailed(problem, now: moment))
            }
            if server.dialect == .platform { body.removeLast(Int.random(in: 1...body.count, using: &dice)) }
        }
        let page = body.withUnsafeBytes { digest.read($0, order: machine.pageOrder) }
        telemetry.late += page.late
        telemetry.repeated += page.repeated
        telemetry.filtered += page.filtered
        var summary = page.contents.summary(unseenCount: page.unseen)
        if sendsDate { summary.servedAt = LogCursor(time: served - served % ModelServer.second) }
        let batches = page.batches.map(\.summary)
        let open = digest.openCount
        let effects =
            if let error = page.error {
                machine.fetchFailed(.page(error), batches: batches, open: open, reached: summary.latest, now: moment)
            } else {
                machine.pageRead(summary, batches: batches, open: open, times: page.times, now: moment)
            }
        perform(effects, page.batches)
    }

    mutating func perform(_ effects: [StreamerEffect], _ batches: [Batch] = []) {
        for effect in effects {
            switch effect {
            case .fetch(let cursor):
                requests += 1
                let latency = Int64.random(in: 1_000_000...300_000_000, using: &dice)
                fetch = (cursor, now + Int64.random(in: 0...latency, using: &dice), now + latency)
            case .arm(let milliseconds): timer = now + milliseconds * 1_000_000
            case .disarm: timer = nil
            case .send(let orders):
                for (order, batch) in zip(orders, batches) {
                    enqueue(
                        ModelBatch(
                            order: order, identities: batch.identities, lines: Self.messages(batch),
                            isReplay: batch.isReplay, count: Int(batch.count)))
                }
            case .sendPosition(let order): enqueue(ModelBatch(order: order, identities: digest.takeOpen()))
            case .sendNotice(let notice, let order):
                enqueue(ModelBatch(order: order, gap: notice.line(app: settings.app)))
            case .forget(let number): digest.forget(number)
            case .endReplay: digest.endReplay()
            case .log(let line): log.append(line)
            case .finish: isFinished = true
            case .register, .sayReady, .prepareTransport, .askCursor, .askTable, .resolveToken, .abortFetch, .giveWay:
                break
            }
        }
    }

    private mutating func enqueue(_ batch: ModelBatch) {
        sent.append(batch)
        if commitAt == .max { commitAt = now + Int64.random(in: 1...4_000_000_000, using: &dice) }
    }

    /// Commits the first batches.
    mutating func commit(_ number: Int) {
        for batch in sent.prefix(number) {
            if batch.isReplay {
                replayed += batch.lines
                continue
            }
            store.lines += batch.lines
            if let gap = batch.gap { store.gaps.append(gap) }
            if let chunk = batch.order.chunk { store.chunks.append((chunk, batch.identities)) }
            store.chunks.removeAll { $0.number < batch.order.firstKept }
            guard !batch.order.cursor.isEmpty else { continue }
            store.cursor = batch.order.cursor
            if store.firstPosition == nil { store.firstPosition = try? StreamPosition(batch.order.cursor) }
        }
        let last = sent.prefix(number).last?.order.number
        sent.removeFirst(min(number, sent.count))
        commitAt = sent.isEmpty ? .max : now + Int64.random(in: 1...4_000_000_000, using: &dice)
        if let last { perform(machine.acknowledged(last, now: moment)) }
    }

    static func messages(_ batch: Batch) -> [String] {
        let bytes = UnsafeRawBufferPointer(start: batch.slab.base, count: batch.end)[EntriesFrame.headroom...]
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let rest = line.components(separatedBy: #""message":""#)[1]
            return String(rest.prefix { $0 != "\"" })
        }
    }
}
