// A policy file from JSON. The only file here that knows a JSON library; every fault leaves it with its place.

internal import FoundationEssentials
internal import Supervision

extension PolicyFile {
    /// Reads a whole file.
    ///
    /// What concerns the tree as a whole, such as ids that are taken, is found when a simulator is made of it.
    /// - Throws: the first fault.
    package init(json: [UInt8]) throws(PolicyFileError) {
        guard json.count <= PolicyLimits.bytes else { throw PolicyFileError(place: "", problem: .tooLong) }
        // The decoder forgives trailing commas and repeated keys, and does not say where it stumbled.
        if let fault = JSONSyntax.firstFault(in: json) {
            throw PolicyFileError(place: "line \(fault.line), column \(fault.column)", problem: fault.problem)
        }
        do {
            self = try JSONDecoder().decode(PolicyFile.self, from: Data(json))
        } catch let error as PolicyFileError {
            throw error
        } catch {
            throw PolicyFileError(place: "", problem: .notJSON("\(error)"))
        }
        let count = supervisor.countOfChildren + script.reduce(0) { $0 + $1.countOfChildren }
        guard count <= PolicyLimits.children else {
            throw PolicyFileError(place: "", problem: .tooManyChildren(count))
        }
    }
}

extension PolicyFile: Decodable {
    package init(from decoder: any Decoder) throws {
        let object = try PolicyObject(decoder, keys: ["clock", "supervisor", "before_start", "script"])
        clock = try object.word("clock") ?? .exact
        supervisor = try object.required("supervisor", PolicySupervisor.self, "an object")
        beforeStart = try object.value("before_start", [PolicyFirstStarts].self, "an array")?.map(\.event) ?? []
        script = try object.value("script", [PolicyEntry].self, "an array") ?? []
        for (index, entry) in script.enumerated() where index > 0 {
            let last = script[index - 1].atMilliseconds
            guard entry.atMilliseconds < last else { continue }
            throw PolicyFileError(
                place: "script[\(index)]", problem: .backwards(entry.atMilliseconds, after: last))
        }
    }
}

extension PolicySupervisor: Decodable {
    init(from decoder: any Decoder) throws {
        let object = try PolicyObject(
            decoder,
            keys: [
                "id", "strategy", "max_restarts", "max_seconds", "auto_shutdown", "restart", "significant", "shutdown",
                "dynamic", "max_children", "children",
            ])
        id = try object.id()
        strategy = try object.word("strategy") ?? .oneForOne
        maxRestarts = try object.count("max_restarts", 0...SpecLimits.maxRestarts) ?? 1
        maxSeconds = try object.count("max_seconds", 1...SpecLimits.maxSeconds) ?? 5
        autoShutdown = try object.word("auto_shutdown") ?? .never
        restart = try object.word("restart") ?? .permanent
        significant = try object.value("significant", Bool.self, "true or false") ?? false
        shutdown = try object.shutdown("shutdown")
        dynamic = try object.value("dynamic", Bool.self, "true or false") ?? false
        maxChildren = try object.count("max_children", 0...SpecLimits.children)
        children = try object.value("children", [PolicyChild].self, "an array") ?? []
    }
}

extension PolicyChild: Decodable {
    init(from decoder: any Decoder) throws {
        let object = try PolicyObject(decoder)
        guard object.keys.contains("supervisor") else {
            self = .worker(try PolicyWorker(object))
            return
        }
        try object.allow(["supervisor"])
        self = .supervisor(try object.required("supervisor", PolicySupervisor.self, "an object"))
    }
}

extension PolicyWorker {
    init(_ object: PolicyObject) throws {
        try object.allow(["id", "restart", "significant", "shutdown", "stop_ms", "start_ms"])
        id = try object.id()
        restart = try object.word("restart") ?? .permanent
        significant = try object.value("significant", Bool.self, "true or false") ?? false
        shutdown = try object.shutdown("shutdown")
        let milliseconds = 0...SpecLimits.milliseconds
        timing.startMilliseconds = try object.number("start_ms", milliseconds) ?? 0
        timing.stopMilliseconds = object.isNull("stop_ms") ? nil : try object.number("stop_ms", milliseconds) ?? 0
    }
}

/// An element of `before_start`: how the next starts of a worker end.
private struct PolicyFirstStarts: Decodable {
    let event: PolicyEntry.Event

    init(from decoder: any Decoder) throws {
        let object = try PolicyObject(decoder)
        guard let event = try PolicyEntry.Event(startsIn: object, alsoAllowed: []) else {
            throw object.fault(.notOneEvent(found: [], known: PolicyEntry.Event.startKeys.map(\.key)))
        }
        self.event = event
    }
}

extension PolicyEntry: Decodable {
    /// The keys that say what happens.
    static let eventKeys = ["exit", "fail_starts", "ignore_starts", "call", "stop"]

    init(from decoder: any Decoder) throws {
        let object = try PolicyObject(decoder)
        let found = PolicyEntry.eventKeys.filter(object.keys.contains)
        guard found.count == 1 else {
            throw object.fault(.notOneEvent(found: found, known: PolicyEntry.eventKeys))
        }
        guard let time = try object.number("at_ms", 0...PolicyLimits.milliseconds) else {
            throw object.fault(.missingKey("at_ms"))
        }
        atMilliseconds = time
        if let starts = try Event(startsIn: object, alsoAllowed: ["at_ms"]) {
            event = starts
        } else if found == ["exit"] {
            try object.allow(["at_ms", "exit", "reason"])
            event = .exit(try object.name("exit"), try object.word("reason") ?? .crash)
        } else if found == ["stop"] {
            try object.allow(["at_ms", "stop"])
            event = .stop(try object.name("stop"))
        } else {
            event = try Event(callIn: object)
        }
    }
}

extension PolicyEntry.Event {
    fileprivate static let startKeys: [(key: String, outcome: StartOutcome)] = [
        ("fail_starts", .fails), ("ignore_starts", .ignores),
    ]

    /// The event of an object with `fail_starts` or `ignore_starts`; nil for another.
    fileprivate init?(startsIn object: PolicyObject, alsoAllowed: [String]) throws {
        guard let (key, outcome) = Self.startKeys.first(where: { object.keys.contains($0.key) }) else { return nil }
        try object.allow(alsoAllowed + [key, "times"])
        let times = try object.number("times", 0...Int64(PolicyLimits.starts)) ?? 1
        self = .nextStarts(try object.name(key), outcome, times: Int(times))
    }

    fileprivate init(callIn object: PolicyObject) throws {
        let word = try object.required("call", String.self, "a text")
        if word == PolicyCall.startChild {
            try object.allow(["at_ms", "call", "supervisor", "child"])
            self = .startChild(
                supervisor: try object.name("supervisor"),
                try object.required("child", PolicyChild.self, "an object"))
            return
        }
        guard let call = PolicyCall(rawValue: word) else {
            let known = PolicyCall.allCases.map(\.rawValue) + [PolicyCall.startChild]
            throw object.fault(at: "call", .unknownWord(word, known: known))
        }
        try object.allow(["at_ms", "call", "child"])
        self = .call(call, child: try object.name("child"))
    }
}

extension PolicyChild {
    /// Itself and everything below it.
    var count: Int {
        guard case .supervisor(let supervisor) = self else { return 1 }
        return 1 + supervisor.countOfChildren
    }
}

extension PolicySupervisor {
    /// Everything below it.
    var countOfChildren: Int { children.reduce(0) { $0 + $1.count } }
}

extension PolicyEntry {
    /// What it may add to the tree.
    var countOfChildren: Int {
        guard case .startChild(_, let child) = event else { return 0 }
        return child.count
    }
}
