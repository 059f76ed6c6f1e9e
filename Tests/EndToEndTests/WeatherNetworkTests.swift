// Trouble below HTTP: a name without an address, a certificate that is not trusted. Each needs something of the machine,
// and is left out where that is missing.

import Foundation
import Testing
import WorkerHarness

/// A file of host names of this test's own, in a mount namespace.
private enum HostsFile {
    private static func wrapper(_ file: String) -> [String] {
        ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", "mount --bind '\(file)' /etc/hosts && exec \"$@\"", "sh"]
    }

    /// Words that run the rest with `file` for the hosts file; nil where that is not allowed.
    static func words(_ file: String) async throws -> [String]? {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare") else { return nil }
        let words = wrapper(file)
        let program = try Program(words[0], Array(words.dropFirst()) + ["/bin/true"])
        return try await program.end() == .code(0) ? words : nil
    }
}

/// A server that speaks TLS for a simulator: openssl, started anew for each connection.
private struct TLSFront {
    let program: Program

    static let tools = ["/usr/bin/openssl", "/bin/bash"]
    static let isPossible = tools.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    /// Makes a certificate that names itself as its authority, for 127.0.0.1.
    static func makeCertificate(_ name: String, in folder: String) async throws {
        let words = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem",
        ]
        let openssl = try Program(tools[0], words, environment: ["HOME": folder])
        try #require(try await openssl.end() == .code(0), "\(openssl.errors.lines)")
    }

    /// Serves `port` with the certificate that `current.pem` and `current.key` are links to at the time.
    init(folder: String, port: UInt16, simulator: UInt16) throws {
        let script = """
            cd "$1" && while :; do
              exec 3<>"/dev/tcp/127.0.0.1/$3" || exit 1
              openssl s_server -quiet -naccept 1 -accept "127.0.0.1:$2" -cert current.pem -key current.key <&3 >&3
              exec 3>&-
            done
            """
        program = try Program("/bin/bash", ["-c", script, "front", folder, "\(port)", "\(simulator)"])
    }
}

@Suite("Weather below HTTP", .serialized)
struct WeatherNetworkTests {
    @Test("a name without an address is said once, and works when it has one")
    func nameless() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let hosts = stage.folder.path + "/hosts"
        try Data("127.0.0.1 localhost\n".utf8).write(to: URL(filePath: hosts))
        guard let wrapper = try await HostsFile.words(hosts) else { return }
        let fleet = try stage.fleet(
            ["--apps", "web", "--api-url", "http://fly.invalid:\(stage.simulator.port)"], wrapper: wrapper)
        defer { fleet.dispose() }
        try await fleet.complaint("app web", "could not find the address of fly.invalid")
        let handle = try FileHandle(forWritingTo: URL(filePath: hosts))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("127.0.0.1 fly.invalid\n".utf8))
        try handle.close()
        try await fleet.line("web", atLeast: 1)
        try await fleet.complaint("works again")
        try await fleet.expectEverything(from: stage.simulator)
        #expect(fleet.complaints("could not find the address") == 1)
    }

    @Test(
        "a certificate that is not trusted is said once, and nothing is sent until it is",
        .enabled(if: TLSFront.isPossible))
    func distrusted() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let folder = stage.folder.path
        for name in ["right", "wrong"] { try await TLSFront.makeCertificate(name, in: folder) }
        try link("wrong", in: folder)
        // A port that was free a moment ago.
        let other = try await SimulatorProcess.start(apps: "web")
        let port = other.port
        other.dispose()
        _ = try await other.program.end()
        let front = try TLSFront(folder: folder, port: port, simulator: stage.simulator.port)
        defer { front.program.dispose() }
        let fleet = try stage.fleet(
            ["--apps", "web", "--api-url", "https://127.0.0.1:\(port)", "--ca-file", "\(folder)/right.pem"])
        defer { fleet.dispose() }
        try await fleet.complaint("app web", "secure connection to 127.0.0.1:\(port)")
        #expect(try stage.simulator.count("200") == 0)
        try link("right", in: folder)
        try await fleet.line("web", atLeast: 1)
        try await fleet.complaint("works again")
        try await fleet.expectEverything(from: stage.simulator)
        // Between two connections nobody may listen, which is something else to say.
        let said = fleet.program.errors.lines.filter { $0.contains("app web") }.map { $0.contains("secure connection") }
        #expect(said.contains(true) && !zip(said, said.dropFirst()).contains { $0 && $1 }, "\(said)")
    }

    private func link(_ name: String, in folder: String) throws {
        for kind in ["pem", "key"] {
            let path = "\(folder)/current.\(kind)"
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(name).\(kind)")
        }
    }
}
