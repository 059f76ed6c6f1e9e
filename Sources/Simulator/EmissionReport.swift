// What there is to read by now, for verifiers: numbers of lines per app, and any line's own facts.

/// How far the log of one app has come, in the shape of `GET /_sim/emitted`.
package struct EmissionReport: Codable, Sendable, Equatable {
    /// Lines with a timestamp up to now, which is also the number of the newest of them.
    package var emitted: Int
    /// Those of them that are late and not yet in the log.
    package var late: Int
    /// The number of the oldest line that the retention still covers; one more than `emitted` when there is none.
    package var firstRetained: Int
    /// The number of the last line there will be; nil for no end.
    package var last: Int?
    /// Whether all lines there will be can be read.
    package var complete: Bool

    enum CodingKeys: String, CodingKey {
        case emitted, late, last, complete
        case firstRetained = "first_retained"
    }
}

extension SimulatedApp {
    /// How far the log has come.
    ///
    /// - Parameter now: Unix nanoseconds.
    package func emission(at now: Int64) -> EmissionReport {
        let emitted = count(through: now)
        let late = missingCount(at: now)
        let last = timeline.lastSequence
        return EmissionReport(
            emitted: emitted, late: late,
            firstRetained: timeline.firstSequence(atOrAfter: max(0, now - pages.retention)), last: last,
            complete: late == 0 && last == emitted)
    }

    /// One NDJSON object a line: `n`, `id`, `timestamp`, `appears_ms`, and `odd` where its text is odd.
    ///
    /// - Parameter sequences: The numbers of lines that are written by now.
    package func lineFacts(_ sequences: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        for sequence in sequences {
            let line = line(sequence)
            bytes.append(contentsOf: #"{"n":"#.utf8)
            appendDecimal(sequence, to: &bytes)
            bytes.append(contentsOf: #","id":""#.utf8)
            appendIdentifier(of: line, to: &bytes)
            bytes.append(contentsOf: #"","timestamp":""#.utf8)
            WireTime.append(line.timestamp, to: &bytes)
            bytes.append(contentsOf: #"","appears_ms":"#.utf8)
            appendDecimal(Int(line.appearance / 1_000_000), to: &bytes)
            if let odd = line.oddMessage { bytes.append(contentsOf: #","odd":"\#(odd.rawValue)""#.utf8) }
            bytes.append(contentsOf: "}\n".utf8)
        }
        return bytes
    }
}
