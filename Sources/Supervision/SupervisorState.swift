// One supervisor as the machine knows it: OTP's state record, with the operation that OTP's process would be blocked in
// written out as data.

/// Why a supervisor goes down.
enum DownCause: Hashable, Sendable {
    /// Its parent, or the operator of the root, asked.
    case asked
    /// One of its children did not start when it did (R6).
    case startFailed(StartFailure)
    /// R35.
    case gaveUp(GiveUp)
    /// R39.
    case autoShutdown
}

/// A call that waits for its turn; ids are resolved when it comes.
enum Call: Hashable, Sendable {
    case startChild(ChildSpec)
    case terminateChild(id: String)
    case restartChild(id: String)
    case deleteChild(id: String)
}

/// What waits in a supervisor's mailbox.
enum Message: Hashable, Sendable {
    /// A child ended by itself.
    case exited(slot: Int, serial: UInt64)
    /// OTP's `try_again_restart`.
    case retry(slot: Int, serial: UInt64)
    case call(Call, request: UInt64)
}

/// What a static supervisor is busy with.
///
/// While there is one, its mailbox waits (R29).
enum Operation: Sendable {
    /// Starting children one after the other, in start order.
    struct Start: Sendable {
        enum Purpose: Hashable, Sendable {
            case initial
            case restart(RestartReport)
            case request(UInt64, isNew: Bool)
        }
        /// Position of the next child to start.
        var next: Int
        /// Position after the last.
        let end: Int
        /// The child being started.
        var current: Int?
        let purpose: Purpose
    }

    /// Stopping children one after the other, in reverse start order (R29).
    struct Stop: Sendable {
        enum Purpose: Hashable, Sendable {
            /// Then the same set is started again, not before that time.
            case restart(subject: Int, RestartReport, notBefore: Timestamp)
            case request(UInt64)
            /// Then this supervisor is down.
            case down
        }
        /// Position of the next child to stop.
        var next: Int
        /// Position of the last.
        let lowest: Int
        /// The child being stopped.
        var current: Int?
        var purpose: Purpose
    }

    case start(Start)
    case stop(Stop)
}

/// A supervisor's run-time state.
struct SupervisorState: Sendable {
    enum Phase: Hashable, Sendable {
        case down
        case starting
        /// Its static children have been started; OTP's main loop.
        case up
        case stopping(DownCause)
    }

    /// In place of a child that is gone for good, until the list is compacted: positions stay valid meanwhile.
    static let tombstone = -1

    /// Its own node.
    let node: Int
    let spec: SupervisorSpec
    var phase = Phase.down
    /// Slots in start order, tombstones among them.
    var children: [Int] = []
    /// Children without the tombstones.
    var childCount = 0
    var operation: Operation?
    var mailbox = FIFO<Message>()
    /// Calls in the mailbox.
    var waitingCalls = 0
    var window: RestartWindow
    /// Whether it is restarting children, or going down by itself, and stops the clocks of restart windows by that.
    var stopsWindows = false
    /// Supervisors that do, itself and all below it: its window's clock runs when there are none.
    var busyBelow = 0
    /// Its children's nodes are as the specification says and none has been started.
    var isFresh = false

    init(node: Int, spec: SupervisorSpec) {
        self.node = node
        self.spec = spec
        window = RestartWindow(spec.intensity)
    }
}
