// One run of the token command, from its start to its outcome.
//
// Invariant: `completion` is called once, when the launcher was reaped and its output was read to the end, or given up
// on: something that left the command's group may hold the pipes for ever.

package import EventLoop
internal import Glibc
internal import WorkerProtocol

/// Runs a command that prints a token.
package final class CommandRun {
    /// The most that is read of a command's stdout, in bytes.
    package static let mostOutput = 64 * 1024
    /// How much of the end of stderr is kept, in bytes.
    private static let mostErrors = 4 * 1024
    /// How long the launcher may take to end its command before it is killed itself, in ms.
    private static let killGraceMs: Int64 = 1000
    /// How long output may go on after the launcher's end, in ms.
    private static let drainMs: Int64 = 500

    private let loop: Loop
    private let program: String
    private let output: PipeTail
    private let errors: PipeTail
    private let timer: LoopTimer
    private var child: ChildProcess?
    private var exit: ProcessExit?
    /// Why the command was ended by us, if it was.
    private var verdict: SkipReason?
    private var completion: ((Result<String, SkipReason>) -> Void)?

    /// Starts the command.
    ///
    /// - Parameters:
    ///   - launcher: the executable that has ``CommandLauncher`` in it; its own image unless told otherwise.
    ///   - environment: the command's whole environment.
    ///   - completion: gets the token's text, or why there is none. Called once, never before this returns.
    package init(
        _ loop: Loop, launcher: String = "/proc/self/exe", words: [String], environment: [String: String],
        timeoutMs: Int64, completion: @escaping (Result<String, SkipReason>) -> Void
    ) {
        self.loop = loop
        self.completion = completion
        program = TokenText.redacted(words[0].split(separator: "/").last ?? "")
        output = PipeTail(limit: Self.mostOutput)
        errors = PipeTail(limit: Self.mostErrors)
        timer = LoopTimer(loop)
        do {
            try start(launcher, words, environment)
            timer.start(after: timeoutMs) { [unowned self] in
                end(because: SkipReason("\(program) did not end within \(timeoutMs) ms and was killed"))
            }
        } catch {
            verdict = SkipReason("\(program) was not run: \(error)")
            timer.start(after: 0) { [unowned self] in finish() }
        }
    }

    /// Ends the command and everything in its group; the completion follows.
    package func cancel() {
        end(because: SkipReason("\(program) was ended before it was done"))
    }

    private func start(_ launcher: String, _ words: [String], _ environment: [String: String]) throws {
        var variables = environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        variables.removeAll { $0.name == WorkerLaunch.parentPidVariable }
        variables.append((WorkerLaunch.parentPidVariable, String(getpid())))
        let request = SpawnRequest(
            executable: launcher, arguments: [CommandLauncher.runFlag] + words, environment: variables,
            ownSession: false)
        let child = try ChildProcess(loop, request) { [self] exit in
            self.exit = exit
            timer.start(after: Self.drainMs) { [unowned self] in finish() }
            finishWhenRead()
        }
        self.child = child
        // Nothing to read: a command that prompts finds the end of its input.
        child.input.close()
        output.onOverflow = { [unowned self] in
            end(because: SkipReason("\(program) printed more than \(Self.mostOutput) bytes and was killed"))
        }
        for (tail, reader) in [(output, child.output), (errors, child.errors)] {
            tail.onEnd = { [unowned self] in finishWhenRead() }
            reader.delegate = tail
            reader.resume()
        }
    }

    private func end(because reason: SkipReason) {
        guard verdict == nil, exit == nil, let child else { return }
        verdict = reason
        child.signal(SIGTERM)
        timer.start(after: Self.killGraceMs) { child.signal(SIGKILL) }
    }

    private func finishWhenRead() {
        if exit != nil, output.isAtEnd, errors.isAtEnd { finish() }
    }

    private func finish() {
        guard let receiver = completion else { return }
        completion = nil
        timer.close()
        child?.closePipes()
        child = nil
        receiver(outcome())
    }

    private func outcome() -> Result<String, SkipReason> {
        if let verdict { return .failure(verdict) }
        switch exit {
        case .exited(code: 0):
            guard let token = TokenText.printed(in: output.text) else {
                return .failure(SkipReason("\(program) printed no token" + lastError))
            }
            return .success(token)
        case .exited(let code) where code > CommandLauncher.signalBase:
            return .failure(SkipReason("\(program) was killed by signal \(code - CommandLauncher.signalBase)"))
        case .exited(let code):
            return .failure(SkipReason("\(program) ended with exit code \(code)" + lastError))
        case .signaled(let signal, _):
            return .failure(SkipReason("\(program) was killed by signal \(signal)"))
        case .outOfMemory:
            return .failure(SkipReason("\(program) was killed because memory ran out"))
        case nil:
            return .failure(SkipReason("\(program) was not run"))
        }
    }

    /// The last line on stderr, fit to be shown, behind a colon.
    private var lastError: String {
        let line = errors.text.split(whereSeparator: \.isNewline).last { line in line.contains { !$0.isWhitespace } }
        let shown = line.map { TokenText.redacted($0) } ?? ""
        return shown.isEmpty ? "" : ": \(shown)"
    }
}
