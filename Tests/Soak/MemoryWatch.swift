// The highest memory of each kind of process.

import Foundation
import Synchronization

/// Memory in kB.
struct MemoryPeak: Codable, Sendable, Equatable {
    /// What is in memory, shared pages in full.
    var resident = 0
    /// What a process has to itself and its share of the rest (PSS).
    var proportional = 0

    enum CodingKeys: String, CodingKey {
        case resident = "rss_kb"
        case proportional = "pss_kb"
    }

    mutating func note(_ other: MemoryPeak) {
        resident = max(resident, other.resident)
        proportional = max(proportional, other.proportional)
    }
}

/// Samples on a thread of its own.
final class MemoryWatch: Sendable {
    /// Seconds between looks for new processes.
    private static let census = 1.0
    /// The share of a process is slow to find out: of so many at one look, in turn.
    private static let mostShares = 16

    private struct State {
        var parent: pid_t?
        var peaks: [String: MemoryPeak] = [:]
    }

    private let period: Double
    private let state = Mutex(State())
    private let isStopped = Atomic(false)

    /// Prepares to look every so many seconds.
    init(period: Double) { self.period = period }

    /// Starts the thread.
    func start() {
        Thread.detachNewThread { [self] in
            var processes: [(kind: String, pid: pid_t)] = []
            var counted = -Double.infinity
            var turn = 0
            while !isStopped.load(ordering: .relaxed) {
                let begun = Clock.seconds
                if begun - counted >= Self.census {
                    processes = state.withLock { $0.parent }.map(Self.processes) ?? []
                    counted = begun
                }
                look(processes, turn)
                turn += Self.mostShares
                Clock.sleep(period - (Clock.seconds - begun))
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Says who the parent is now.
    func follow(_ parent: pid_t?) { state.withLock { $0.parent = parent } }

    /// Peaks by kind of process.
    var peaks: [String: MemoryPeak] { state.withLock { $0.peaks } }

    /// Gives the peaks since the last call, and forgets them.
    func takePeaks() -> [String: MemoryPeak] {
        state.withLock { state in
            defer { state.peaks = [:] }
            return state.peaks
        }
    }

    private static func processes(of parent: pid_t) -> [(kind: String, pid: pid_t)] {
        [(Target.parent.kind, parent)]
            + ProcessTable.workers(of: parent).map { (Target.worker($0.path).kind, $0.identity.pid) }
    }

    private func look(_ processes: [(kind: String, pid: pid_t)], _ turn: Int) {
        var found: [String: MemoryPeak] = [:]
        for process in processes {
            guard let resident = ProcessTable.residentMemory(process.pid) else { continue }
            found[process.kind, default: MemoryPeak()].note(MemoryPeak(resident: resident))
        }
        for offset in 0..<min(processes.count, Self.mostShares) {
            let process = processes[(turn + offset) % processes.count]
            guard let share = ProcessTable.memory(process.pid) else { continue }
            found[process.kind, default: MemoryPeak()].note(MemoryPeak(proportional: share))
        }
        state.withLock { state in
            for (kind, peak) in found { state.peaks[kind, default: MemoryPeak()].note(peak) }
        }
    }
}
