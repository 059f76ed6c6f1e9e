// One time during which a reader stood still: what was told of it, and the limits of memory that it is compared with.

/// What happened while a reader stood still, and after.
struct Standstill: Codable, Sendable {
    /// Who stood still, in words.
    var name: String
    /// How long, in seconds.
    var seconds = 0.0
    /// Lines emitted meanwhile, over all apps.
    var emitted = 0
    /// Seconds from its end until every line emitted till then was everywhere; nil if that never was.
    var catchUp: Double?
    /// Seconds from SIGSTOP until a successor was ready; nil where there was none.
    var replacement: Double?
    /// Deaths and restarts that should not have been, in words.
    var deaths: [String] = []
    /// By kind of process, until everything was everywhere.
    var memory: [String: MemoryPeak] = [:]

    enum CodingKeys: String, CodingKey {
        case name, seconds, emitted, deaths, memory
        case catchUp = "catch_up_s"
        case replacement = "replacement_s"
    }
}

/// How much memory a process may have in a standstill.
enum MemoryLimits {
    private static let ordinary = 16
    /// The parent holds 64 MiB of batches; the rest is what it is made of.
    private static let special = [
        "parent": 110, "streamers": 32, "sinks/console": 48, "file sinks": 48, "store": 48,
    ]

    /// The limit for a kind of process, in MiB.
    static func mebibytes(_ kind: String) -> Int { special[kind] ?? ordinary }
}

extension SoakReport {
    /// The complaints that follow from the standstills and from the memory.
    var standstillComplaints: [String] {
        var words: [String] = []
        for standstill in standstills {
            if standstill.catchUp == nil { words.append("\(standstill.name): lines did not come afterwards") }
            words += standstill.deaths.map { "\(standstill.name): \($0)" }
        }
        for (kind, peak) in standstillMemory where peak.resident > MemoryLimits.mebibytes(kind) * 1024 {
            words.append("\(kind): \(peak.resident) kB of memory, more than \(MemoryLimits.mebibytes(kind)) MiB")
        }
        return words
    }

    /// The part of the report for people that tells of standstills.
    var standstillText: [String] {
        var lines = ["", "standstills:"]
        for standstill in standstills {
            let replaced = standstill.replacement.map { ", replaced after \(Self.short($0)) s" } ?? ""
            let catchUp = standstill.catchUp.map { "\(Self.short($0)) s later everything was everywhere" }
            lines.append(
                "  \(standstill.name): \(Self.short(standstill.seconds)) s\(replaced), \(standstill.emitted) lines "
                    + "meanwhile; \(catchUp ?? "they did not all come"); "
                    + (standstill.deaths.isEmpty ? "nobody else died" : standstill.deaths.joined(separator: ", ")))
            let peaks = ["parent", "streamers"].compactMap { kind in
                standstill.memory[kind].map { "\(kind) \(Self.mebibytes($0.resident))" }
            }
            lines.append("    highest RSS, MiB: \(peaks.joined(separator: ", "))")
        }
        lines.append("highest memory, MiB:")
        lines.append("  \(Self.row("", ["RSS", "PSS", "limit"], width: 16))")
        for (kind, peak) in standstillMemory.sorted(by: { $0.key < $1.key }) {
            let cells = [
                Self.mebibytes(peak.resident), Self.mebibytes(peak.proportional), "\(MemoryLimits.mebibytes(kind))",
            ]
            lines.append("  \(Self.row(kind, cells, width: 16))")
        }
        return lines
    }

    private static func mebibytes(_ kilobytes: Int) -> String { short(Double(kilobytes) / 1024) }
}
