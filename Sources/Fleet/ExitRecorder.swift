// Takes note of the exits of leaves and brings them to the store: one batch at a time, repeated until the store has it.

internal import EventLoop
internal import Glibc
internal import Supervision
internal import WorkerProtocol

/// Takes exits and sends them.
///
/// Confined to the loop.
final class ExitRecorder {
    typealias Completion = (Result<Done, Failure>) -> Void
    /// How long the store may take for a batch, in ms.
    static let timeoutMs: Int64 = 10_000
    /// How long a store that did not take a batch is left alone, in ms.
    private static let retryMs: Int64 = 1_000

    private let run: String
    private let send: (RecordExitsRequest, @escaping Completion) -> Void
    private let complain: (String) -> Void
    private var history = ExitHistory()
    private let retryTimer: LoopTimer
    private var isResting = false
    private var lastComplaint: String?

    /// - Parameters:
    ///   - run: names this run of the fleet in the history, among all there ever were.
    ///   - send: asks the store; its completion is called once, at once or later.
    ///   - complain: tells a person that exits are not recorded; not again for each attempt.
    init(
        _ loop: Loop, run: String = ExitRecorder.newRun(),
        send: @escaping (RecordExitsRequest, @escaping Completion) -> Void, complain: @escaping (String) -> Void
    ) {
        self.run = run
        self.send = send
        self.complain = complain
        retryTimer = LoopTimer(loop)
    }

    /// A name that no other run has.
    static func newRun() -> String {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Takes note of the end of a leaf; any other turn of a life is ignored.
    ///
    /// - Parameter process: nil where none could be made.
    func record(_ report: SupervisionReport, process: ProcessFacts?) {
        guard case .exited(let reason, let uptimeMs) = report.turn else { return }
        var detail: String?
        if case .crash(let words) = reason { detail = words }
        history.add(
            ExitRecord(
                sequence: 0, timeMs: wallClockMilliseconds(), path: report.path,
                pid: process.flatMap { $0.pid > 0 ? $0.pid : nil }, incarnation: report.incarnation,
                exit: process?.exit.map(ExitRecord.Exit.init), reason: reason.name, detail: detail,
                uptimeMs: uptimeMs, stderr: process?.lastWords ?? []))
        sendNext()
    }

    /// The store is ready: what waited for it goes on, its own end included.
    func storeIsReady() {
        rest(false)
        sendNext()
    }

    /// Hands the store everything that is not on its way, so that its stop frame comes after it.
    ///
    /// Nobody waits for the answers: should the store come back, all is sent again.
    func flushToStore() {
        for batch in history.unsent() { send(RecordExitsRequest(run: run, exits: batch)) { _ in } }
    }

    private func sendNext() {
        guard !isResting, let batch = history.begin() else { return }
        send(RecordExitsRequest(run: run, exits: batch)) { [unowned self] answer in
            switch answer {
            case .success:
                history.succeed()
                lastComplaint = nil
                sendNext()
            case .failure(let failure):
                failed(failure)
            }
        }
    }

    private func failed(_ failure: Failure) {
        switch failure.code {
        case .badRequest:
            history.refuse()
            complainOnce("exits are not recorded: \(failure.message)")
            sendNext()
        case .unknownMethod:
            // Another build's store; only another process can know more.
            history.fail()
            rest(true)
            complainOnce("exits are not recorded: \(failure.message)")
        default:
            history.fail()
            rest(true)
            retryTimer.start(after: Self.retryMs) { [unowned self] in storeIsReady() }
            // A store that is not there is said elsewhere.
            if failure.code != .unavailable { complainOnce("exits are recorded later: \(failure.message)") }
        }
    }

    private func rest(_ resting: Bool) {
        isResting = resting
        retryTimer.stop()
    }

    private func complainOnce(_ complaint: String) {
        guard complaint != lastComplaint else { return }
        lastComplaint = complaint
        complain(complaint)
    }
}

extension ExitRecord.Exit {
    /// A wait status in the words of the events file.
    init(_ exit: ProcessExit) {
        switch exit {
        case .exited(let code): self.init(code: code, signal: nil)
        case .signaled(let signal, let coreDumped):
            self.init(code: nil, signal: SignalName.of(signal), coreDumped: coreDumped)
        case .outOfMemory: self.init(code: nil, signal: SignalName.of(SIGKILL), outOfMemory: true)
        }
    }
}
