// The timeline rises strictly at every rate, has no gap, and its inverse is exact at and beside each line.

import Simulator
import Testing

@Suite struct TimelineTests {
    @Test("timestamps rise strictly", arguments: [0.001, 0.5, 20, 997, 50_000, 1_000_000], [UInt64(1), 2, 99])
    func rises(rate: Double, key: UInt64) {
        let timeline = Timeline(epoch: epoch, rate: rate, key: key)
        var last = epoch - 1
        for sequence in 1...5_000 {
            let timestamp = timeline.timestamp(of: sequence)
            #expect(timestamp > last, "line \(sequence)")
            last = timestamp
        }
    }

    @Test("the count through an instant is the inverse of the timestamp", arguments: [0.5, 20, 1_000_000])
    func invertsItself(rate: Double) {
        let timeline = Timeline(epoch: epoch, rate: rate, key: 7)
        for sequence in Array(1...3_000) + [100_000, 1_234_567] {
            let timestamp = timeline.timestamp(of: sequence)
            #expect(timeline.count(through: timestamp) == sequence)
            #expect(timeline.count(through: timestamp - 1) == sequence - 1)
            #expect(timeline.firstSequence(atOrAfter: timestamp) == sequence)
            #expect(timeline.firstSequence(atOrAfter: timestamp + 1) == sequence + 1)
        }
    }

    @Test("runs of lines share one nanosecond, and the count knows them", arguments: [2, 150, 256])
    func ties(length: Int) {
        let timeline = Timeline(epoch: epoch, rate: 100, key: 3, tieLength: length, tieEvery: 1_000)
        let timestamps = (1...10_000).map { timeline.timestamp(of: $0) }
        #expect(timestamps == timestamps.sorted())
        let runs = Dictionary(grouping: timestamps, by: { $0 }).values.filter { $0.count > 1 }
        #expect(runs.count == 10 && runs.allSatisfy { $0.count == length })
        for (index, timestamp) in timestamps.enumerated() {
            #expect(timeline.count(through: timestamp) >= index + 1)
            #expect(timeline.count(through: timestamp - 1) <= index)
            let last = timeline.count(through: timestamp)
            #expect(timeline.timestamp(of: last) == timestamp && timeline.timestamp(of: last + 1) > timestamp)
        }
    }

    @Test("there is no line before the epoch and none is lost at the end of time")
    func hasBounds() {
        let timeline = Timeline(epoch: epoch, rate: 20, key: 7)
        #expect(timeline.count(through: epoch - 1) == 0)
        #expect(timeline.count(through: 0) == 0)
        #expect(timeline.firstSequence(atOrAfter: 0) == 1)
        #expect(timeline.count(through: .max) == timeline.count(through: Timeline.end))
    }

    @Test("the mean rate is the rate asked for", arguments: [1.0, 20, 5_000])
    func keepsItsRate(rate: Double) {
        let timeline = Timeline(epoch: epoch, rate: rate, key: 3)
        let seconds = 1_000_000 / rate
        let count = timeline.count(through: epoch + Int64(seconds * 1e9))
        #expect(abs(count - 1_000_000) <= 256)
    }

    @Test("there are bursts far above the mean rate, and calm stretches")
    func hasBursts() {
        let timeline = Timeline(epoch: epoch, rate: 20, key: 5)
        let busiest = (1...20_000).map { timeline.timestamp(of: $0 + 39) - timeline.timestamp(of: $0) }.min()
        #expect(busiest.map { $0 < second / 20 * 2 } == true)
        #expect(timeline.count(through: epoch + 3_600 * second) > 70_000)
    }
}
