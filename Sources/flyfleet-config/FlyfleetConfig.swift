// flyfleet-config: reads TOML for `flyfleet start`, prints one JSON object, and is gone. A process of its own, so that
// the parent parses no file of others and links no TOML library.

internal import ConfigurationFiles
internal import ConfigurationModel
internal import Glibc

@main
struct FlyfleetConfig {
    static func main() {
        // The reader may be gone; then the write fails and so does the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            let outcome = try ConfigurationCommand(arguments: Array(CommandLine.arguments.dropFirst())).run()
            for warning in outcome.warnings { writeLine(STDERR_FILENO, Array(warning.utf8)) }
            guard writeLine(STDOUT_FILENO, try outcome.configuration.encode()) else {
                writeLine(STDERR_FILENO, Array("flyfleet-config: could not write its result to stdout".utf8))
                exit(69)
            }
        } catch {
            writeLine(STDERR_FILENO, Array("\(error)".utf8))
            exit((error as? ConfigurationError)?.code.rawValue ?? 70)
        }
    }

    /// Writes a line whole; whether that worked.
    @discardableResult
    private static func writeLine(_ descriptor: Int32, _ text: [UInt8]) -> Bool {
        var rest = (text + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
