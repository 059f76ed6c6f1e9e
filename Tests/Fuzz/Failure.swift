// What becomes of an input that broke a law, trapped or took too long: it is kept in a file, and how to repeat it is said.
//
// Also from a signal handler: after `begin` nothing here allocates, and only `write(2)` and its like are called.

import Glibc

/// The input at hand, for whoever has to tell of it.
enum Failure {
    /// Seconds one input may take.
    static let mostSeconds: UInt32 = 10
    private static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGALRM]

    // Written by the one thread of this program and read by its signal handler, on that same thread.
    nonisolated(unsafe) private static var input = UnsafeRawBufferPointer(start: nil, count: 0)
    nonisolated(unsafe) private static var path = UnsafeMutablePointer<CChar>(mutating: strdup(""))
    nonisolated(unsafe) private static var advice = UnsafeMutablePointer<CChar>(mutating: strdup(""))

    /// Takes every deadly signal, SIGALRM included; `prepare` must be called before each target.
    static func watch() {
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { signal in
                Failure.keep(
                    signal == SIGALRM ? "flyfleet-fuzz: an input takes too long\n" : "flyfleet-fuzz: an input traps\n")
                // The default action, so that the exit status tells the truth.
                Glibc.signal(signal, SIG_DFL)
                raise(signal)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_NODEFER) | UInt32(SA_RESETHAND))
            sigaction(signal, &action, nil)
        }
    }

    /// Says where a failing input of this target goes, and how it is repeated.
    static func prepare(target: String, folder: String, program: String) {
        free(path)
        free(advice)
        let file = "\(folder)/failure-\(target)-\(getpid())"
        path = strdup(file)
        advice = strdup("repeat: \(program) --target \(target) \(file)\n")
    }

    /// Names the input at hand; its memory must outlive the trial.
    static func begin(_ bytes: UnsafeRawBufferPointer) { input = bytes }

    /// Keeps the input at hand in its file.
    static func keep(_ reason: StaticString) {
        say(reason)
        save()
    }

    /// Keeps the input at hand in its file.
    static func keep(law reason: String) {
        reason.withCString { text in _ = write(STDERR_FILENO, text, strlen(text)) }
        say("\n")
        save()
    }

    private static func save() {
        guard let path, let advice, path.pointee != 0 else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        _ = write(file, input.baseAddress, input.count)
        close(file)
        _ = write(STDERR_FILENO, advice, strlen(advice))
    }

    private static func say(_ text: StaticString) { _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount) }
}
