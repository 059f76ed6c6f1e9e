// When each line of an app is written: a strictly rising function of the line's sequence number, and its inverse.
//
// Nothing is stored and no clock is read. Time is cut into cycles of 256 slots, one line a slot; in about one cycle of
// four a run of slots is squeezed to a fiftieth of its width (a burst), and the lines of a stack trace follow each other
// within microseconds. The invariant: timestamp(n) < timestamp(n + 1), whatever the rate, but for runs of lines that share
// one nanosecond on purpose.

/// The timestamps of one app's lines, in Unix nanoseconds.
package struct Timeline: Sendable {
    /// Lines per second that a timeline can be asked for.
    package static let allowedRates: ClosedRange<Double> = 0.001...1_000_000

    /// The last instant a timeline knows, 2100-01-01, in Unix nanoseconds: far enough, and no sum overflows.
    package static let end: Int64 = 4_102_444_800 * WireTime.second

    /// Lines per cycle; stack traces never cross a cycle's end because its length is a multiple of theirs.
    static let cycleLength = 256

    private static let longestBurst = 160
    private static let burstSpeedUp: Int64 = 50

    /// The instant before which there is no line, in Unix nanoseconds.
    package let epoch: Int64

    private let key: UInt64
    private let period: Int64
    private let burstSlot: Int64
    private let traceStep: Int64
    private let traces: StackTraces
    private let ties: Ties

    /// Makes the timeline of an app.
    ///
    /// - Parameters:
    ///   - epoch: Unix nanoseconds at which the first cycle begins, clamped to `0...end`.
    ///   - rate: Mean lines per second, clamped to `allowedRates`.
    ///   - key: What sets this app's timeline apart from another's.
    ///   - tieLength: How many successive lines share one nanosecond, now and then; 0 for none.
    ///   - tieEvery: There is one such run in as many lines as this.
    package init(epoch: Int64, rate: Double, key: UInt64, tieLength: Int = 0, tieEvery: Int = 1_000) {
        let clamped = min(max(rate, Self.allowedRates.lowerBound), Self.allowedRates.upperBound)
        self.epoch = min(max(epoch, 0), Self.end)
        self.key = mixed(key ^ 0x7469_6D65)
        period = Int64(1_000_000_000 / clamped)
        burstSlot = max(4, period / Self.burstSpeedUp)
        traceStep = min(20_000, burstSlot / 2)
        traces = StackTraces(key: key)
        ties = Ties(length: tieLength, every: tieEvery, key: key)
    }

    /// The instant of a line in Unix nanoseconds.
    ///
    /// - Parameter sequence: The line's number, from 1.
    package func timestamp(of sequence: Int) -> Int64 {
        let index = sequence - 1
        return epoch + rawOffset(of: ties.run(containing: index)?.lowerBound ?? index)
    }

    /// As if no two lines had one nanosecond.
    private func rawOffset(of index: Int) -> Int64 {
        guard let trace = traces.trace(containing: index) else { return ordinaryOffset(of: index) }
        return ordinaryOffset(of: trace.first) + Int64(index - trace.first) * traceStep
    }

    /// How many lines were written up to and including an instant, which is also the number of the last of them.
    ///
    /// - Parameter instant: Unix nanoseconds; what lies after `end` counts as `end`.
    package func count(through instant: Int64) -> Int {
        let instant = min(instant, Self.end)
        guard instant >= epoch else { return 0 }
        let cycle = Int((instant - epoch) / cycleDuration)
        var low = cycle * Self.cycleLength
        var high = low + Self.cycleLength
        while low < high {
            let middle = (low + high) / 2
            if epoch + rawOffset(of: middle) <= instant {
                low = middle + 1
            } else {
                high = middle
            }
        }
        // The other lines of a run come at the instant of its first.
        guard low > 0, let run = ties.run(containing: low - 1) else { return low }
        return run.upperBound
    }

    /// The number of the first line at or after an instant.
    ///
    /// - Parameter instant: Unix nanoseconds.
    package func firstSequence(atOrAfter instant: Int64) -> Int {
        guard instant > epoch else { return 1 }
        return count(through: instant - 1) + 1
    }

    private var cycleDuration: Int64 { period * Int64(Self.cycleLength) }

    private func ordinaryOffset(of index: Int) -> Int64 {
        let (cycle, position) = index.quotientAndRemainder(dividingBy: Self.cycleLength)
        let slot = slot(at: position, ofCycle: cycle)
        let jitter = Int64(mixed(key ^ UInt64(truncatingIfNeeded: index)) % UInt64(slot.width))
        return Int64(cycle) * cycleDuration + slot.start + jitter
    }

    private func slot(at position: Int, ofCycle cycle: Int) -> (start: Int64, width: Int64) {
        var draw = Draw(mixed(key ^ 0x6275_7273_7400_0000 ^ UInt64(truncatingIfNeeded: cycle)))
        guard draw.below(4) == 0 else { return (Int64(position) * period, period) }
        let length = 40 + draw.below(Self.longestBurst - 40)
        let first = draw.below(Self.cycleLength - length)
        let calmSlot = (cycleDuration - Int64(length) * burstSlot) / Int64(Self.cycleLength - length)
        if position < first { return (Int64(position) * calmSlot, calmSlot) }
        let inBurst = min(position - first, length)
        let start = Int64(position - inBurst) * calmSlot + Int64(inBurst) * burstSlot
        return (start, inBurst < length ? burstSlot : calmSlot)
    }
}
