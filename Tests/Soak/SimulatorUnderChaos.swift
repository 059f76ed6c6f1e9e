// flysim as the soak runs it: started again at once when it is dead, on the same port, with the same lines.

import Foundation

/// The API that the fleet reads.
final class SimulatorUnderChaos {
    private let program: String
    private let arguments: [String]
    private let folder: RunFolder
    private let journal: Journal
    private let port: UInt16
    private var process: LaunchedProcess?
    private(set) var restarts = 0

    /// Starts it and waits until it listens.
    ///
    /// - Parameter epoch: When line 1 may be emitted, Unix nanoseconds.
    init(_ plan: SoakPlan, binaries: String, folder: RunFolder, journal: Journal, epoch: Int64) throws {
        program = binaries + "/flysim"
        port = plan.port
        self.folder = folder
        self.journal = journal
        arguments = Self.arguments(plan, folder, epoch: epoch)
        process = try launch()
        guard Clock.await(seconds: 20, { answers() != nil }) else {
            throw SoakError("flysim does not listen on port \(port): see \(folder.simulatorErrors)")
        }
    }

    var pid: pid_t? { process?.pid }

    var hasEnded: Bool { process?.ending() != nil }

    /// Starts it again if it is dead.
    func watch() throws {
        guard process?.ending() != nil else { return }
        restarts += 1
        process = try launch()
        journal.note("flysim started, pid \(process?.pid ?? 0)")
    }

    func send(_ signal: Int32) { process?.send(signal) }

    /// Ends it for good.
    func end() {
        process?.send(SIGKILL)
        _ = process?.ending(within: 5)
        process = nil
    }

    /// Posts an order; whether it was taken: flysim may be dead or stand still.
    func post(_ order: String, to path: String, seconds: Double = 0.3) -> Bool {
        HTTPCall.body("POST", path, port: port, sending: order, seconds: seconds) != nil
    }

    /// How many answers with status 200 each app got since flysim's last start; nil when it does not answer.
    func answers() -> [String: Int]? {
        struct Statistics: Decodable {
            struct App: Decodable { var requests: [String: Int] }
            var apps: [String: App]
        }
        return ask(Statistics.self, "/_sim/stats")?.apps.mapValues { $0.requests["200"] ?? 0 }
    }

    /// Waits until every app was asked for more than once; `meanwhile` is called now and then.
    ///
    /// - Parameter errors: Where to look when that does not happen.
    func awaitQuestions(_ apps: [String], errors: String, meanwhile: () throws -> Void) throws {
        let areAsked = try Clock.await(seconds: 30) {
            try meanwhile()
            guard let answers = answers() else { return false }
            return apps.allSatisfy { answers[$0] ?? 0 > 1 }
        }
        guard areAsked else { throw SoakError("flyfleet did not ask for every app within 30 s: see \(errors)") }
    }

    /// How far the log of an app has come.
    struct Emission: Decodable {
        var emitted: Int
        /// Whether every line there will ever be can be read.
        var complete: Bool
    }

    /// How far each app has come; nil when flysim does not answer.
    func emissions(within seconds: Double = 2) -> [String: Emission]? {
        ask([String: Emission].self, "/_sim/emitted", within: seconds)
    }

    private func ask<Answer: Decodable>(_ type: Answer.Type, _ path: String, within seconds: Double = 2) -> Answer? {
        guard let body = HTTPCall.body("GET", path, port: port, seconds: seconds) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(body))
    }

    private func launch() throws -> LaunchedProcess {
        try LaunchedProcess(
            program, arguments, environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"],
            output: .file(folder.simulatorOutput), errors: folder.simulatorErrors)
    }

    private static func arguments(_ plan: SoakPlan, _ folder: RunFolder, epoch: Int64) -> [String] {
        let rate = plan.beginsSilent ? 0 : plan.rate
        var words = [
            "--apps", plan.apps.joined(separator: ","), "--rate", "\(rate)", "--seed", "\(plan.simulatorSeed)",
            "--epoch", "\(epoch)", "--port", "\(plan.port)", "--max-lines", "\(plan.linesPerApp)", "--journal",
            folder.simulatorJournal, "--late-share", "\(plan.lateShare)", "--late-by", "\(plan.lateMilliseconds)ms",
            "--tie-length", "\(plan.tieLength)", "--tie-every", "1500", "--long-bytes", "\(plan.longBytes)",
        ]
        for odd in plan.oddShares { words += ["--odd", "\(odd.kind)=\(odd.share)"] }
        return words + plan.pages.flags
    }
}
