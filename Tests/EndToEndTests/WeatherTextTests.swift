// Texts that break careless readers: every one arrives, once, and does no harm on the way.

import Foundation
import Testing
import WorkerHarness

@Suite("Weather in the texts", .serialized)
struct WeatherTextTests {
    private static let odd = [
        "--odd", "ansi=0.1", "--odd", "control=0.1", "--odd", "empty=0.1", "--odd", "invalid=0.1", "--odd",
        "long=0.005",
        "--long-bytes", "1048576",
    ]

    /// One line of the fleet's, with the id that tells its number though its text be empty.
    private struct Line: Decodable {
        var type: String
        var id: String?
        var message: String?

        var number: Int? { id.flatMap { Int($0.suffix(16), radix: 16) } }
    }

    private func lines(_ fleet: FleetProcess) -> [Line] {
        fleet.program.output.lines.compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }

    @Test("ANSI, control characters, no text, invalid UTF-8 and 1 MiB: every line once, as valid JSON in valid UTF-8")
    func odd() async throws {
        let stage = try await Stage.set(apps: "web", rate: 40, Self.odd + ["--max-lines", "2600"])
        defer { stage.dispose() }
        let file = stage.folder.path + "/lines.ndjson"
        let fleet = try stage.fleet(["--apps", "web", "--sink", "file:\(file)", "--since", "10m"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 2_590, seconds: 60)
        try await fleet.program.output.wait("the last line") { $0.last?.contains("0000000000000a28") ?? false }
        try await fleet.stop()
        let lines = lines(fleet).filter { $0.type == "log" }
        let numbers = lines.compactMap(\.number)
        expectComplete(numbers, repeatsAllowed: false, "web")
        #expect(numbers.last == 2_600 && numbers.count > 200)
        #expect(lines.contains { $0.message == "" } && lines.contains { $0.message?.utf8.count ?? 0 > 1 << 20 })
        #expect(lines.contains { $0.message?.contains("\u{1B}[2J") ?? false })
        #expect(lines.contains { $0.message?.contains("\u{FFFD}") ?? false })
        #expect(lines.contains { $0.message?.contains("\u{0}\u{1}\u{2}") ?? false })
        let bytes = [UInt8](try #require(FileManager.default.contents(atPath: file)))
        #expect(String(validating: bytes, as: UTF8.self) != nil, "the file is not UTF-8")
        #expect(!bytes.contains { $0 < 0x20 && $0 != 0x0A }, "the file holds a bare control character")
    }

    @Test("for people, no text can act on the terminal")
    func tame() async throws {
        let stage = try await Stage.set(apps: "web", rate: 40, Self.odd + ["--max-lines", "2500"])
        defer { stage.dispose() }
        let fleet = try FleetProcess(
            [
                "--api-url", stage.simulator.url, "--state-dir", stage.folder.path + "/state", "--apps", "web",
                "--poll-interval", "100ms", "--since", "10m",
            ], environment: ["FLY_ACCESS_TOKEN": stage.simulator.token])
        defer { fleet.dispose() }
        try await fleet.program.output.wait("the last lines") { lines in
            lines.contains { $0.contains("seq=24") } && lines.count > 150
        }
        try await fleet.stop()
        let scalars = fleet.program.output.lines.lazy.flatMap(\.unicodeScalars)
        let harmful = scalars.first { $0.properties.generalCategory == .control && $0 != "\t" }
        #expect(harmful == nil, "a control character reached the terminal: \(harmful.map { $0.value } ?? 0)")
    }
}
