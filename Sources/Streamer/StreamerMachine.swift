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
        /// How the log is read.
        package var rules: CursorMachine.Rules
        /// Where people want to begin, in ns since 1970.
        package var sinceNs: Int64?
        /// With how many of the newest lines people want to begin.
        package var tail: Int?
        /// Whether to wait for new lines.
        package var follow: Bool
        /// Whether a sink that keeps its position takes part.
        package var hasKeepers: Bool

        package init(
            app: AppName, dialect: Dialect, pollIntervalMs: Int64, rules: CursorMachine.Rules = CursorMachine.Rules(),
            sinceNs: Int64? = nil, tail: Int? = nil, follow: Bool = true, hasKeepers: Bool = false
        ) {
            self.app = app
            self.dialect = dialect
            self.pollIntervalMs = pollIntervalMs
            self.rules = rules
            self.sinceNs = sinceNs
            self.tail = tail
            self.follow = follow
            self.hasKeepers = hasKeepers
        }
    }

    /// What is waited for.
    enum Phase: Equatable {
        case idle, registering, askingCursor, askingTable, resolvingToken, fetching
        /// For the timer, then this.
        case waiting(then: Step)
        /// For acknowledgements, before the next fetch.
        case throttled
        /// For the acknowledgement of everything sent: all that was wanted is read.
        case completing
        /// The same, because the parent asked for an end.
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
    var ledger = MemoryLedger()
    /// The position that the batches sent so far carry, and when it was sent last.
    var sent: StreamPosition?
    var sentAt: Int64 = 0
    /// The oldest chunk that is needed after `sent`.
    var sentFirstKept: UInt64 = 0
    var replay: PageOrder.Replay?
    var tail: TailSearch?
    /// What was committed before this process, while the search for the tail goes on.
    var committed: StreamPosition?
    /// Nanoseconds whose page limit was told of.
    var toldLimits: [LogCursor] = []
    var unacknowledged = UnacknowledgedBatches()
    var generator: SeededGenerator
    /// The state last said, by the problem's key; nil while it flows.
    var saidProblem: String?
    var saidMemoryIsFull = false
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
        cursors = CursorMachine(settings.rules)
        generator = SeededGenerator(seed: seed)
    }

    /// Whether the app's stream has begun, so that its end is worth a line.
    var hasBegun: Bool { isReady }

    /// How far the log is read; nil before reading began.
    package var position: StreamPosition? { cursors.position }

    // MARK: what happened

    /// The process was told to start.
    package mutating func started() -> [StreamerEffect] {
        precondition(phase == .idle, "a Streamer was started twice")
        return take(.register, now: StreamMoment(monotonic: 0, wall: 0))
    }

    /// The registry answered.
    package mutating func registered(_ answer: Result<Done, Failure>) -> [StreamerEffect] {
        guard phase == .registering else { return [] }
        switch answer {
        case .success:
            isReady = true
            phase = .askingCursor
            return flows() + [.sayReady, .askCursor, .prepareTransport]
        case .failure(let failure) where failure.code == .alreadyRegistered:
            phase = .finished
            return [.giveWay("app \(settings.app.text) is streamed by another worker already")]
        case .failure(let failure):
            return retry(.registry(failure), .register)
        }
    }

    /// The store answered; `loaded` are the chunks of its answer, as far as they are remembered now.
    package mutating func cursorAnswered(
        _ answer: Result<CursorRequest.Reply, Failure>, loaded: [LoadedChunk] = [], now: StreamMoment
    ) -> [StreamerEffect] {
        guard phase == .askingCursor else { return [] }
        switch answer {
        case .failure(let failure):
            // Never anywhere else: lines between the cursor and a guess would be lost.
            return retry(.store(failure), .askCursor)
        case .success(let reply):
            do {
                let committed = try reply.cursor.map { text throws(FlyAPIError) in try StreamPosition(text) }
                return begin(at: committed, loaded: loaded, now: now)
            } catch {
                return retry(.store(Failure(.failed, "\(error)")), .askCursor)
            }
        }
    }

    /// The shared cache answered with a token or with none.
    package mutating func tableAnswered(hasToken: Bool, now: StreamMoment) -> [StreamerEffect] {
        guard phase == .askingTable else { return [] }
        return take(hasToken ? .fetch : .resolveToken(rejected: false), now: now)
    }

    /// The AppServer answered.
    package mutating func tokenResolved(
        _ answer: Result<Void, Failure>, rejected: Bool, now: StreamMoment
    ) -> [StreamerEffect] {
        guard phase == .resolvingToken else { return [] }
        switch answer {
        case .success:
            tokenIsFresh = rejected
            controlBackoff.succeeded()
            return take(.fetch, now: now)
        case .failure(let failure) where failure.code == .noToken && rejected:
            // Nobody has another one, so the one that was refused is tried again: the API may have been wrong.
            return retry(.token(failure), .fetch)
        case .failure(let failure):
            return retry(.token(failure), .resolveToken(rejected: rejected))
        }
    }

    /// The time of the last `arm` has come.
    package mutating func timerFired(now: StreamMoment) -> [StreamerEffect] {
        switch phase {
        case .waiting(let step): return take(step, now: now)
        case .stopping:
            phase = .finished
            return [.finish]
        case .idle, .registering, .askingCursor, .askingTable, .resolvingToken, .fetching, .throttled, .completing,
            .finished:
            return []
        }
    }

    /// Every durable sink has this batch, and those before it, safe.
    package mutating func acknowledged(_ batch: UInt64, now: StreamMoment) -> [StreamerEffect] {
        unacknowledged.acknowledged(batch)
        switch phase {
        case .throttled where unacknowledged.hasRoom: return take(.fetch, now: now)
        case .stopping where unacknowledged.isEmpty, .completing where unacknowledged.isEmpty:
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
        return [.abortFetch, notice(.stopped), .arm(milliseconds: Self.stopWaitMs)]
    }

    // MARK: steps

    mutating func take(_ step: Step, now: StreamMoment) -> [StreamerEffect] {
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
            if tail != nil { return [.fetch(tail?.nextRequest(now: now.monotonic))] }
            return [.fetch(cursors.nextRequest(now: now.monotonic))]
        }
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
