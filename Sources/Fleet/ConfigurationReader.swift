// The configuration file and the search for fly.toml files, done by another process.
//
// Files of others are parsed by `flyfleet-config`, which ends before the fleet begins: neither its TOML parser nor a
// file that breaks it ever lives in the parent.

internal import ConfigurationModel
package import EventLoop
internal import Glibc

/// Runs `flyfleet-config` where `--config` or `--discover` asks for it.
package enum ConfigurationReader {
    /// Most that is read of its output, in bytes.
    private static let maximumBytes = 4 * 1024 * 1024

    /// Adds what the files say to `values`.
    ///
    /// Does nothing where no file is named.
    ///
    /// - Throws: ``OptionError`` with the exit code and the line that `flyfleet-config` ended with.
    package static func read(_ loop: Loop, into values: inout OptionValues, executableDirectory: String) throws {
        var arguments: [String] = []
        for name in [OptionName.config, .discover] {
            if let value = values[name] { arguments += [name.flag, value.text] }
        }
        guard !arguments.isEmpty else { return }
        let directory = values[.libexec]?.text ?? executableDirectory
        let executable = "\(directory)/flyfleet-config"
        guard access(executable, X_OK) == 0 else {
            throw OptionError(
                exitCode: 69,
                "cannot run \(executable): \(String(cString: strerror(errno))); build it, or name its folder with --libexec"
            )
        }
        let run = try Run(loop, SpawnRequest(executable: executable, arguments: arguments, environment: environment))
        let (exit, output, errors) = run.wait()
        guard exit == .exited(code: 0), output.count <= maximumBytes else {
            throw OptionError(exitCode: exitCode(exit), line(errors) ?? "\(executable) ended without a word")
        }
        // A warning about one of many files: the others are good.
        if let warning = line(errors) { complain(warning) }
        guard let file = try? ConfigurationFile.decode(output) else {
            throw OptionError(
                exitCode: 78, "\(executable) printed no configuration: use executables of one flyfleet build")
        }
        values.add(file, path: values[.config]?.text ?? "fly.toml")
    }

    private static var environment: [(name: String, value: String)] {
        ["HOME", "LD_LIBRARY_PATH", "PATH"].compactMap { name in
            getenv(name).map { (name: name, value: String(cString: $0)) }
        }
    }

    private static func exitCode(_ exit: ProcessExit) -> Int32 {
        guard case .exited(let code) = exit, code != 0 else { return 78 }
        return code
    }

    private static func line(_ bytes: [UInt8]) -> String? {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.isEmpty ? nil : lines.joined(separator: "; ")
    }

    private static func complain(_ message: String) {
        let text = [UInt8]("flyfleet: \(message)\n".utf8)
        _ = write(STDERR_FILENO, text, text.count)
    }

    /// One run of a program to its end.
    private final class Run: PipeReaderDelegate {
        private let loop: Loop
        private var child: ChildProcess?
        private var exit: ProcessExit?
        private var output: [UInt8] = []
        private var errors: [UInt8] = []
        private var openPipes = 2
        private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

        init(_ loop: Loop, _ request: SpawnRequest) throws {
            self.loop = loop
            let child = try ChildProcess(loop, request) { [unowned self] in exit = $0 }
            self.child = child
            child.output.delegate = self
            child.errors.delegate = self
            child.output.resume()
            child.errors.resume()
            child.input.close()
        }

        deinit { buffer.deallocate() }

        func wait() -> (ProcessExit, output: [UInt8], errors: [UInt8]) {
            while exit == nil || openPipes > 0 { loop.runOnce() }
            child?.closePipes()
            return (exit ?? .exited(code: 78), output, errors)
        }

        func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer { buffer }

        func pipeReader(_ reader: PipeReader, didRead count: Int) {
            let bytes = UnsafeRawBufferPointer(buffer)[..<count]
            if reader === child?.output {
                if output.count <= maximumBytes { output.append(contentsOf: bytes) }
            } else if errors.count < 64 * 1024 {
                errors.append(contentsOf: bytes)
            }
        }

        func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) { openPipes -= 1 }
    }
}
