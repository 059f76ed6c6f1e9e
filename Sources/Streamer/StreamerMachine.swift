// What a Streamer does next: register, learn the cursor, get a token, fetch, wait, stop. Inputs are what happened,
// outputs what to do; no clock, no I/O, no secret: of the token it knows only whether there is one.
//
// Invariants: at most one question or fetch is under way, and `phase` says which; an answer that nobody waits for any
// more changes nothing. Fetching stops while too much is unacknowledged. Each turn from flowing to failing, and back,
// is said once.

package import FlyAPI
package import WorkerProtocol

/// Decides for one app's stream.
package struct StreamerMachine {
    /// What does not change while the process lives.
    package struct Settings: Equatable, Sendable {
        package var app: AppName
        package var dialect: Dialect
        package var pollIntervalMs: Int64
        /// Where to begin although nothing is committed, in ns since 1970.
        package var sinceNs: Int64?
        /// Which start of this Streamer it is, from 1: only the first obeys `sinceNs` against a committed cursor.
        package var incarnation: Int

        package init(
            app: AppName, dialect: Dialect, pollIntervalMs: Int64, sinceNs: Int64? = nil, incarnation: Int = 1
        ) {
            self.app = app
            self.dialect = dialect
            self.pollIntervalMs = pollIntervalMs
            self.sinceNs = sinceNs
            self.incarnation = incarnation
        }
    }

    /// What is waited for.
    enum Phase: Equatable {
        case idle, registering, askingCursor, askingTable, resolvingToken, fetching
        /// For the timer, then this.
        case waiting(then: Step)
        /// For acknowledgements, before the next fetch.
        case throttled
        /// For the acknowledgement of everything sent.
        case stopping
        case finished
    }

    /// What follows a pause.
    enum Step: Equatable {
        case register, askCursor, askToken, resolveToken(rejected: Bool), fetch
    }

    /// How long a stop waits for acknowledgements, in ms: well within the default grace of 5 s.
    package static let stopWaitMs: Int64 = 2000

    package let settings: Settings
    var phase = Phase.idle
    var cursors: CursorMachine
    /// The cursor that the batches sent so far carry.
    var sentCursor: LogCursor?
    var unacknowledged = UnacknowledgedBatches()
    var generator: SeededGenerator
    /// The state last said, by the problem's key; nil while it flows.
    var saidProblem: String?
    /// Whether the token in use was fetched because the one before was refused, and did not work yet.
    var tokenIsFresh = false
    private var isReady = false

    var controlBackoff = FetchBackoff(first: .milliseconds(100), longest: .seconds(5))
    var fetchBackoff = FetchBackoff()
    /// For 403 and 404, which seldom change by themselves.
    var refusedBackoff = FetchBackoff(first: .seconds(5), longest: .seconds(30))
    /// For a token refused twice: each new try may make a new token somewhere, so tries are rare.
    var unauthorizedBackoff = FetchBackoff(first: .seconds(30), longest: .seconds(600))

    /// A machine that has not started; `seed` is for the jitter of pauses.
    package init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        cursors = CursorMachine(dialect: settings.dialect)
        generator = SeededGenerator(seed: seed)
    }

    /// Whether the app's stream has begun, so that its end is worth a line.
    var hasBegun: Bool { isReady }

    // MARK: what happened

    /// The process was told to start.
    package mutating func started() -> [StreamerEffect] {
        precondition(phase == .idle, "a Streamer was started twice")
        return take(.register)
    }

    /// The registry answered.
    package mutating func registered(_ answer: Result<Done, Failure>) -> [StreamerEffect] {
        guard phase == .registering else { return [] }
        switch answer {
        case .success:
            isReady = true
            let recovery = flows()
            let begin = settings.incarnation <= 1 ? settings.sinceNs : nil
            guard let begin else { return recovery + [.sayReady] + take(.askCursor) + [.prepareTransport] }
            cursors = CursorMachine(dialect: settings.dialect, cursor: LogCursor(time: begin))
            return recovery + [.sayReady] + take(.askToken) + [.prepareTransport]
        case .failure(let failure) where failure.code == .alreadyRegistered:
            phase = .finished
            return [.giveWay("app \(settings.app.text) is streamed by another worker already")]
        case .failure(let failure):
            return retry(.registry(failure), .register)
        }
    }

    /// The store answered; `now` is in ns since 1970.
    package mutating func cursorAnswered(
        _ answer: Result<CursorRequest.Reply, Failure>, now: Int64
    ) -> [StreamerEffect] {
        guard phase == .askingCursor else { return [] }
        switch answer {
        case .failure(let failure):
            // Never anywhere else: lines between the cursor and a guess would be lost.
            return retry(.store(failure), .askCursor)
        case .success(let reply):
            do {
                return begin(at: try reply.cursor.map { text throws(FlyAPIError) in try LogCursor(text) }, now: now)
            } catch {
                return retry(.store(Failure(.failed, "\(error)")), .askCursor)
            }
        }
    }

    /// The shared cache answered with a token or with none.
    package mutating func tableAnswered(hasToken: Bool) -> [StreamerEffect] {
        guard phase == .askingTable else { return [] }
        return take(hasToken ? .fetch : .resolveToken(rejected: false))
    }

    /// The AppServer answered.
    package mutating func tokenResolved(_ answer: Result<Void, Failure>, rejected: Bool) -> [StreamerEffect] {
        guard phase == .resolvingToken else { return [] }
        switch answer {
        case .success:
            tokenIsFresh = rejected
            controlBackoff.succeeded()
            return take(.fetch)
        case .failure(let failure):
            return retry(.token(failure), .resolveToken(rejected: rejected))
        }
    }

    /// The time of the last `arm` has come.
    package mutating func timerFired() -> [StreamerEffect] {
        switch phase {
        case .waiting(let step): return take(step)
        case .stopping:
            phase = .finished
            return [.finish]
        case .idle, .registering, .askingCursor, .askingTable, .resolvingToken, .fetching, .throttled, .finished:
            return []
        }
    }

    /// A sink has this batch, and those before it, safe.
    package mutating func acknowledged(_ batch: UInt64) -> [StreamerEffect] {
        unacknowledged.acknowledged(batch)
        switch phase {
        case .throttled where unacknowledged.hasRoom: return take(.fetch)
        case .stopping where unacknowledged.isEmpty:
            phase = .finished
            return [.disarm, .finish]
        default: return []
        }
    }

    /// The parent asked for an orderly end.
    package mutating func stopRequested() -> [StreamerEffect] {
        guard phase != .stopping, phase != .finished else { return [] }
        guard hasBegun else {
            phase = .finished
            return [.disarm, .finish]
        }
        phase = .stopping
        let line = StreamNotice.stopped.line(app: settings.app)
        let batch = unacknowledged.add([line.utf8.count])
        return [.abortFetch, .sendNotice(.stopped, batch: batch), .arm(milliseconds: Self.stopWaitMs)]
    }

    // MARK: steps

    mutating func take(_ step: Step) -> [StreamerEffect] {
        switch step {
        case .register:
            phase = .registering
            return [.register]
        case .askCursor:
            phase = .askingCursor
            return [.askCursor]
        case .askToken:
            phase = .askingTable
            return [.askTable]
        case .resolveToken(let rejected):
            phase = .resolvingToken
            return [.resolveToken(rejected: rejected)]
        case .fetch:
            guard unacknowledged.hasRoom else {
                phase = .throttled
                return []
            }
            phase = .fetching
            return [.fetch(cursors.cursor)]
        }
    }

    private mutating func begin(at committed: LogCursor?, now: Int64) -> [StreamerEffect] {
        let since = settings.sinceNs.map { LogCursor(time: $0) }
        let start = StreamStart(committed: committed ?? since, now: now, overlap: 0)
        cursors = CursorMachine(dialect: settings.dialect, cursor: start.cursor)
        var effects = flows()
        if let gap = start.gap {
            let notice = StreamNotice.gap(gap)
            let batch = unacknowledged.add([notice.line(app: settings.app).utf8.count])
            effects.append(.sendNotice(notice, batch: batch))
        }
        return effects + take(.askToken)
    }
}

/// Steele, Lea and Flood's SplitMix, so that the same seed gives the same pauses.
struct SeededGenerator: RandomNumberGenerator, Equatable, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
