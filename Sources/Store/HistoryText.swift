// One exit as text: for people, and as a line of NDJSON with stable keys.

internal import Glibc
internal import WorkerProtocol

enum HistoryText {
    /// One line that says what ended how, and what it said last below it.
    static func lines(_ exit: StoredExit) -> String {
        let record = exit.record
        var line = "\(time(record.timeMs))  \(record.path)"
        if let pid = record.pid { line += "  pid \(pid)" }
        line += "  start \(record.incarnation)  \(record.reason)"
        if let ending = ending(record) { line += ": \(ending)" }
        line += record.uptimeMs.map { "  after \(duration($0))" } ?? "  never ready"
        if record.droppedBefore > 0 { line += "  (\(record.droppedBefore) exits before it were not recorded)" }
        return ([line] + record.stderr.map { "    \($0)" }).reduce(into: "") { $0 += visible($1) + "\n" }
    }

    /// How the process ended, and in brackets what it was killed for or what else its status does not say.
    private static func ending(_ record: ExitRecord) -> String? {
        guard let exit = record.exit else { return record.detail }
        let words = status(exit)
        guard let more = record.detail.flatMap({ remark($0, beside: exit.code == nil ? "signal \(words)" : words) })
        else { return words }
        return "\(words) (\(more))"
    }

    private static func status(_ exit: ExitRecord.Exit) -> String {
        if let code = exit.code { return "exit code \(code)" }
        var words = exit.signal ?? "no exit status"
        if exit.coreDumped { words += ", core dumped" }
        if exit.outOfMemory { words += ", out of memory" }
        return words
    }

    /// What a crash's detail says beside the wait status, which it often begins with; the last line of stderr, which
    /// follows a comma there, is shown with the others.
    private static func remark(_ detail: String, beside status: String) -> String? {
        guard detail.hasPrefix(status) else { return detail }
        let rest = detail.dropFirst(status.count)
        return rest.hasPrefix(" ") ? String(rest.dropFirst()) : rest.isEmpty || rest.hasPrefix(",") ? nil : detail
    }

    /// One line of NDJSON; a value that there is none of is null.
    static func json(_ exit: StoredExit) -> [UInt8] {
        // What it is made of are texts and numbers, which JSON has words for.
        ((try? MessageCoding.encode(JSONExit(stored: exit))) ?? []) + [UInt8(ascii: "\n")]
    }

    /// RFC 3339 in UTC with milliseconds.
    private static func time(_ timeMs: Int64) -> String {
        let milliseconds = max(0, timeMs)
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let date = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fraction = String(milliseconds % 1_000)
        return "\(date).\(String(repeating: "0", count: max(0, 3 - fraction.count)))\(fraction)Z"
    }

    /// `250 ms`, `1.5 s`, `3 min`: two digits are enough for a person.
    private static func duration(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: "\(milliseconds) ms"
        case ..<60_000: "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
        case ..<3_600_000: "\(milliseconds / 60_000) min"
        default: "\(milliseconds / 3_600_000) h"
        }
    }

    /// What a process said must not drive somebody's terminal, whoever wrote it into the database.
    private static func visible(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    /// The keys of an `exited` event, and where it stands in the history.
    private struct JSONExit: Encodable {
        let stored: StoredExit

        enum CodingKeys: String, CodingKey {
            case id, run, seq, time, path, pid, incarnation, exit, reason, detail
            case uptimeMs = "uptime_ms"
            case ready, stderr
            case droppedBefore = "dropped_before"
        }

        func encode(to encoder: any Encoder) throws {
            let record = stored.record
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(stored.id, forKey: .id)
            try container.encode(stored.run, forKey: .run)
            try container.encode(record.sequence, forKey: .seq)
            try container.encode(HistoryText.time(record.timeMs), forKey: .time)
            try container.encode(record.path, forKey: .path)
            try container.encode(record.pid, forKey: .pid)
            try container.encode(record.incarnation, forKey: .incarnation)
            try container.encode(record.exit.map(JSONEnding.init), forKey: .exit)
            try container.encode(record.reason, forKey: .reason)
            try container.encode(record.detail, forKey: .detail)
            try container.encode(record.uptimeMs, forKey: .uptimeMs)
            try container.encode(record.ready, forKey: .ready)
            try container.encode(record.stderr, forKey: .stderr)
            try container.encode(record.droppedBefore, forKey: .droppedBefore)
        }
    }

    private struct JSONEnding: Encodable {
        let exit: ExitRecord.Exit

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: ExitRecord.Exit.CodingKeys.self)
            try container.encode(exit.code, forKey: .code)
            try container.encode(exit.signal, forKey: .signal)
            try container.encode(exit.coreDumped, forKey: .coreDumped)
            try container.encode(exit.outOfMemory, forKey: .outOfMemory)
        }
    }
}
