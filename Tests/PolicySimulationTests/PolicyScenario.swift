// A scenario: a policy file as JSON and all that comes out of it, each line shortened to a few words so that a scenario
// stays as short as its row in the table. That lines are right to the byte is for SimulatorTests to say.

import Foundation
import Supervision
import Testing

@testable import PolicySimulation

/// One policy file and its whole output.
struct PolicyScenario: Sendable, CustomTestStringConvertible {
    let title: String
    var clock = "exact"
    /// What stands beside the supervisor's id.
    let supervisor: String
    var beforeStart = ""
    /// The entries, with commas.
    let script: String
    var options = PolicyOptions()
    /// Separated by commas; `@` is the time from there on.
    let expected: String

    var testDescription: String { title }

    var json: String {
        #"{"clock":"\#(clock)","supervisor":{"id":"top",\#(supervisor)},"before_start":[\#(beforeStart)],"#
            + #""script":[\#(script)]}"#
    }

    /// Runs it with and without `--verbose`: the short output is the verbose one without what that adds.
    func run() throws -> String {
        var (short, verbose) = (options, options)
        short.isVerbose = false
        verbose.isVerbose = true
        let lines = try simulate(json, verbose)
        let shortLines = lines.filter { line in
            !["event", "reply", "states"].contains { line.contains(#""action":"\#($0)""#) }
        }
        #expect(try simulate(json, short) == shortLines)
        return try words(options.isVerbose ? lines : shortLines).joined(separator: ", ")
    }
}

/// The output of a policy file, line by line.
func simulate(_ json: String, _ options: PolicyOptions = PolicyOptions()) throws -> [String] {
    var simulator = try PolicySimulator(PolicyFile(json: Array(json.utf8)), options: options)
    var bytes: [UInt8] = []
    while let chunk = try simulator.next() { bytes += chunk }
    #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}

/// Options with `--verbose`.
var verbose: PolicyOptions {
    var options = PolicyOptions()
    options.isVerbose = true
    return options
}

/// Options with `--verbose --restart-backoff`; delays of less than five milliseconds are too short to be jittered.
func backedOff(_ initial: Int64, _ cap: Int64) -> PolicyOptions {
    var options = verbose
    options.backoff = BackoffSettings(initialMilliseconds: initial, capMilliseconds: cap)
    return options
}

private struct Line: Decodable {
    let at_ms: Int64
    let action: String
    let child: String?
    let ok: Bool?
    let ignored: Bool?
    let supervisor: String?
    let reason: String?
    let delay_ms: Int64?
    let call: String?
    let result: String?
}

/// Lines in words; script entries are left out.
private func words(_ lines: [String]) throws -> [String] {
    var time: Int64 = 0
    var result: [String] = []
    for text in lines {
        let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
        if line.action == "event" { continue }
        if line.at_ms != time { result.append("@\(line.at_ms)") }
        time = line.at_ms
        var words = [line.action, line.supervisor ?? line.call ?? "", line.reason ?? "", line.child ?? ""]
        switch line.action {
        case "states":
            let states = text.drop { $0 != "[" && $0 != "{" }.dropFirst().drop { $0 != "{" }.dropFirst().dropLast(2)
            words = ["[\(states.replacing("\"", with: "").replacing(":", with: "=").replacing(",", with: " "))]"]
        case "reply": words.append(line.result ?? "")
        case "start": words.append(line.ok == true ? line.ignored == true ? "ignored" : "" : "failed")
        case "backoff": words.append(String(line.delay_ms ?? -1))
        default: break
        }
        result.append(words.filter { !$0.isEmpty }.joined(separator: " "))
    }
    return result
}
