// A regular expression that is run on lines which somebody else wrote, with PCRE2.
//
// Not a general matcher: it has no captures, and its time is bounded. Patterns come from the user, lines from anywhere,
// so a line may be made to drive a harmless pattern into exponential time. Three bounds meet that:
//
//     steps     PCRE2's match limit, for each place of the line at which a match may begin
//     CPU time  looked at between stretches of such places, so that a long line of costly places ends too
//     memory    PCRE2's heap limit, or the size of the stack that compiled patterns run on
//
// Where a bound is met the verdict is `undecided`. A pattern that meets it gets fewer steps for the next lines, down to
// a floor, and slowly more again: a page full of such lines takes seconds, not minutes.
//
// Invariant: a line is never lost because of a bound. Who includes lines asks `mayMatch`, who excludes them `matches`.

internal import CPcre2
internal import Glibc

/// What is known of a line.
package enum PatternVerdict: Equatable, Sendable {
    case match
    case noMatch
    /// A bound was met first.
    case undecided
}

/// One compiled pattern.
///
/// Perl's syntax; `.` is a character of UTF-8, bytes that are not UTF-8 match nothing, `\w`, `\d` and `\s` are ASCII,
/// and case counts unless the pattern begins with `(?i)`. Confined to one thread.
package final class LinePattern {
    /// The longest pattern, in bytes.
    package static let mostPatternBytes = 4096

    /// Steps for each place at which a match may begin: the most, and the fewest.
    private static let mostSteps: UInt32 = 20_000
    private static let fewestSteps: UInt32 = 500
    /// What a line may take when it is long enough for the clock to be read at all, in ns of CPU time.
    private static let cpuBudget: Int64 = 50_000_000
    /// Beginnings tried between two looks at the clock: at first, and at most.
    private static let firstStretch = 512
    private static let longestStretch = 8192
    private static let heapKibibytes: UInt32 = 8 * 1024
    private static let jitStackBytes = (first: 32 * 1024, most: 512 * 1024)

    /// The text it was made of.
    package let text: String
    /// Lines, or rests of lines, on which a bound was met.
    package private(set) var undecidedCount: UInt64 = 0
    /// Whether the pattern runs as machine code.
    let isCompiled: Bool

    private let library: PatternLibrary
    private let code: OpaquePointer
    private let matchData: OpaquePointer
    private let context: OpaquePointer
    private let jitStack: OpaquePointer?
    private let range: UnsafeMutablePointer<Int>
    private var steps = LinePattern.mostSteps

    /// Compiles `text`.
    ///
    /// To machine code where that is possible; a system that forbids memory for it gets the interpreter.
    package convenience init(_ text: String) throws(LinePatternError) {
        try self.init(text, machineCode: true)
    }

    init(_ text: String, machineCode: Bool) throws(LinePatternError) {
        var text = text
        guard !text.isEmpty else { throw LinePatternError(.empty, pattern: text) }
        let count = text.utf8.count
        guard count <= Self.mostPatternBytes else { throw LinePatternError(.tooLong(count), pattern: text) }
        let library = try PatternLibrary()
        let functions = library.functions
        var errorCode: Int32 = 0
        var errorOffset = 0
        let compiled = text.withUTF8 { cpcre2_compile(functions, $0.baseAddress, $0.count, &errorCode, &errorOffset) }
        guard let code = compiled else {
            let before = String(decoding: text.utf8.prefix(errorOffset), as: UTF8.self)
            let reason = library.description(of: errorCode)
            throw LinePatternError(
                .invalid(position: before.unicodeScalars.count, reason: reason), pattern: text)
        }
        guard let matchData = functions.pointee.match_data_create(1, nil) else {
            functions.pointee.code_free(code)
            throw LinePatternError(.outOfMemory, pattern: text)
        }
        guard let context = functions.pointee.match_context_create(nil),
            let range = functions.pointee.get_ovector_pointer(matchData)
        else {
            functions.pointee.match_data_free(matchData)
            functions.pointee.code_free(code)
            throw LinePatternError(.outOfMemory, pattern: text)
        }
        isCompiled = machineCode && functions.pointee.jit_compile(code, PCRE2_JIT_COMPLETE) == 0
        // Without a stack of its own a compiled pattern uses 32 KiB of the thread's.
        jitStack =
            isCompiled
            ? functions.pointee.jit_stack_create(Self.jitStackBytes.first, Self.jitStackBytes.most, nil) : nil
        if let jitStack { functions.pointee.jit_stack_assign(context, nil, UnsafeMutableRawPointer(jitStack)) }
        cpcre2_set_limits(functions, context, Self.mostSteps, Self.heapKibibytes)
        self.text = text
        self.library = library
        self.code = code
        self.matchData = matchData
        self.context = context
        self.range = UnsafeMutableRawPointer(range).assumingMemoryBound(to: Int.self)
    }

    deinit {
        let functions = library.functions.pointee
        if let jitStack { functions.jit_stack_free(jitStack) }
        functions.match_context_free(context)
        functions.match_data_free(matchData)
        functions.code_free(code)
    }

    /// Whether the pattern matches somewhere in `bytes`, or ``PatternVerdict/undecided``.
    package func verdict(on bytes: UnsafeRawBufferPointer) -> PatternVerdict {
        var time = TimeSpent()
        return find(in: bytes, from: 0, notEmpty: false, &time)
    }

    /// Whether the pattern is known to match: what leaves lines out asks this.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { verdict(on: bytes) == .match }

    /// Whether the pattern is not known not to match: what lets lines through asks this.
    package func mayMatch(_ bytes: UnsafeRawBufferPointer) -> Bool { verdict(on: bytes) != .noMatch }

    /// Calls `body` with every match that is not empty, in order; they do not overlap.
    ///
    /// Where a bound is met it ends early.
    package func ranges(in bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) {
        var time = TimeSpent()
        var position = 0
        var nextLook = Self.firstStretch
        while position < bytes.count, find(in: bytes, from: position, notEmpty: true, &time) == .match {
            // `\K` moves the start of a match, and PCRE2 says that it could lie behind its end.
            let start = max(range[0], position)
            let end = min(range[1], bytes.count)
            if start < end { body(start..<end) }
            position = max(end, position + 1)
            guard position >= nextLook else { continue }
            guard time.isWithin(Self.cpuBudget) else { break }
            nextLook = position + Self.firstStretch
        }
    }

    /// Looks for the first match that begins at `start` or behind it, stretch by stretch.
    private func find(
        in bytes: UnsafeRawBufferPointer, from start: Int, notEmpty: Bool, _ time: inout TimeSpent
    ) -> PatternVerdict {
        let functions = library.functions
        var start = start
        var stretch = Self.firstStretch
        while true {
            let isLast = bytes.count - start <= stretch
            let limit = isLast ? cpcre2_no_offset_limit() : start + stretch - 1
            let result = cpcre2_match(
                functions, code, bytes.baseAddress, bytes.count, start, limit, notEmpty ? 1 : 0, matchData, context)
            if result >= 0 {
                recover()
                return .match
            }
            guard result == PCRE2_ERROR_NOMATCH else { return giveUp() }
            if isLast {
                recover()
                return .noMatch
            }
            start += stretch
            // No match begins inside a character.
            while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
            guard time.isWithin(Self.cpuBudget) else { return giveUp() }
            stretch = min(stretch * 2, Self.longestStretch)
        }
    }

    private func giveUp() -> PatternVerdict {
        undecidedCount += 1
        setSteps(max(steps / 2, Self.fewestSteps))
        return .undecided
    }

    @inline(__always)
    private func recover() {
        if steps < Self.mostSteps { setSteps(min(steps + steps / 64 + 1, Self.mostSteps)) }
    }

    private func setSteps(_ count: UInt32) {
        steps = count
        cpcre2_set_limits(library.functions, context, count, Self.heapKibibytes)
    }
}

/// The CPU time of one line, counted from the first look at the clock: short lines never look.
///
/// The thread's own time: a process that was stopped, or waited for its turn, spent none.
private struct TimeSpent {
    private var start: Int64?

    mutating func isWithin(_ budget: Int64) -> Bool {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        guard let start else {
            start = now
            return true
        }
        return now - start <= budget
    }
}
