// The Streamer as a worker: carries out what its machine decides, on the loop, with libcurl and the pipe to the parent.
//
// It holds the token, and nothing else does: the machine and all messages know it by its fingerprint at most.

internal import EventLoop
internal import FlyAPI
package import Framing
internal import HTTPClient
internal import LogPages
internal import WorkerProtocol
package import WorkerRuntime

/// Streams the log of one app to the parent.
package final class StreamerService: WorkerService {
    static let telemetryIntervalMs: Int64 = 10_000
    static let registerTimeoutMs: Int64 = 3000
    /// A token command may take 15 s, and others may be waited for before it.
    static let resolveTimeoutMs: Int64 = 60_000
    /// What an earlier Streamer sent is committed first, and a sink may make that wait.
    static let cursorTimeoutMs: Int64 = 60_000

    let worker: Worker
    let settings: StreamerSettings
    let app: AppName
    let dialect: Dialect
    let baseURL: BaseURL
    var machine: StreamerMachine
    private var digest: PageDigest
    /// Batches of the page at hand, until the machine has them sent.
    var batches: [Batch] = []
    private let timer: LoopTimer
    private let telemetryTimer: LoopTimer
    var client: HTTPClient?
    private var token: Token?
    private var authorization: AuthorizationHeader?
    private var counters = StreamerTelemetry()
    private var reportedCounters = StreamerTelemetry()

    /// - Throws: ``FlyAPIError`` or a decoding error when the settings make no sense.
    package init(_ worker: Worker) throws {
        self.worker = worker
        settings = try worker.settings(StreamerSettings.self)
        app = try AppName(settings.appName)
        dialect = try Dialect(flag: settings.dialect)
        baseURL = try BaseURL(settings.apiURL)
        digest = try PageDigest(app: app, dialect: dialect, filter: settings.filter)
        let rules = CursorMachine.Rules(
            overlap: UInt64(min(max(settings.overlapMs, 0), 86_400_000)) * 1_000_000,
            until: settings.untilNs.map { LogCursor(time: $0) })
        machine = StreamerMachine(
            StreamerMachine.Settings(
                app: app, dialect: dialect, pollIntervalMs: settings.pollIntervalMs, rules: rules,
                sinceNs: settings.sinceNs, tail: settings.tail, follow: settings.follow,
                hasKeepers: settings.hasKeepers),
            seed: monotonicNanoseconds())
        timer = LoopTimer(worker.loop)
        telemetryTimer = LoopTimer(worker.loop)
    }

    package func start() {
        telemetryTimer.start(after: Self.telemetryIntervalMs, repeating: Self.telemetryIntervalMs) { [unowned self] in
            reportCounters()
        }
        perform(machine.started())
    }

    package func receive(_ acknowledgement: Acknowledgement) {
        perform(machine.acknowledged(acknowledgement.batch, now: now))
    }

    package func stop() {
        perform(machine.stopRequested())
    }

    /// Carries out what the machine decided.
    func perform(_ effects: [StreamerEffect]) {
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: StreamerEffect) {
        switch effect {
        case .register, .askCursor, .askTable, .resolveToken: ask(effect)
        case .sayReady: worker.ready()
        case .prepareTransport: prepareTransport()
        case .fetch(let cursor): fetch(cursor)
        case .abortFetch: client?.cancel()
        case .arm(let milliseconds):
            timer.start(after: milliseconds) { [unowned self] in perform(machine.timerFired(now: now)) }
        case .disarm: timer.stop()
        case .send(let outgoing):
            for (order, batch) in zip(outgoing, batches) { send(batch, order) }
        case .sendPosition(let order):
            var batch = Batch("", count: 0)
            batch.identities = digest.takeOpen()
            send(batch, order)
        case .sendNotice(let notice, let order):
            send(Batch(notice.line(app: app)), order)
            if case .gap(let gap) = notice { report(gap) }
        case .forget(let identities): digest.forget(identities)
        case .endReplay: digest.endReplay()
        case .log(let line): worker.log(line)
        case .giveWay(let reason): worker.fail(WorkerExit.ignore, reason)
        case .finish:
            reportCounters()
            worker.finish()
        }
    }

    /// Keeps the token, or explains why it cannot be used.
    func accept(_ token: Token) {
        self.token = token
        authorization = try? AuthorizationHeader(token: token.value)
    }

    /// The fingerprint of the token in use.
    var fingerprint: String? { token?.fingerprint }

    // MARK: fetching

    private func prepareTransport() {
        guard client == nil else { return }
        do {
            client = try HTTPClient(worker.loop)
        } catch {
            worker.fail(WorkerExit.unavailable, "\(error)")
        }
    }

    private func fetch(_ cursor: LogCursor?) {
        prepareTransport()
        guard let authorization else {
            let reason = Failure(.failed, "the token given is not usable: get one with 'fly tokens create readonly'")
            return perform(machine.fetchFailed(.token(reason), now: now))
        }
        let page = LogRequest(
            baseURL: baseURL, dialect: dialect, app: app, cursor: cursor, region: settings.region,
            instance: settings.machine)
        let request = HTTPRequest(
            url: page.url,
            headers: [.init("Authorization", authorization.value), .init("User-Agent", "flyfleet")],
            bodyLimit: PageLimits.maximumBytes, caFile: settings.caFile)
        client?.get(request) { [unowned self] result in
            switch result {
            case .success(let response): answered(response)
            case .failure(let failure):
                counters.errors += 1
                perform(machine.fetchFailed(.transport(failure), now: now))
            }
        }
    }

    private func answered(_ response: HTTPResponse) {
        let failure = FetchFailure.classify(
            status: response.status, retryAfter: response.retryAfter, now: wallClockMilliseconds() * 1_000_000)
        if let failure {
            counters.errors += 1
            return perform(machine.fetchFailed(.status(failure, redirectHost: response.redirectHost), now: now))
        }
        let page = digest.read(response.body, order: machine.pageOrder)
        batches = page.batches
        count(page, bytes: response.body.count)
        let summaries = page.batches.map(\.summary)
        var summary = page.contents.summary(unseenCount: page.unseen)
        summary.servedAt = response.date.flatMap { LogCursor(httpDate: $0) }
        if let error = page.error {
            perform(
                machine.fetchFailed(
                    .page(error), batches: summaries, open: digest.openCount, reached: summary.latest, now: now))
        } else {
            perform(
                machine.pageRead(summary, batches: summaries, open: digest.openCount, times: page.times, now: now))
        }
        batches = []
    }

    /// This moment.
    var now: StreamMoment {
        StreamMoment(
            monotonic: Int64(clamping: monotonicNanoseconds()), wall: wallClockMilliseconds() * 1_000_000)
    }

    /// Remembers what the store remembers.
    func load(_ memory: [CursorRequest.MemoryChunk]) -> [LoadedChunk] {
        digest.load(
            memory.map { chunk in
                ([UInt8](chunk.identities)).withUnsafeBytes { (chunk.number, IdentityBytes.read($0)) }
            })
    }

    // MARK: sending

    private func send(_ batch: Batch, _ order: OutgoingBatch) {
        if let chunk = order.chunk {
            worker.send(
                BatchMemory(
                    appName: app.text, batch: order.number, chunk: chunk, firstKept: order.firstKept,
                    identities: batch.identities))
        }
        let head = EntriesHead(appName: app.text, batch: order.number, count: batch.count, cursor: order.cursor)
        do {
            let kind: FrameKind = batch.isReplay ? .replay : .entries
            worker.send(try EntriesFrame.build(head, kind: kind, slab: batch.slab, end: batch.end))
        } catch {
            worker.fail(WorkerExit.protocolError, "could not send a batch: \(error)")
        }
    }

    // MARK: counting

    private func count(_ page: DigestedPage, bytes: Int) {
        counters.entries += page.batches.reduce(0) { $0 + UInt64($1.count) }
        counters.repeated += UInt64(page.repeated)
        counters.late += UInt64(page.late)
        counters.filtered += UInt64(page.filtered)
        counters.skipped += page.contents.malformedCount + UInt64(page.oversized)
        counters.bytes += UInt64(bytes)
        if page.error == nil { counters.pages += 1 } else { counters.errors += 1 }
    }

    private func report(_ gap: GapNotice) {
        counters.gaps += 1
        var report = counters
        report.gap = gap
        reportedCounters = counters
        worker.send(.telemetry, message: report)
    }

    private func reportCounters() {
        var news = counters
        // Empty pages are no news.
        (news.pages, news.bytes) = (reportedCounters.pages, reportedCounters.bytes)
        guard news != reportedCounters else { return }
        reportedCounters = counters
        worker.send(.telemetry, message: counters)
    }
}
