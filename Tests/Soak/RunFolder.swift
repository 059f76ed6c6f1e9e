// Where a run keeps what it makes: state, events, stderr, the sinks' files, and the journal of what was done to whom.

import Foundation

/// The folder of one run.
struct RunFolder {
    let path: String

    /// Makes the folder; its name is drawn where none is given.
    init(_ given: String?) throws {
        path = given ?? NSTemporaryDirectory() + "flyfleet-soak-\(UUID().uuidString.prefix(8))"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try FileManager.default.createDirectory(atPath: path + "/home", withIntermediateDirectories: false)
            try FileManager.default.createDirectory(atPath: path + "/sinks", withIntermediateDirectories: false)
        } catch {
            throw SoakError("cannot make the folder \(path): \(error.localizedDescription)")
        }
    }

    var state: String { path + "/state" }
    var home: String { path + "/home" }
    var events: String { path + "/events.ndjson" }
    var errors: String { path + "/flyfleet.stderr" }
    var console: String { path + "/console.ndjson" }
    var simulatorOutput: String { path + "/flysim.out" }
    var simulatorErrors: String { path + "/flysim.stderr" }
    var tokenCommandBehaviour: String { path + "/fly-behaviour" }
    var simulatorJournal: String { path + "/flysim.journal" }
    var journal: String { path + "/deeds.log" }

    /// The file of a sink, numbered from 1.
    func sink(_ number: Int) -> String { path + "/sinks/lines-\(number).ndjson" }

    /// Writes a file of the folder.
    func write(_ text: String, to name: String) {
        try? text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }

    /// Says what the token command does from now on.
    func tellTokenCommand(_ behaviour: String) { write(behaviour + "\n", to: "fly-behaviour") }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// What the soak did, line by line, as it did it.
final class Journal {
    private let file: UnsafeMutablePointer<FILE>?
    private let start = Clock.seconds

    init(_ path: String) { file = fopen(path, "ae") }
    deinit { if let file { fclose(file) } }

    /// Writes a line with the seconds since the start and the time of the day.
    func note(_ words: String) {
        guard let file else { return }
        let time = Date(timeIntervalSince1970: Clock.wall).ISO8601Format(.init(includingFractionalSeconds: true))
        let seconds = String(format: "%9.3f", Clock.seconds - start)
        fputs("\(seconds) \(time) \(words)\n", file)
        fflush(file)
    }
}
