// Random policy files, slow processes, backoff and dynamic supervisors among them: what OTP cannot be compared with.
// Every one ends, tells a story that hangs together, and tells it again; damaged ones are refused and never trap.

import Testing

@testable import PolicySimulation

@Suite("Random policy files") struct RandomPolicyTests {
    @Test("a random policy ends, is repeatable, and its lines hang together", arguments: 0..<20)
    func lines(_ block: UInt64) throws {
        for seed in (block * 25)..<(block * 25 + 25) {
            var policy = RandomPolicy(seed: seed, startsTakeTime: seed % 2 == 0)
            let json = policy.json()
            var options = verbose
            options.seed = seed
            if seed % 3 == 0 { options.backoff = backedOff(1, 2_000).backoff }
            let lines = try simulate(json, options)
            #expect(try simulate(json, options) == lines, "seed \(seed): \(json)")
            var story = Story(startsTakeTime: seed % 2 == 0)
            let fault = story.fault(in: lines)
            #expect(story.isOver || !json.contains(#""stop":"top""#), "seed \(seed) does not end: \(json)")
            if let fault {
                Issue.record("seed \(seed): \(fault) in \(json)")
            }
        }
    }

    @Test("a damaged file is simulated or refused", arguments: 0..<4)
    func damaged(_ block: UInt64) throws {
        var generator = Generator(state: block)
        for seed in 0..<150 {
            var policy = RandomPolicy(seed: UInt64(seed), startsTakeTime: true)
            var bytes = Array(policy.json().utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: position)
                default: bytes.insert(#"{}[]",:0-9tn"#.utf8.randomElement(using: &generator) ?? 0, at: position)
                }
            }
            do throws(PolicyFileError) {
                var simulator = try PolicySimulator(PolicyFile(json: bytes), options: verbose)
                while try simulator.next() != nil {}
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }
}

/// What must be true of the lines of one simulation.
private struct Story {
    /// A start that a stop cuts short has no line: only where there is none can stops be matched with starts.
    let startsTakeTime: Bool
    var time = 0
    var isOver = false
    /// Children that were started and of whose end nothing was said.
    var asked: Set<String> = []

    /// The first line that cannot be, and why.
    mutating func fault(in lines: [String]) -> String? {
        for line in lines {
            let fields = line.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
            // {"at_ms":0,"action":"start","child":"a",…
            let now = Int(fields[2].dropFirst().dropLast()) ?? -1
            guard now >= time else { return "time goes back: \(line)" }
            time = now
            let isOfTree = ["start", "stop", "kill", "give_up", "exit", "backoff"].contains(fields[5])
            if isOver, isOfTree { return "something follows the end: \(line)" }
            switch fields[5] {
            case "start": asked.remove(fields[9])
            case "stop":
                let isFirst = asked.insert(fields[9]).inserted
                guard isFirst || startsTakeTime || !fields[9].hasPrefix("w") else { return "asked twice: \(line)" }
            case "kill":
                guard asked.contains(fields[9]) else { return "killed without being asked: \(line)" }
            case "exit" where fields[9] == "top": isOver = true
            default: break
            }
        }
        return nil
    }
}

/// A generator that anyone can seed.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

/// A tree of up to three levels and a script of up to thirty entries.
private struct RandomPolicy {
    private let startsTakeTime: Bool
    private var generator: Generator
    private var workers: [String] = []
    private var supervisors: [String] = ["top"]

    init(seed: UInt64, startsTakeTime: Bool) {
        self.startsTakeTime = startsTakeTime
        generator = Generator(state: seed &* 0x9e37_79b9_7f4a_7c15)
        _ = generator.next()
    }

    mutating func json() -> String {
        let root = supervisor("top", level: 1)
        let entries = script()
        return #"{"clock":"\#(one(of: ["exact", "otp"]))","supervisor":\#(root),"script":[\#(entries)]}"#
    }

    private mutating func supervisor(_ id: String, level: Int) -> String {
        let isDynamic = chance(20)
        let strategy = isDynamic ? "one_for_one" : one(of: ["one_for_one", "one_for_all", "rest_for_one"])
        let children = (0..<Int.random(in: 1...4, using: &generator)).map { _ in child(level: level) }
        return #"{"id":"\#(id)","strategy":"\#(strategy)","dynamic":\#(isDynamic),"#
            + #""max_restarts":\#(number(0...5)),"max_seconds":\#(number(1...5)),"restart":"\#(restart())","#
            + #""children":[\#(children.joined(separator: ","))]}"#
    }

    private mutating func child(level: Int) -> String {
        if level < 3, chance(30) {
            supervisors.append("s\(supervisors.count)")
            return #"{"supervisor":\#(supervisor("s\(supervisors.count - 1)", level: level + 1))}"#
        }
        return worker()
    }

    private mutating func worker() -> String {
        workers.append("w\(workers.count)")
        let shutdown = one(of: ["100", "500", "0", #""brutal_kill""#, "3000"])
        let stop = one(of: ["0", "0", "50", "700", "null"])
        let start = startsTakeTime ? one(of: ["0", "0", "30", "400"]) : "0"
        return #"{"id":"w\#(workers.count - 1)","restart":"\#(restart())","shutdown":\#(shutdown),"#
            + #""stop_ms":\#(stop),"start_ms":\#(start)}"#
    }

    private mutating func script() -> String {
        var time = 0
        var entries = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
            time += chance(50) ? 0 : number(0...900)
            return #"{"at_ms":\#(time),\#(event())}"#
        }
        if chance(70) { entries.append(#"{"at_ms":\#(time + number(0...900)),"stop":"top"}"#) }
        return entries.joined(separator: ",")
    }

    private mutating func event() -> String {
        let worker = workers.isEmpty ? "nobody" : one(of: workers)
        switch number(0...9) {
        case 0...4: return #""exit":"\#(worker)","reason":"\#(one(of: ["crash", "normal", "shutdown", "killed"]))""#
        case 5: return #""fail_starts":"\#(worker)","times":\#(number(0...4))"#
        case 6: return #""ignore_starts":"\#(worker)""#
        case 7: return #""call":"start_child","supervisor":"\#(one(of: supervisors))","child":\#(self.worker())"#
        default:
            let call = one(of: ["terminate_child", "restart_child", "delete_child"])
            return #""call":"\#(call)","child":"\#(chance(30) ? one(of: supervisors) : worker)""#
        }
    }

    private mutating func restart() -> String {
        one(of: ["permanent", "permanent", "transient", "temporary"])
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }
    private mutating func one(of choices: [String]) -> String { choices[number(0...(choices.count - 1))] }
}
