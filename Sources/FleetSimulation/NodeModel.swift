// The oracle's own picture of the tree: what the declared specification, the reports and the orders add up to. It is
// kept apart from the machine and never asks it.

internal import Supervision

/// A child as the reports describe it.
struct NodeModel {
    enum State {
        case down, starting, up, stopping
    }

    let path: String
    /// Index of its supervisor; -1 for the root.
    let parent: Int
    /// Place among its siblings.
    let position: Int
    let restart: RestartType
    let shutdown: Shutdown?
    /// nil for a worker.
    let supervisor: SupervisorSpec?
    /// Indices of its children in start order.
    var children: [Int] = []
    /// Declared by the specification, not added at run time.
    let isDeclared: Bool

    var state = State.down
    var incarnation = 0
    /// It was asked to end or has given up: nothing is started below it any more.
    var isClosed = false
    var lastExit: ExitReason?

    /// Where among all starts and ends its last ones were.
    var startTurn = 0
    var endTurn = 0
    var endTurnBeforeStart = 0

    // Of a supervisor.
    /// Place of the child that a first start has to start next.
    var nextStart = 0
    /// When its restarts were counted, as far as reports tell.
    var stamps: [Int64] = []
    /// The child whose restart the clock of the window stands still for, and since when.
    var windowStop: (child: Int, since: Int64)?
    /// How long that clock has stood still, in ms.
    var windowStoodMs: Int64 = 0

    // Of the present start of a child.
    var isReady = false
    /// Its restart was counted before its backoff began.
    var isStamped = false
    /// Its restart waits for its backoff.
    var isWaiting = false
    /// Its last end came after it had been ready.
    var endedAfterReady = false
    /// What is known of a worker's process.
    var wasSpawned = false
    var spawnFailed = false
    var wasAskedToStop = false
    var wasKilled = false
    /// Index of its last process; -1 before the first.
    var process = -1

    var isAlive: Bool { state != .down }
    var isStatic: Bool { supervisor?.dynamic == false }

    /// What the clock of a supervisor's restart window shows.
    func windowTime(_ now: Int64) -> Int64 { (windowStop?.since ?? now) - windowStoodMs }
}

/// All nodes by path.
struct TreeModel {
    var nodes: [NodeModel] = []
    var index: [String: Int] = [:]
    var leaves: [Int] = []

    init(_ spec: SupervisorSpec, root: String) {
        add(ChildSpec(id: root, restart: .temporary, kind: .supervisor(spec)), path: root, parent: -1, isDeclared: true)
    }

    /// Adds a child and all that it declares; gives its index.
    @discardableResult
    mutating func add(_ spec: ChildSpec, path: String, parent: Int, isDeclared: Bool) -> Int {
        var supervisor: SupervisorSpec?
        if case .supervisor(let inner) = spec.kind { supervisor = inner }
        let new = nodes.count
        nodes.append(
            NodeModel(
                path: path, parent: parent, position: parent < 0 ? 0 : nodes[parent].children.count,
                restart: spec.restart, shutdown: spec.shutdown, supervisor: supervisor, isDeclared: isDeclared))
        index[path] = new
        if parent >= 0 { nodes[parent].children.append(new) }
        guard let supervisor else {
            leaves.append(new)
            return new
        }
        for child in supervisor.children {
            add(child, path: parent < 0 ? child.id : "\(path)/\(child.id)", parent: new, isDeclared: true)
        }
        return new
    }
}
