// A process of the simulated world: what a kernel knows of it, what it is going to do, and what the parent's driver has
// seen of it so far. Data only; Simulation+Kernel moves it.

internal import EventLoop
internal import Fleet

/// The signals that the parent sends.
enum VirtualSignal {
    case terminate
    case kill
}

/// Exit codes that mean something; `WorkerExit` of the worker protocol has them all.
enum VirtualExit {
    static let parentGone: Int32 = 80
    /// Before ready: there is nothing to do.
    static let ignore: Int32 = 81
    static let protocolError: Int32 = 82
}

/// A frame to a worker, as far as the simulation cares.
enum InputFrame {
    case configure
    case ping
    case stop
    /// A batch for the sink, by its index.
    case batch(Int)
    /// A commit for the store.
    case commit(Int)
    /// A cursor for a Streamer that asked where to begin, and the number of the last identities.
    case cursor(Int, chunk: UInt64)
    /// Its batches up to this number are committed.
    case acknowledged(UInt64)
}

/// A frame from a worker.
enum OutputFrame {
    case ready
    case pong
    case goodbye
    case garbage
    /// A Streamer asks where to begin.
    case cursorWanted
    case memory(Int)
    case batch(Int)
    case acknowledgement(batch: Int, position: Int)
    case commitReply(Int, committed: Bool)
}

/// What a worker does by itself.
enum WorkerAct {
    case becomesReady
    case becomesReadyAgain
    case exits(ProcessExit, goodbye: Bool)
    case hangs
    case isStopped(milliseconds: Int64?)
    case breaksProtocol
    case floodsErrors
    case closesOutput
    /// The end of a stop it was asked for.
    case stops(ProcessExit, goodbye: Bool)
    case sendsBatch
    case settlesBatch(Int)
    case settlesCommit(Int)

    /// Whether it goes wrong by this: not once the faults have ceased.
    var isFault: Bool {
        switch self {
        case .becomesReady, .stops, .sendsBatch, .settlesBatch, .settlesCommit: false
        default: true
        }
    }

    /// Whether it happens to a process that does nothing by itself any more.
    var isFromOutside: Bool {
        switch self {
        case .exits(.signaled, _), .exits(.outOfMemory, _), .isStopped: true
        default: false
        }
    }
}

/// What a worker is going to do, drawn when it is made.
struct WorkerBehaviour {
    enum Beginning {
        case ready(afterMs: Int64)
        case never
        case exits(afterMs: Int64, ProcessExit)
    }

    enum Stopping {
        case ends(afterMs: Int64, ProcessExit, goodbye: Bool)
        case ignores
    }

    var beginning = Beginning.ready(afterMs: 0)
    var isReadyTwice = false
    /// What becomes of it, and how long after ready.
    var fate: (afterMs: Int64, act: WorkerAct)?
    var stopping = Stopping.ends(afterMs: 0, .exited(code: 0), goodbye: true)
    var ignoresTerminate = false
    /// How long SIGKILL takes.
    var killMs: Int64 = 0
    /// How long somebody else holds its pipes after its end; nil when nobody does.
    var pipesHeldMs: Int64?
}

/// A process.
struct VirtualProcess {
    /// Frames that a pipe takes before its writer has to wait.
    static let pipeFrames = 12

    let identity: WorkerIdentity
    /// Index of its leaf.
    let leaf: Int
    let behaviour: WorkerBehaviour

    // What the kernel knows.
    /// How it ended; nil while it lives.
    var exit: ProcessExit?
    var isStopped = false
    /// SIGKILL came and has not worked yet.
    var isDying = false
    /// Somebody else holds its pipes.
    var pipesAreHeld = false
    var outputIsClosed = false
    /// Frames it has written; those beyond the pipe's room are still in its own hands.
    var output: [OutputFrame] = []
    /// Lines in its stderr pipe.
    var errorLines = 0
    var input: [InputFrame] = []

    // What it does.
    var isConfigured = false
    var isHung = false
    var isAskedToStop = false
    var hasTermPending = false
    var postponed: [WorkerAct] = []
    /// It could not answer pings at some time of its life, for whatever reason.
    var wasUnresponsive = false

    // What the driver has seen and done.
    var isAnswered = false
    var exitWasTold = false
    var outputEndWasTold = false
    var errorsEndWasTold = false
    var readyWasTold = false
    var goodbyeWasTold = false
    var brokeProtocol = false
    var isPaused = false
    var wasToldToStop = false
    var isDiscarded = false
    var kills = 0
    var terminations = 0
    var exitToldAtMs: Int64 = 0
    /// How long the parent had stood still by then, as it says itself, in ms.
    var stoodStillAtExitMs: Int64 = 0
    /// When the machine last had a sign of it, by the oracle's own reckoning.
    var lastHeardMs: Int64 = 0

    var isAlive: Bool { exit == nil }

    /// Whether it acts by itself at present.
    var isResponsive: Bool { exit == nil && !isStopped && !isHung && !isDying }

    /// Whether its stdout has ended for whoever has read all of it.
    var outputHasEnded: Bool { (exit != nil || outputIsClosed) && !pipesAreHeld }
    var errorsHaveEnded: Bool { exit != nil && !pipesAreHeld }
}
