// What comes after a parent: another one, which knows nothing but what the store has committed. It lives without processes:
// its books, the disk, and by lot what happens next. Some die in the middle; the last lives until everything is
// in every file.

internal import Fleet
internal import Framing

/// A parent that came later, as far as batches go.
private struct LaterLife {
    var ledger: BatchLedger<Int>
    /// How far each app was read, and the last chunk and batch of each.
    var lines: [Int]
    var chunks: [UInt64]
    var numbers: [UInt64]
    /// What each sink has in its pipe, and what it has written and not said.
    var pipes: [[Int]]
    var unsaid: [[(batch: Int, position: Int)]]
    var commit: CommitPayload?
}

extension Simulation {
    /// The parent is killed, and everybody with it; what was in their hands may or may not have been done.
    mutating func killParent() {
        isParentKilled = true
        for sink in world.sinks.indices {
            guard let process = readyProcess(world.sinks[sink].path), !processes[process].isHung else { continue }
            for case .batch(let batch) in processes[process].input where random.chance(70) {
                // It writes what comes in order, or dies.
                guard violation == nil, world.sent[batch].from == world.sinks[sink].reached[world.sent[batch].app],
                    !world.sent[batch].isReplay
                else { break }
                check(world.write(batch, to: sink))
            }
        }
        // What its store was given it may still do.
        if let committing = batches.committing, processes[committing.process].isAlive, random.chance(50) {
            check(world.apply(batches.transactions[committing.transaction]))
        }
    }

    /// Lives on after the fleet has ended, however it did, and looks at what came of all of it.
    mutating func liveOn() {
        guard scenario.hasBatches, violation == nil else { return }
        var ends = world.cursors
        for batch in world.sent where !batch.isReplay { ends[batch.app] = max(ends[batch.app], batch.to) }
        ends = ends.map { $0 + random.below(40) }
        for _ in 0..<random.between(0, 2) { live(to: ends, steps: random.between(1, 60), isLast: false) }
        live(to: ends, steps: 20_000, isLast: true)
        guard violation == nil else { return }
        for sink in world.sinks where sink.keeps {
            if sink.committedLines != ends || sink.reached != ends || sink.committed != sink.written.count {
                fail("in the end every line is in the file once", "\(sink.path) has \(sink.reached) of \(ends)")
            }
        }
        if world.cursors != ends { fail("in the end every cursor is committed", "\(world.cursors) of \(ends)") }
    }

    private mutating func live(to ends: [Int], steps: Int, isLast: Bool) {
        for sink in world.sinks.indices where world.sinks[sink].keeps { check(world.cut(sink, to: nil)) }
        for sink in world.sinks.indices where !world.sinks[sink].keeps { world.sinks[sink].reached = world.cursors }
        var life = LaterLife(
            ledger: BatchTraffic.ledger(world), lines: world.cursors,
            chunks: scenario.apps.indices.map { world.lastChunk($0) },
            numbers: Array(repeating: 0, count: scenario.apps.count),
            pipes: world.sinks.map { _ in [] }, unsaid: world.sinks.map { _ in [] })
        for case .some(let subscriber) in batches.subscribers { life.ledger.attach(subscriber) }
        for _ in 0..<steps where violation == nil {
            step(&life, ends)
            for receipt in life.ledger.takeReceipts() where receipt.number == 0 { fail("batches count from 1", "0") }
            if life.lines == ends, life.ledger.isEmpty { return }
        }
        if isLast, violation == nil { fail("nothing is held for ever", "\(life.ledger.heldBytes) bytes are") }
    }

    private mutating func step(_ life: inout LaterLife, _ ends: [Int]) {
        let sink = random.below(world.sinks.count)
        switch random.below(20) {
        case 0...3: readMore(&life, ends)
        case 4...7:
            guard let subscriber = batches.subscribers[sink] else { return }
            while let batch = life.ledger.nextDelivery(to: subscriber) { life.pipes[sink].append(batch.body) }
        case 8...11:
            guard !life.pipes[sink].isEmpty else { return }
            let batch = life.pipes[sink].removeFirst()
            check(world.write(batch, to: sink))
            life.unsaid[sink].append((batch, world.sinks[sink].written.count))
        case 12...15:
            guard let subscriber = batches.subscribers[sink], !life.unsaid[sink].isEmpty else { return }
            let (batch, position) = life.unsaid[sink].removeFirst()
            let sent = world.sent[batch]
            guard
                life.ledger.acknowledge(
                    app: scenario.apps[sent.app], number: sent.number, position: "\(position)", by: subscriber)
            else { return fail("an acknowledgement in turn is taken", "batch \(sent.number)") }
        case 16...17: commit(&life)
        case 18: answer(&life)
        default:
            guard let subscriber = batches.subscribers[sink], random.chance(20) else { return }
            life.ledger.detach(subscriber)
            life.pipes[sink] = []
            life.unsaid[sink] = []
            if world.sinks[sink].keeps {
                check(world.cut(sink, to: life.ledger.position(of: subscriber).flatMap { Int($0) }))
            }
            life.ledger.attach(subscriber)
        }
    }

    private mutating func readMore(_ life: inout LaterLife, _ ends: [Int]) {
        let app = random.below(scenario.apps.count)
        guard life.lines[app] < ends[app] else { return }
        life.numbers[app] += 1
        life.chunks[app] += 1
        let from = life.lines[app]
        life.lines[app] = min(ends[app], from + random.between(10, 300))
        world.sent.append(
            SimulatedBatch(
                app: app, from: from, to: life.lines[app], number: life.numbers[app], chunk: life.chunks[app]))
        life.ledger.append(
            Batch(
                app: scenario.apps[app], number: life.numbers[app], incarnation: 1, cursor: "\(life.lines[app])",
                bytes: 1_000,
                chunk: Batch<Int>.Chunk(
                    number: life.chunks[app], firstKept: BatchWorld.firstKept(beside: life.chunks[app]), bytes: 16),
                body: world.sent.count - 1))
    }

    private mutating func commit(_ life: inout LaterLife) {
        guard let payload = life.ledger.beginCommit(identities: { [world] in world.sent[$0].identities }) else {
            return
        }
        life.commit = payload
    }

    private mutating func answer(_ life: inout LaterLife) {
        guard let commit = life.commit else { return }
        life.commit = nil
        // Refused, or done without anybody being told.
        let isRefused = random.chance(10)
        if !isRefused { check(world.apply(commit)) }
        guard !isRefused, !random.chance(10) else { return life.ledger.commitFailed() }
        life.ledger.commitSucceeded()
    }
}
