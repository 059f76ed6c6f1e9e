// What each line is: its kind, its level, the machine it comes from, when it appears. A pure function of the app and the line's number.
//
// Texts are written by Messages.swift. The mix follows what a small web service on the platform prints: mostly request
// logs, some structured lines, proxy and runner lines in between, now and then a stack trace.

/// Who wrote a line, as the platform names it in `event.provider`.
package enum LogProvider: String, Sendable {
    case app, proxy, runner
}

/// The level the platform gives a line; `info` for nearly all that an app prints, whatever its text says.
package enum LogLevel: String, Sendable {
    case info, warn, error, debug
}

/// One line of a simulated app, without its text.
package struct LogLine: Sendable, Equatable {
    /// What the text is about.
    package enum Kind: Sendable, Equatable {
        case request
        case structured
        case coloured
        case statement
        case traceLine(Int)
        case proxyRequest
        case proxyFault
        case healthCheck
        case machineChange
    }

    /// The line's number within its app, from 1, without gaps.
    package let sequence: Int
    /// Unix nanoseconds.
    package let timestamp: Int64
    /// Unix nanoseconds from which the log has it; after its timestamp for a late line.
    package let appearance: Int64
    /// Index into the app's machines.
    package let machine: Int
    /// Who wrote it.
    package let provider: LogProvider
    /// What the platform thinks of it.
    package let level: LogLevel
    /// What its text is about.
    package let kind: Kind

    /// The odd text that it has instead; nil for an ordinary line.
    package let oddMessage: OddMessage?

    let variety: UInt64
    let longBytes: Int
}

extension SimulatedApp {
    /// The line with a number.
    ///
    /// - Parameter sequence: From 1; numbers beyond now are lines that are not written yet.
    package func line(_ sequence: Int) -> LogLine {
        let segment = timeline.segment(ofLine: sequence)
        let origin = origin(of: sequence, in: segment)
        let variety = mixed(key ^ 0x7661_7269_0000 ^ UInt64(truncatingIfNeeded: sequence))
        var draw = Draw(mixed(variety))
        let kind = origin.tracePosition.map(LogLine.Kind.traceLine) ?? Self.kind(at: draw.below(200))
        let timestamp = segment.timeline.timestamp(of: sequence - segment.before)
        let odd = segment.settings.oddMessage(at: unitInterval(mixed(variety ^ 0x6F64_6400)))
        return LogLine(
            sequence: sequence,
            timestamp: timestamp,
            appearance: timestamp + lateness(of: sequence, segment.settings),
            machine: origin.machine,
            provider: kind.provider,
            level: Self.level(of: kind, choice: draw.below(100)),
            kind: kind,
            oddMessage: odd,
            variety: variety,
            longBytes: segment.settings.longBytes
        )
    }

    /// Whether the log has a line that was written by then.
    func hasAppeared(_ sequence: Int, by now: Int64) -> Bool {
        let segment = timeline.segment(ofLine: sequence)
        let late = lateness(of: sequence, segment.settings)
        return late == 0 || segment.timeline.timestamp(of: sequence - segment.before) + late <= now
    }

    /// How long after its timestamp a line appears, in nanoseconds.
    private func lateness(of sequence: Int, _ settings: LineSettings) -> Int64 {
        guard settings.lateShare > 0, settings.lateness > 0 else { return 0 }
        let word = mixed(key ^ 0x6C61_7465_0000 ^ UInt64(truncatingIfNeeded: sequence))
        guard unitInterval(word) < settings.lateShare else { return 0 }
        let half = settings.lateness / 2
        return settings.lateness - Int64(mixed(word) % UInt64(half + 1))
    }

    /// The machine that wrote a line: all that region and instance filters need, without the cost of the whole line.
    func machine(ofLine sequence: Int) -> SimulatedMachine {
        machines[origin(of: sequence, in: timeline.segment(ofLine: sequence)).machine]
    }

    /// The lines of one stack trace come from one machine, so the trace's first line decides for all.
    private func origin(of sequence: Int, in segment: LineHistory.Segment) -> (machine: Int, tracePosition: Int?) {
        let index = sequence - segment.before - 1
        let trace = segment.traces.trace(containing: index)
        let deciding = segment.before + (trace?.first ?? index)
        let word = mixed(key ^ 0x6F72_6967_696E ^ UInt64(truncatingIfNeeded: deciding))
        return (Int(word % UInt64(machines.count)), trace.map { index - $0.first })
    }

    private static func kind(at choice: Int) -> LogLine.Kind {
        switch choice {
        case ..<104: .request
        case ..<132: .structured
        case ..<138: .coloured
        case ..<152: .statement
        case ..<180: .proxyRequest
        case ..<184: .proxyFault
        case ..<197: .healthCheck
        default: .machineChange
        }
    }

    private static func level(of kind: LogLine.Kind, choice: Int) -> LogLevel {
        switch kind {
        case .proxyFault: choice < 70 ? .error : .warn
        case .statement: choice < 20 ? .debug : .info
        case .healthCheck: choice < 8 ? .error : (choice < 14 ? .warn : .info)
        case .machineChange: choice < 15 ? .warn : .info
        default: choice < 98 ? .info : .warn
        }
    }
}

extension LogLine.Kind {
    var provider: LogProvider {
        switch self {
        case .request, .structured, .coloured, .statement, .traceLine: .app
        case .proxyRequest, .proxyFault: .proxy
        case .healthCheck, .machineChange: .runner
        }
    }
}
