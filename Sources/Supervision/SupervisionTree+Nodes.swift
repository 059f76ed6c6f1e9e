// The tree as a data structure: which nodes there are. No policy here.

/// Slots that may be used again.
///
/// What an event frees stays unused until that event is done, because tasks still name it.
struct FreeSlots: Sendable {
    private(set) var nodes: [Int] = []
    private(set) var supervisors: [Int] = []
    private var freedNodes: [Int] = []
    private var freedSupervisors: [Int] = []

    mutating func free(node: Int, supervisor: Int?) {
        freedNodes.append(node)
        if let supervisor { freedSupervisors.append(supervisor) }
    }

    mutating func takeNode() -> Int? { nodes.popLast() }
    mutating func takeSupervisor() -> Int? { supervisors.popLast() }

    mutating func reclaim() {
        guard !freedNodes.isEmpty else { return }
        nodes += freedNodes
        supervisors += freedSupervisors
        freedNodes.removeAll()
        freedSupervisors.removeAll()
    }
}

extension SupervisionTree {
    /// Adds a node, and everything its specification declares below it; returns its slot.
    @discardableResult
    mutating func addNode(_ spec: ChildSpec, path: String, parent: Int?, depth: Int) -> Int {
        let slot = free.takeNode() ?? nodes.count
        let supervisor: Int? =
            if case .supervisor = spec.kind { free.takeSupervisor() ?? supervisors.count } else { nil }
        var node = Node(path: path, spec: spec, parent: parent, supervisor: supervisor, depth: depth)
        let remembered = incarnations.enter(path)
        node.incarnation = remembered.incarnation
        node.backoff = remembered.backoff
        if slot == nodes.count { nodes.append(node) } else { nodes[slot] = node }
        slots[path] = slot
        if let parent {
            nodes[slot].position = supervisors[parent].children.count
            supervisors[parent].children.append(slot)
            supervisors[parent].childCount += 1
        }
        if let supervisor, case .supervisor(let supervisorSpec) = spec.kind {
            let state = SupervisorState(node: slot, spec: supervisorSpec)
            if supervisor == supervisors.count { supervisors.append(state) } else { supervisors[supervisor] = state }
            addDeclaredChildren(of: supervisor)
        }
        return slot
    }

    /// Adds a child at the end of a supervisor's children.
    mutating func addChild(_ spec: ChildSpec, to index: Int) -> Int {
        let depth = nodes[supervisors[index].node].depth + 1
        return addNode(spec, path: childPath(spec.id, of: index), parent: index, depth: depth)
    }

    /// Removes a child and everything below it, none of which has a process.
    mutating func removeChild(_ slot: Int, of index: Int) {
        supervisors[index].children[nodes[slot].position] = SupervisorState.tombstone
        supervisors[index].childCount -= 1
        removeNode(slot)
        if supervisors[index].spec.dynamic { compactChildren(of: index) }
    }

    /// Makes a supervisor's children what its specification says: a restart forgets what was added or lost (R37).
    mutating func restoreDeclaredChildren(of index: Int) {
        guard !supervisors[index].isFresh else { return }
        for slot in supervisors[index].children where slot != SupervisorState.tombstone {
            removeNode(slot)
        }
        supervisors[index].children.removeAll()
        supervisors[index].childCount = 0
        addDeclaredChildren(of: index)
    }

    private mutating func addDeclaredChildren(of index: Int) {
        for child in supervisors[index].spec.children {
            _ = addChild(child, to: index)
        }
        supervisors[index].isFresh = true
    }

    private mutating func removeNode(_ slot: Int) {
        precondition(!nodes[slot].isAlive, "a child that is alive was forgotten: \(nodes[slot].path)")
        if let supervisor = nodes[slot].supervisor {
            for child in supervisors[supervisor].children where child != SupervisorState.tombstone {
                removeNode(child)
            }
            supervisors[supervisor].children.removeAll()
        }
        disarm(slot)
        incarnations.retire(
            nodes[slot].path,
            IncarnationLedger.Entry(incarnation: nodes[slot].incarnation, backoff: nodes[slot].backoff))
        slots[nodes[slot].path] = nil
        nodes[slot].serial = 0
        nodes[slot].state = .down
        free.free(node: slot, supervisor: nodes[slot].supervisor)
    }

    /// Closes the gaps in a supervisor's children once they outnumber them; not while an operation holds positions.
    mutating func compactChildren(of index: Int) {
        let gaps = supervisors[index].children.count - supervisors[index].childCount
        guard gaps > supervisors[index].childCount + 16 else { return }
        supervisors[index].children.removeAll { $0 == SupervisorState.tombstone }
        for (position, slot) in supervisors[index].children.enumerated() {
            nodes[slot].position = position
        }
    }

    /// The slots of a supervisor's children in start order.
    func childSlots(of index: Int) -> [Int] {
        supervisors[index].children.filter { $0 != SupervisorState.tombstone }
    }

    /// The path of a supervisor's child with that id: the root's children carry no prefix.
    func childPath(_ id: String, of index: Int) -> String {
        let node = supervisors[index].node
        return node == SupervisionTree.root ? id : nodes[node].path + "/" + id
    }

    /// The slot of a supervisor's child with that id.
    func child(_ id: String, of index: Int) -> Int? {
        guard let slot = slots[childPath(id, of: index)], nodes[slot].parent == index else { return nil }
        return slot
    }
}
