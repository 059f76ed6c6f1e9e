// The built program: arguments, exit codes, what is on stdout and what on stderr.

import ConfigurationModel
import Foundation
import Testing

@testable import ConfigurationFiles

@Suite("flyfleet-config")
struct FlyfleetConfigTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Ending: Equatable {
        var code: Int32
        var output: String
        var errors: String
    }

    private func run(_ arguments: [String]) throws -> Ending {
        let process = Process()
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: "flyfleet-config")
        process.arguments = arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return Ending(
            code: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self))
    }

    @Test("a configuration file becomes one line of JSON")
    func configuration() throws {
        let path = try folder.write("f.toml", "apps = ['web']\npoll_interval = 250\n")
        #expect(
            try run(["--config", path])
                == Ending(code: 0, output: "{\"apps\":[\"web\"],\"poll_interval\":\"250\"}\n", errors: ""))
    }

    @Test("apps of the file and of the folder are merged, each once")
    func merged() throws {
        let path = try folder.write("f.toml", "apps = ['web', 'api']\n")
        try folder.write("x/fly.toml", "app = 'api'")
        try folder.write("y/fly.toml", "app = 'db'")
        #expect(
            try run(["--discover", folder.path, "--config", path])
                == Ending(code: 0, output: "{\"apps\":[\"web\",\"api\",\"db\"]}\n", errors: ""))
    }

    @Test("a broken fly.toml is one line on stderr, and the others are printed")
    func warning() throws {
        try folder.write("x/fly.toml", "app = 'api'")
        try folder.write("y/fly.toml", "app = ")
        let ending = try run(["--discover", folder.path])
        #expect(ending.code == 0)
        #expect(ending.output == "{\"apps\":[\"api\"]}\n")
        #expect(ending.errors.hasPrefix("\(folder.path)/y/fly.toml:1: it is not valid TOML: "))
        #expect(ending.errors.filter(\.isNewline).count == 1)
    }

    @Test("a folder without a fly.toml, and one with none that names an app, end with 78")
    func nothingFound() throws {
        let empty = try run(["--discover", folder.path])
        #expect(
            empty
                == Ending(
                    code: 78, output: "",
                    errors:
                        "\(folder.path): no fly.toml in it or 5 folders below: name the folder that holds your apps\n"))
        try folder.write("fly.toml", "[env]\n")
        let nameless = try run(["--discover", folder.path])
        #expect(nameless.code == 78)
        #expect(nameless.errors.hasPrefix("\(folder.path): none of its 1 fly.toml files names an app; first, "))
        let path = try folder.write("f.toml", "apps = ['web']\n")
        let both = try run(["--config", path, "--discover", folder.path])
        #expect(both.code == 0)
        #expect(both.output == "{\"apps\":[\"web\"]}\n")
        #expect(both.errors.filter(\.isNewline).count == 2)
    }

    @Test("missing files end with 66, bad ones with 78, on one line and with nothing on stdout")
    func errors() throws {
        let missing = try run(["--config", folder.path + "/none\n.toml"])
        #expect(missing.code == 66)
        #expect(missing.errors == "\(folder.path)/none\\u{a}.toml: it does not exist: check the path\n")
        #expect(try run(["--discover", folder.path + "/none"]).code == 66)
        let path = try folder.write("f.toml", "orgs = 1")
        let bad = try run(["--config", path])
        #expect(bad.code == 78)
        #expect(bad.output.isEmpty)
        #expect(bad.errors.hasPrefix("\(path):1: orgs is not a key"))
        #expect(bad.errors.filter(\.isNewline).count == 1)
    }

    @Test("a file that may not be read ends with 78", .enabled(if: getuid() != 0, "root may read everything"))
    func unreadable() throws {
        let path = try folder.write("f.toml", "org = 'a'")
        chmod(path, 0)
        let ending = try run(["--config", path])
        #expect(ending.code == 78)
        #expect(ending.errors == "\(path): it cannot be read (Permission denied): check its permissions\n")
    }

    @Test(
        "wrong usage ends with 64 and says how it is used",
        arguments: [
            [], ["--config"], ["--config", ""], ["--wrong"], ["--config", "a", "--config", "b"], ["file.toml"],
            ["--discover", "a", "--discover"],
        ])
    func usage(arguments: [String]) throws {
        let ending = try run(arguments)
        #expect(ending.code == 64)
        #expect(ending.output.isEmpty)
        #expect(ending.errors.hasPrefix("flyfleet-config: "))
        #expect(ending.errors.hasSuffix(": use \(ConfigurationCommand.usage)\n"))
    }

    @Test(
        "tables nested up to the limit, past it and far past it do no more than fail",
        arguments: [9_999, 10_000, 500_000])
    func deepTables(dots: Int) throws {
        let path = try folder.write("f.toml", "\n[" + String(repeating: "a.", count: dots) + "a]\nb = 1\n")
        let ending = try run(["--config", path])
        #expect(ending.code == 78)
        let reason = dots > 10_000 ? "it has over 10000 dots" : "a is not a key"
        #expect(ending.errors.hasPrefix("\(path):2: \(reason)"))
    }
}
