// Who is called what. The tree knows paths; people write bare ids where those are unique. Which are is settled once, over
// all children that are declared or ever added, so that a name means the same child from the first line to the last.

import Supervision

/// The names of everything in a policy file.
struct PolicyNames: Sendable {
    let root: String
    /// The paths of each id, in the order of the file.
    private var pathsOfID: [String: [String]] = [:]
    /// Paths at which a worker may be, and a supervisor.
    private var workers: Set<String> = []
    private var supervisors: Set<String> = []
    /// Supervisors that may end without having been asked or having given up.
    private(set) var automatic: Set<String> = []

    /// - Throws: a fault when a name of the script may be several children, or is of the wrong kind.
    init(_ file: PolicyFile) throws(PolicyFileError) {
        root = file.supervisor.id
        supervisors = [root]
        pathsOfID[root] = [root]
        for child in file.supervisor.children { add(child, prefix: "") }
        for case .startChild(let supervisor, let child) in file.script.map(\.event) {
            guard case .one(let path) = find(supervisor), supervisors.contains(path) else { continue }
            add(child, prefix: prefix(of: path))
        }
        for (index, event) in file.beforeStart.enumerated() {
            try check(event, place: "before_start[\(index)]")
        }
        for (index, entry) in file.script.enumerated() {
            try check(entry.event, place: "script[\(index)]")
        }
    }

    /// The path that a name means; a name nobody has stands for itself, and finds nothing.
    func path(_ name: String) -> String {
        if case .one(let path) = find(name) { return path }
        return name
    }

    /// The name that a path has in the output.
    func name(_ path: String) -> String {
        let id = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
        return pathsOfID[id] == [path] ? id : path
    }

    /// The path of the supervisor of what is at a path.
    func supervisor(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? root
    }

    /// What precedes the ids of a supervisor's children in their paths.
    func prefix(of supervisor: String) -> String {
        supervisor == root ? "" : supervisor + "/"
    }

    private enum Found {
        case none
        case one(String)
        case several([String])
    }

    private func find(_ name: String) -> Found {
        if workers.contains(name) || supervisors.contains(name) { return .one(name) }
        let paths = pathsOfID[name] ?? []
        return paths.count == 1 ? .one(paths[0]) : paths.isEmpty ? .none : .several(paths)
    }

    private mutating func add(_ child: PolicyChild, prefix: String) {
        let path = prefix + child.id
        if !workers.contains(path), !supervisors.contains(path) { pathsOfID[child.id, default: []].append(path) }
        switch child {
        case .worker: workers.insert(path)
        case .supervisor(let supervisor):
            supervisors.insert(path)
            if supervisor.autoShutdown != .never { automatic.insert(path) }
            for child in supervisor.children { add(child, prefix: path + "/") }
        }
    }

    private func check(_ event: PolicyEntry.Event, place: String) throws(PolicyFileError) {
        switch event {
        case .exit(let name, _): try checkWorker(name, "\(place).exit")
        case .nextStarts(let name, let outcome, _):
            try checkWorker(name, "\(place).\(outcome == .fails ? "fail_starts" : "ignore_starts")")
        case .call(_, let child): try checkIsOne(child, "\(place).child")
        case .startChild(let supervisor, _): try checkIsOne(supervisor, "\(place).supervisor")
        case .stop(let name):
            guard name == root else {
                throw PolicyFileError(place: "\(place).stop", problem: .notTheRoot(name, root: root))
            }
        }
    }

    private func checkWorker(_ name: String, _ place: String) throws(PolicyFileError) {
        try checkIsOne(name, place)
        guard case .one(let path) = find(name), !workers.contains(path) else { return }
        throw PolicyFileError(place: place, problem: .noProcess(name))
    }

    private func checkIsOne(_ name: String, _ place: String) throws(PolicyFileError) {
        guard case .several(let paths) = find(name) else { return }
        throw PolicyFileError(place: place, problem: .ambiguous(name, paths: paths))
    }
}

extension PolicyFile {
    /// Where in the JSON the child at a path of the tree stands; of several the last.
    func place(of path: String) -> String {
        PolicyFile.place(of: path, in: supervisor, place: "supervisor", prefix: "") ?? "supervisor"
    }

    private static func place(of path: String, in supervisor: PolicySupervisor, place: String, prefix: String)
        -> String?
    {
        for (index, child) in supervisor.children.enumerated().reversed() {
            let (childPath, childPlace) = (prefix + child.id, "\(place).children[\(index)]")
            guard case .supervisor(let below) = child else {
                if childPath == path { return childPlace }
                continue
            }
            let inner = "\(childPlace).supervisor"
            if childPath == path { return inner }
            guard path.hasPrefix(childPath + "/") else { continue }
            if let found = Self.place(of: path, in: below, place: inner, prefix: childPath + "/") { return found }
        }
        return nil
    }
}
