// What a file sink does when it opens its file: which file is cut where, which is thrown away, and where it goes on.
// A decision about facts; who carries it out is FileSteps.
//
// Everything behind the committed position was never committed, and comes again: it must go. Everything else stays.
// Only files that are noted as the sink's own are cut or removed, and the decision is the same again when a kill came
// between any two of its steps.

package import EventLoop

/// Facts of one file.
package struct FileFacts: Equatable, Sendable {
    package var status: FileStatus
    /// Whether it is as long as the position says, with the end of a line there; asked of the position's file only.
    package var holdsPosition: Bool
    /// Whether it is empty or ends with a line's end.
    package var endsLine: Bool

    package init(_ status: FileStatus, holdsPosition: Bool = false, endsLine: Bool = true) {
        self.status = status
        self.holdsPosition = holdsPosition
        self.endsLine = endsLine
    }
}

/// What is there.
package struct FileFindings: Equatable, Sendable {
    package struct Rotated: Equatable, Sendable {
        package var sequence: UInt64
        package var facts: FileFacts

        package init(_ sequence: UInt64, _ facts: FileFacts) {
            self.sequence = sequence
            self.facts = facts
        }
    }

    /// The file at the path; nil where there is none.
    package var current: FileFacts?
    /// Rotated files that are not packed, in the order of their sequences.
    package var rotated: [Rotated]
    /// The greatest sequence of a packed file; 0 where there is none.
    package var lastPacked: UInt64
    package var notes: FileNotes

    package init(
        current: FileFacts? = nil, rotated: [Rotated] = [], lastPacked: UInt64 = 0, notes: FileNotes = FileNotes()
    ) {
        self.current = current
        self.rotated = rotated
        self.lastPacked = lastPacked
        self.notes = notes
    }
}

/// What to do, and where the sink then stands.
package struct FilePlan: Equatable, Sendable {
    /// More than this can never be uncommitted: the parent holds 64 MiB at most.
    ///
    /// Whoever would cut off more has an old state directory in hand, or a file that somebody else filled.
    package static let mostUncommittedBytes: Int64 = 128 * 1024 * 1024

    package enum Step: Equatable, Sendable {
        case cutRotated(UInt64, to: Int64)
        case removeRotated(UInt64)
        case cut(to: Int64)
        /// Makes an empty file at the path, where there is none.
        case create
        /// Ends the last line of the file at the path.
        case endLine
    }

    /// What people must know: one line on stderr.
    package enum Notice: Equatable, Sendable {
        /// The file of the committed position is not there any more.
        case removed
        /// It is shorter than was committed, or no line ends at the position.
        case changed
        /// Something was committed without this sink.
        case leftOut
        /// More bytes than could be uncommitted lie behind the position.
        case ahead(Int64)
    }

    /// In this order.
    package var steps: [Step]
    package var sequence: UInt64
    /// Where it goes on; nil at the end of the file, which is to be noted as a beginning.
    package var offset: Int64?
    /// Whether the position must be placed in the store before the first batch.
    package var mustPlace: Bool
    package var notice: Notice?

    package init(
        steps: [Step], sequence: UInt64, offset: Int64?, mustPlace: Bool = false, notice: Notice? = nil
    ) {
        self.steps = steps
        self.sequence = sequence
        self.offset = offset
        self.mustPlace = mustPlace
        self.notice = notice
    }
}

extension FilePlan {
    /// Decides.
    ///
    /// - Parameters:
    ///   - position: where the sink stood, by the store or by its predecessor in this parent's life.
    ///   - missedCommits: whether apps have moved on without this sink since then.
    package static func make(
        position: FilePosition?, missedCommits: Bool = false, findings: FileFindings
    ) -> FilePlan {
        guard let position else { return atEnd(of: findings, mustPlace: true) }
        if missedCommits { return atEnd(of: findings, after: position, mustPlace: true, notice: .leftOut) }
        let cuts = Cuts(position, findings)
        guard cuts.bytes <= mostUncommittedBytes else {
            return atEnd(of: findings, after: position, mustPlace: true, notice: .ahead(cuts.bytes))
        }
        guard let current = findings.current, let goesOn = cuts.current else {
            var plan = atEnd(of: findings, after: position, mustPlace: false, notice: cuts.notice)
            plan.steps = cuts.steps + plan.steps
            return plan
        }
        let step = current.status.size > goesOn.offset ? [Step.cut(to: goesOn.offset)] : []
        return FilePlan(
            steps: cuts.steps + step, sequence: goesOn.sequence, offset: goesOn.offset, notice: cuts.notice)
    }

    /// Leaves everything as it is and begins behind it.
    private static func atEnd(
        of findings: FileFindings, after position: FilePosition? = nil, mustPlace: Bool, notice: Notice? = nil
    ) -> FilePlan {
        let last =
            [
                position?.sequence ?? 0, findings.rotated.last?.sequence ?? 0, findings.lastPacked,
                findings.notes.beginnings.map(\.sequence).max() ?? 0,
            ].max() ?? 0
        let steps: [Step] =
            switch findings.current {
            case nil: [.create]
            case let current?: current.endsLine ? [] : [.endLine]
            }
        return FilePlan(steps: steps, sequence: last + 1, offset: nil, mustPlace: mustPlace, notice: notice)
    }
}

/// What is uncommitted, file by file.
private struct Cuts {
    /// What to do about rotated files.
    private(set) var steps: [FilePlan.Step] = []
    /// Where the file at the path goes on; nil when that is a stranger's or not there.
    private(set) var current: (sequence: UInt64, offset: Int64)?
    /// How much goes.
    private(set) var bytes: Int64 = 0
    private(set) var notice: FilePlan.Notice?

    private let position: FilePosition
    private let notes: FileNotes

    init(_ position: FilePosition, _ findings: FileFindings) {
        self.position = position
        notes = findings.notes
        if let facts = findings.current { decideCurrent(facts) }
        let isAtPath = findings.current.map { position.identity.matches($0.status) } ?? false
        let base = isAtPath ? nil : findings.rotated.first { position.identity.matches($0.facts.status) }
        for rotated in findings.rotated where rotated != base { decideLater(rotated) }
        if let base {
            decideBase(base)
        } else if !isAtPath, current == nil, notice == nil {
            notice = .removed
        }
    }

    /// The file at the path: the position's own, or one that was begun after it.
    private mutating func decideCurrent(_ facts: FileFacts) {
        let newer = newerNotes(of: facts)
        var offset = newer.map(\.offset).min()
        if position.identity.matches(facts.status) {
            if facts.holdsPosition {
                offset = min(offset ?? position.offset, position.offset)
            } else if offset == nil {
                notice = .changed
            }
        }
        guard let offset, facts.status.size >= offset else {
            if offset != nil { notice = .changed }
            return
        }
        current = (newer.map(\.sequence).max() ?? position.sequence, offset)
        bytes += facts.status.size - offset
    }

    /// The position's file, rotated away after it.
    private mutating func decideBase(_ base: FileFindings.Rotated) {
        guard base.facts.holdsPosition else {
            notice = .changed
            return
        }
        let rest = base.facts.status.size - position.offset
        guard rest > 0 else { return }
        bytes += rest
        steps.append(.cutRotated(base.sequence, to: position.offset))
    }

    /// A rotated file that was begun after the position; any other is left alone.
    private mutating func decideLater(_ rotated: FileFindings.Rotated) {
        guard let begin = newerNotes(of: rotated.facts).map(\.offset).min() else { return }
        let rest = rotated.facts.status.size - begin
        if begin == 0 {
            bytes += rest
            steps.append(.removeRotated(rotated.sequence))
        } else if rest > 0 {
            bytes += rest
            steps.append(.cutRotated(rotated.sequence, to: begin))
        }
    }

    private func newerNotes(of facts: FileFacts) -> [FilePosition] {
        notes.beginnings.filter { $0.sequence > position.sequence && $0.identity.matches(facts.status) }
    }
}
