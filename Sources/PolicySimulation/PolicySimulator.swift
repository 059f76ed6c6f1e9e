// Runs a policy file: the real SupervisionTree, processes that exist only here, and time that passes only when nothing
// is left to do. It is a driver like the fleet's; the difference is what it drives. The same file and options give the
// same lines, byte for byte.
//
// Order of things at one time: what processes and deadlines have due comes before the script's entry, an entry and all
// that follows from it before the next. Simultaneous exits are put before each supervisor together, as if they lay in
// its mailbox; the supervisors take their turns in the order of the file.

package import Supervision

/// What the command line adds to a policy file.
package struct PolicyOptions: Hashable, Sendable {
    /// In place of the file's clock.
    package var clock: RestartIntensity.Clock?
    /// Delays between restarts; nil is none.
    package var backoff: BackoffSettings?
    /// Of the delays' jitter.
    package var seed: UInt64 = 1
    /// Also tell of script entries, answers and states.
    package var isVerbose = false

    /// The options of a plain `flyfleet policy simulate FILE`.
    package init() {}
}

/// Runs one policy file; see ``PolicyFile`` for an example.
package struct PolicySimulator: Sendable {
    let names: PolicyNames
    let clock: RestartIntensity.Clock
    let isVerbose: Bool
    var tree: SupervisionTree
    var script: PolicyScript
    var output = PolicyOutput()
    var account: PolicyAccount
    /// Virtual time, in milliseconds since the start.
    var now: Int64 = 0
    /// Actions taken and states listed.
    var steps = 0
    var stepLimit = PolicyLimits.steps

    var agenda = PolicyAgenda()
    var processes: [String: PolicyProcess] = [:]
    var timings: [String: PolicyWorker.Timing] = [:]
    /// How the next starts of a path end, and how many.
    var nextStarts: [String: (outcome: StartOutcome, times: Int)] = [:]
    /// Exits that have happened and of which no supervisor has heard; one array for each supervisor.
    var unheard: [[PolicyProcess.Exit]] = []
    var calls: [UInt64: PendingCall] = [:]
    var lastRequest: UInt64 = 0

    private var hasBegun = false
    /// The present entry has settled when nothing more is due.
    private var isSettling = false

    /// A simulation that has not begun.
    ///
    /// - Throws: a fault that concerns the tree as a whole, or a name.
    package init(_ file: PolicyFile, options: PolicyOptions = PolicyOptions()) throws(PolicyFileError) {
        names = try PolicyNames(file)
        clock = options.clock ?? file.clock
        isVerbose = options.isVerbose
        // What goes beyond OTP and needs no asking for holds on the exact clock only.
        var settings = clock == .wholeSeconds ? .otp : SupervisionSettings(startTimeoutMilliseconds: nil)
        settings.backoff = options.backoff
        do {
            tree = try SupervisionTree(
                name: file.supervisor.id, spec: file.supervisor.spec(clock: clock), settings: settings,
                seed: options.seed)
        } catch {
            throw PolicyFileError(place: file.place(of: error.path), problem: .refused(error.description))
        }
        script = PolicyScript(file.script)
        account = PolicyAccount(names)
        for child in file.supervisor.children { learn(child, prefix: "") }
        for case .nextStarts(let name, let outcome, let times) in file.beforeStart {
            nextStarts[names.path(name)] = (outcome, times)
        }
    }

    /// The next lines of the output, a chunk at a time; nil when all has happened.
    ///
    /// - Throws: a fault when it takes more than `PolicyLimits.steps`.
    package mutating func next() throws(PolicyFileError) -> [UInt8]? {
        while output.bytes.count < PolicyOutput.chunkBytes {
            guard steps <= stepLimit else { throw PolicyFileError(place: "", problem: .endless) }
            guard advance() else { break }
        }
        return output.bytes.isEmpty ? nil : output.take()
    }

    /// Lets the next thing happen; false when there is none.
    private mutating func advance() -> Bool {
        if let event = agenda.popFirst(at: now) {
            happen(event)
        } else if !unheard.isEmpty {
            for exit in unheard.removeFirst() { tell(exit) }
        } else if isSettling {
            isSettling = false
            noteStates()
        } else if !hasBegun {
            hasBegun = true
            isSettling = true
            note("event") { [names] in $0.add("start", names.root) }
            feed(.startTree)
        } else if let time = nextDue, time <= script.nextTime ?? .max {
            now = max(now, time)
            guard let event = agenda.popFirst(at: now) else {
                feed(.time)
                return true
            }
            happen(event)
        } else if let time = script.nextTime {
            now = max(now, time)
            isSettling = true
            begin(script.popBatch())
        } else {
            return false
        }
        return true
    }

    /// When the next process event or deadline is due.
    private var nextDue: Int64? {
        let deadline = tree.nextDeadline?.milliseconds
        guard let event = agenda.nextTime else { return deadline }
        return min(event, deadline ?? .max)
    }

    /// Gives an event to the tree and does what it says.
    mutating func feed(_ event: SupervisionEvent) {
        let actions = tree.handle(event, at: Timestamp(milliseconds: now))
        steps += actions.count + 1
        for (index, action) in actions.enumerated() {
            switch action {
            case .start(let path, let incarnation): startProcess(path, incarnation)
            case .stop(let path, let incarnation): askProcess(path, incarnation)
            case .terminate: break  // It has been asked already; `stop_ms` counts from there.
            case .kill(let path, let incarnation, _): killProcess(path, incarnation)
            case .report(let report):
                // A worker's start follows its report at once; a supervisor has no such action.
                var isWorker = false
                if index + 1 < actions.count, case .start = actions[index + 1] { isWorker = true }
                account.note(
                    report, startsWorker: isWorker, process: processes[report.path], at: now, &output)
            case .reply(let request, let answer): take(answer, to: request)
            case .finished(let reason): account.noteEnd(reason, at: now, &output)
            }
        }
    }

    /// Remembers what the processes below a child are like.
    mutating func learn(_ child: PolicyChild, prefix: String) {
        for (path, timing) in child.timings(prefix: prefix) { timings[path] = timing }
    }
}
