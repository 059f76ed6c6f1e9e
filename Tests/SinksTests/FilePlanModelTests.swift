// The sink's files in memory: every short history of writes, commits, rotations and deaths, and many long ones. A death
// may come between any two calls that change the disk, also between those of the start after the last death.

import EventLoop
import Testing

@testable import Sinks

/// A folder whose files hold numbered lines of one byte each.
private struct ModelDisk {
    enum Name: Hashable {
        case path, next
        case rotated(UInt64)
    }

    /// One change that is there as a whole or not at all.
    enum Call {
        case create
        case note(sequence: UInt64, offset: Int?)
        case rename(Name, Name)
        case link(Name, Name)
        case unlink(Name)
        case cut(Name, Int)
    }

    var files: [UInt64: [Int]] = [:]
    var names: [Name: UInt64] = [:]
    var notes = FileNotes()
    var lastInode: UInt64 = 0

    func identity(_ name: Name) -> FileIdentity? {
        names[name].map { FileIdentity(inode: $0, createdMs: Int64($0)) }
    }

    var rotated: [UInt64] {
        names.keys.compactMap { if case .rotated(let sequence) = $0 { sequence } else { nil } }.sorted()
    }

    /// What the files of the sink hold together.
    var lines: [Int] { (rotated.map { Name.rotated($0) } + [.path]).flatMap { names[$0].flatMap { files[$0] } ?? [] } }

    mutating func perform(_ call: Call) {
        switch call {
        case .create:
            lastInode += 1
            names[.next] = lastInode
            files[lastInode] = []
        case .note(let sequence, let offset):
            let name = offset == nil ? Name.path : .next
            guard let identity = identity(name) else { return }
            let begin = offset ?? files[identity.inode]?.count ?? 0
            notes.add(FilePosition(sequence: sequence, identity: identity, offset: Int64(begin)))
        case .rename(let from, let to): names[to] = names.removeValue(forKey: from)
        case .link(let from, let to): names[to] = names[from]
        case .unlink(let name): names[name] = nil
        case .cut(let name, let size):
            guard let inode = names[name] else { return }
            files[inode] = Array(files[inode]?.prefix(size) ?? [])
        }
    }

    func findings(_ position: FilePosition?) -> FileFindings {
        func facts(_ name: Name) -> FileFacts? {
            guard let inode = names[name], let lines = files[inode] else { return nil }
            let status = FileStatus(
                kind: .regular, inode: inode, size: Int64(lines.count), bornMs: Int64(inode))
            let holds = position.map { $0.identity.matches(status) && status.size >= $0.offset } ?? false
            return FileFacts(status, holdsPosition: holds)
        }
        return FileFindings(
            current: facts(.path),
            rotated: rotated.compactMap { sequence in
                facts(.rotated(sequence)).map { FileFindings.Rotated(sequence, $0) }
            }, notes: notes)
    }

    static func creation(_ sequence: UInt64) -> [Call] {
        [.create, .note(sequence: sequence, offset: 0), .link(.next, .path), .unlink(.next)]
    }

    /// The calls of `FileFolder.carryOut`.
    static func calls(_ plan: FilePlan) -> [Call] {
        var calls: [Call] = [.unlink(.next)]
        var creates = false
        for step in plan.steps {
            switch step {
            case .cutRotated(let sequence, let size): calls.append(.cut(.rotated(sequence), Int(size)))
            case .removeRotated(let sequence): calls.append(.unlink(.rotated(sequence)))
            case .cut(let size): calls.append(.cut(.path, Int(size)))
            case .create:
                calls += creation(plan.sequence)
                creates = true
            case .endLine: break
            }
        }
        if plan.offset == nil, !creates { calls.append(.note(sequence: plan.sequence, offset: nil)) }
        return calls
    }

    /// The calls of `FileFolder.rotate`, and the sequence after it.
    func rotation(_ sequence: UInt64) -> (calls: [Call], next: UInt64) {
        var free = sequence
        while rotated.contains(free) { free += 1 }
        return (
            [
                .unlink(.next), .create, .note(sequence: free + 1, offset: 0), .rename(.path, .rotated(free)),
                .rename(.next, .path),
            ], free + 1
        )
    }
}

/// A sink, its parent and its store over a disk.
private struct ModelWorld {
    enum Event: CaseIterable {
        case write, commit, rotate, strangerReplaces, somebodyRemoves, sinkDies, fleetDies
    }

    static let strangersLine = -1

    var disk = ModelDisk()
    var sequence: UInt64 = 0
    /// Lines given to the sink in this life; the next line's number.
    var next = 0
    var acknowledged: (lines: Int, position: FilePosition)?
    var committed: (lines: Int, position: FilePosition)?
    /// How many lines of strangers there must be.
    var strangers = 0
    /// Lines that somebody took away with their file.
    var taken: Set<Int> = []

    init() {
        open(dying: nil)
    }

    var position: FilePosition? {
        disk.identity(.path).map {
            FilePosition(
                sequence: sequence, identity: $0, offset: Int64(disk.files[$0.inode]?.count ?? 0))
        }
    }

    /// Opens the file; `dying` says before which call the process dies the first time.
    mutating func open(dying: Int?) {
        let known = acknowledged ?? committed
        for limit in [dying, nil] {
            let plan = FilePlan.make(position: known?.position, findings: disk.findings(known?.position))
            let calls = ModelDisk.calls(plan)
            for call in calls.prefix(limit ?? calls.count) { disk.perform(call) }
            sequence = plan.sequence
            if limit != nil { continue }
            next = known?.lines ?? 0
            if known == nil, let position { committed = (0, position) }
            return
        }
    }

    /// Notices, as a write does, that the file is not the sink's any more.
    mutating func writeLine(into inode: UInt64) {
        if disk.names[.path] != inode {
            let calls =
                disk.names[.path] == nil
                ? ModelDisk.creation(sequence + 1) : [.note(sequence: sequence + 1, offset: nil)]
            for call in calls { disk.perform(call) }
            sequence += 1
        }
        guard let inode = disk.names[.path] else { return }
        disk.files[inode]?.append(next)
        next += 1
        if let position { acknowledged = (next, position) }
    }
}

@Suite("FilePlan over a disk in memory")
struct FilePlanModelTests {
    /// One event, and before which of its calls the process dies where it does.
    private static func play(_ event: ModelWorld.Event, _ dying: Int, _ world: inout ModelWorld, _ own: inout UInt64) {
        switch event {
        case .write: world.writeLine(into: own)
        case .commit:
            world.committed = world.acknowledged ?? world.committed
            return
        case .rotate:
            guard world.disk.names[.path] == own else { return }
            let (calls, next) = world.disk.rotation(world.sequence)
            for call in calls.prefix(dying) { world.disk.perform(call) }
            if dying < calls.count {
                world.acknowledged = nil
                world.open(dying: nil)
            } else {
                world.sequence = next
            }
        case .strangerReplaces, .somebodyRemoves:
            guard let inode = world.disk.names.removeValue(forKey: .path) else { return }
            let lines = world.disk.files[inode] ?? []
            world.taken.formUnion(lines)
            world.strangers -= lines.filter { $0 == ModelWorld.strangersLine }.count
            guard event == .strangerReplaces else { return }
            world.disk.lastInode += 1
            world.disk.names[.path] = world.disk.lastInode
            world.disk.files[world.disk.lastInode] = [ModelWorld.strangersLine]
            world.strangers += 1
            return
        case .sinkDies: world.open(dying: dying)
        case .fleetDies:
            world.acknowledged = nil
            world.open(dying: dying)
        }
        own = world.disk.names[.path] ?? 0
    }

    private static func check(_ world: ModelWorld, _ history: String) {
        let lines = world.disk.lines
        let ours = lines.filter { $0 != ModelWorld.strangersLine }
        let held = (world.acknowledged ?? world.committed)?.lines ?? 0
        #expect(lines.count - ours.count == world.strangers, "a stranger's line is gone: \(history)")
        if world.taken.isEmpty {
            #expect(ours == Array(0..<held), "\(history)")
        } else {
            #expect(Set(ours).count == ours.count, "a line stands there twice: \(history)")
            #expect(world.taken.union(ours).isSuperset(of: 0..<held), "a line is missing: \(history)")
        }
    }

    private static func walk(
        _ world: ModelWorld, _ own: UInt64, _ events: [ModelWorld.Event], _ depth: Int, _ history: String
    ) {
        guard depth > 0 else { return }
        for event in events {
            let moments =
                switch event {
                case .rotate: 0...5
                case .sinkDies, .fleetDies: 0...6
                default: 0...0
                }
            for dying in moments {
                var next = world
                var file = own
                play(event, dying, &next, &file)
                let told = history + " \(event)\(moments.count > 1 ? "@\(dying)" : "")"
                check(next, told)
                walk(next, file, events, depth - 1, told)
            }
        }
    }

    @Test("every history of up to four events holds what was acknowledged, once and in order")
    func allShortHistories() {
        let world = ModelWorld()
        Self.walk(
            world, world.disk.names[.path] ?? 0, [.write, .commit, .rotate, .sinkDies, .fleetDies], 4, "")
    }

    @Test("the same with strangers in the folder, whose lines all stay")
    func shortHistoriesWithStrangers() {
        let world = ModelWorld()
        Self.walk(world, world.disk.names[.path] ?? 0, ModelWorld.Event.allCases, 3, "")
    }

    @Test("long histories", arguments: [false, true])
    func longHistories(strangers: Bool) {
        let events: [ModelWorld.Event] =
            [.write, .write, .write, .commit, .rotate, .sinkDies, .fleetDies]
            + (strangers ? [.strangerReplaces, .somebodyRemoves] : [])
        for seed in UInt64(1)...1500 {
            var random = SeededGenerator(state: seed)
            var world = ModelWorld()
            var own = world.disk.names[.path] ?? 0
            var history = "seed \(seed):"
            for _ in 0..<30 {
                let event = events.randomElement(using: &random) ?? .write
                let dying = Int.random(in: 0...6, using: &random)
                Self.play(event, dying, &world, &own)
                history += " \(event)@\(dying)"
                Self.check(world, history)
            }
        }
    }
}
