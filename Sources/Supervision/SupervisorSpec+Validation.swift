// What a specification may say. Checked whole before anything starts (R3), so that nothing later has to doubt it.

extension SupervisionSettings {
    /// Throws the first setting that is out of range.
    func validate(name: String) throws(SpecError) {
        try check(name, "stop grace", stopGraceMilliseconds, from: 0)
        if let startTimeoutMilliseconds { try check(name, "start timeout", startTimeoutMilliseconds, from: 1) }
        if let backoff {
            try check(name, "restart backoff", backoff.initialMilliseconds, from: 1)
            try check(name, "restart backoff cap", backoff.capMilliseconds, from: backoff.initialMilliseconds)
        }
    }

    private func check(_ path: String, _ name: String, _ value: Int64, from least: Int64) throws(SpecError) {
        guard value >= least, value <= SpecLimits.milliseconds else {
            throw SpecError(path: path, problem: .badSetting(name: name, milliseconds: value, least: least))
        }
    }
}

extension SupervisorSpec {
    /// Throws the first fault of a whole tree whose root is called `name`.
    func validate(rootNamed name: String) throws(SpecError) {
        guard ChildSpec.isValid(id: name) else { throw SpecError(path: name, problem: .badID) }
        if children.contains(where: { $0.id == name }) { throw SpecError(path: name, problem: .duplicateID) }
        try validate(path: name, childPrefix: "", depth: 0)
    }

    /// Throws the first fault of this supervisor or anything below it.
    ///
    /// The root's children have no prefix.
    func validate(path: String, childPrefix: String, depth: Int) throws(SpecError) {
        func fault(_ problem: SpecError.Problem) -> SpecError { SpecError(path: path, problem: problem) }
        guard depth < SpecLimits.depth else { throw fault(.tooDeep) }
        guard (0...SpecLimits.maxRestarts).contains(intensity.maxRestarts) else {
            throw fault(.badMaxRestarts(intensity.maxRestarts))
        }
        guard (1...SpecLimits.maxSeconds).contains(intensity.maxSeconds) else {
            throw fault(.badMaxSeconds(intensity.maxSeconds))
        }
        if dynamic, strategy != .oneForOne { throw fault(.dynamicStrategy(strategy)) }
        if let maxChildren, !dynamic || !(0...SpecLimits.children).contains(maxChildren) {
            throw fault(.badMaxChildren(maxChildren))
        }
        guard children.count <= maxChildren ?? SpecLimits.children else {
            throw fault(.tooManyChildren(children.count))
        }
        var ids = Set<String>(minimumCapacity: children.count)
        for child in children {
            let childPath = childPrefix + child.id
            guard ids.insert(child.id).inserted else { throw SpecError(path: childPath, problem: .duplicateID) }
            try child.validate(path: childPath, autoShutdown: autoShutdown, depth: depth + 1)
        }
    }
}

extension ChildSpec {
    /// Throws the first fault of this child or anything below it, as a child of a supervisor with that `autoShutdown`.
    func validate(path: String, autoShutdown: AutoShutdown, depth: Int) throws(SpecError) {
        guard ChildSpec.isValid(id: id) else { throw SpecError(path: path, problem: .badID) }
        if significant, restart == .permanent { throw SpecError(path: path, problem: .significantPermanent) }
        if significant, autoShutdown == .never {
            throw SpecError(path: path, problem: .significantWithoutAutoShutdown)
        }
        if case .grace(let milliseconds) = shutdown, !(0...SpecLimits.milliseconds).contains(milliseconds) {
            throw SpecError(path: path, problem: .badShutdown(milliseconds: milliseconds))
        }
        if case .supervisor(let spec) = kind {
            try spec.validate(path: path, childPrefix: path + "/", depth: depth)
        }
    }

    /// An id is a path component that can be printed.
    static func isValid(id: String) -> Bool {
        (1...SpecLimits.idBytes).contains(id.utf8.count) && isPrintable(id) && !id.utf8.contains(UInt8(ascii: "/"))
    }

    /// Whether a name can be printed as it is: without a space or a control character, those of C1 (U+0080 to U+009F)
    /// included, which a terminal obeys like escape sequences.
    package static func isPrintable(_ name: String) -> Bool {
        name.unicodeScalars.allSatisfy { $0.value > 0x20 && !(0x7f...0x9f).contains($0.value) }
    }
}
