import Testing

@testable import Sinks

@Suite("MergeQueue")
struct MergeQueueTests {
    /// One line in this test's hands: whose, which, when it came and from when it is.
    private struct Line: Equatable {
        var app: Int
        var number: Int
        var time: Int64
        var cameMs: Int64
        var outMs: Int64 = -1
    }

    /// A queue with the lines that went in and came out; every line has `bytes` bytes.
    private final class Driver {
        var queue: MergeQueue<Int>
        let bytes: Int
        var nowMs: Int64 = 0
        var batches: [[Line]] = []
        var taken: [Int] = []
        var out: [Line] = []
        var ended: [Int] = []
        private var counts: [Int: Int] = [:]

        init(windowMs: Int64, bytes: Int = 100) {
            queue = MergeQueue(windowMs: windowMs)
            self.bytes = bytes
        }

        func add(app: Int, _ times: [Int64]) {
            var lines: [Line] = []
            for time in times {
                lines.append(Line(app: app, number: counts[app, default: 0], time: time, cameMs: nowMs))
                counts[app, default: 0] += 1
            }
            batches.append(lines)
            taken.append(0)
            let timed = times.indices.map { TimedLine(time: times[$0], end: UInt32(($0 + 1) * bytes)) }
            queue.add(
                batches.count - 1, lines: timed, sourceBytes: times.count * bytes, app: "app-\(app)", nowMs: nowMs)
        }

        func release(everything: Bool = false) {
            queue.release(nowMs: nowMs, everything: everything) { run in
                #expect(run.bytes.lowerBound == taken[run.batch] * bytes)
                #expect(run.bytes.upperBound % bytes == 0 && !run.bytes.isEmpty)
                let end = run.bytes.upperBound / bytes
                for index in taken[run.batch]..<end {
                    var line = batches[run.batch][index]
                    line.outMs = nowMs
                    out.append(line)
                }
                taken[run.batch] = end
                #expect(run.endsBatch == (end == batches[run.batch].count))
                if run.endsBatch { ended.append(run.batch) }
            }
        }

        var texts: [String] { out.map { "\($0.app):\($0.time)" } }
    }

    @Test("lines of two apps come out in the order of their times once both have some")
    func twoApps() {
        let driver = Driver(windowMs: 500)
        driver.add(app: 0, [10, 30, 50])
        driver.release()
        // Nobody else is known.
        #expect(driver.texts == ["0:10", "0:30", "0:50"])
        driver.out = []
        driver.add(app: 1, [20, 40])
        driver.release()
        #expect(driver.out.isEmpty)
        driver.add(app: 0, [30, 60])
        driver.release()
        // 0:60 may still be preceded by a line of app 1.
        #expect(driver.texts == ["1:20", "0:30", "1:40"])
        #expect(driver.queue.deadlineMs == 500)
        driver.nowMs = 499
        driver.release()
        #expect(driver.texts.count == 3)
        driver.nowMs = 500
        driver.release()
        #expect(driver.texts.last == "0:60")
        #expect(driver.queue.deadlineMs == nil)
        #expect(driver.queue.waitingBytes == 0)
    }

    @Test("a line without a time goes with the one before it, and a late one keeps its place")
    func oddTimes() {
        let driver = Driver(windowMs: 500)
        driver.add(app: 0, [10, TimedLine.noTime, 30, 5, 40])
        driver.add(app: 1, [TimedLine.noTime, 20, 35, TimedLine.noTime])
        driver.release(everything: true)
        #expect(
            driver.texts == [
                "1:\(Int64.min)", "0:10", "0:\(Int64.min)", "1:20", "0:30", "0:5", "1:35", "1:\(Int64.min)", "0:40",
            ])
    }

    @Test("nobody waits for an app whose stream has stopped, until it speaks again")
    func stopped() {
        let driver = Driver(windowMs: 500)
        driver.add(app: 0, [10, TimedLine.noTime])
        driver.add(app: 1, [20, TimedLine.noTime])
        driver.release()
        #expect(driver.out.count == 4 && driver.queue.deadlineMs == nil, "a stop of all waits for nobody")
        driver.out = []
        driver.add(app: 0, [30])
        driver.release()
        #expect(driver.texts == ["0:30"])
        driver.add(app: 1, [40])
        driver.release()
        #expect(driver.texts == ["0:30"], "app 0 is waited for again")
        driver.nowMs = 500
        driver.release()
        #expect(driver.texts == ["0:30", "1:40"])
    }

    @Test("of equal times the app known for longer comes first")
    func ties() {
        let driver = Driver(windowMs: 500)
        driver.add(app: 1, [7, 7])
        driver.add(app: 0, [7, 7])
        driver.release(everything: true)
        #expect(driver.texts == ["1:7", "1:7", "0:7", "0:7"])
    }

    @Test("what is due takes earlier lines of others with it, and nothing later")
    func due() {
        let driver = Driver(windowMs: 500)
        driver.queue.know("app-9", nowMs: 0)
        driver.add(app: 0, [100])
        driver.nowMs = 400
        driver.add(app: 1, [50, 100, 150])
        driver.release()
        #expect(driver.out.isEmpty)
        driver.nowMs = 500
        driver.release()
        #expect(driver.texts == ["1:50", "0:100"])
        #expect(driver.queue.deadlineMs == 900)
    }

    @Test("beyond what may wait, the earliest go out at once, and no more than necessary")
    func bound() {
        let most = MergeQueue<Int>.mostWaitingBytes
        let driver = Driver(windowMs: 10_000, bytes: most / 8)
        driver.queue.know("app-9", nowMs: 0)
        driver.add(app: 0, [1, 3, 5, 7])
        driver.add(app: 1, [2, 4, 6, 8])
        driver.release()
        #expect(driver.out.isEmpty)
        driver.add(app: 1, [9])
        driver.release()
        #expect(driver.texts == ["0:1"])
        driver.add(app: 0, [10, 11])
        driver.release()
        #expect(driver.texts == ["0:1", "1:2", "0:3"])
        #expect(driver.queue.waitingBytes == most)
    }

    @Test("an app with much to tell waits shortly, and not for those that have been silent")
    func pressure() {
        let much = MergeQueue<Int>.pressure + 1
        let driver = Driver(windowMs: 500, bytes: much)
        driver.queue.know("app-1", nowMs: 0)
        driver.add(app: 0, [1])
        driver.release()
        #expect(driver.out.isEmpty)
        #expect(driver.queue.deadlineMs == MergeQueue<Int>.pressedWindowMs)
        driver.nowMs = MergeQueue<Int>.pressedWindowMs
        driver.release()
        #expect(driver.out.count == 1)
        driver.nowMs = MergeQueue<Int>.silenceMs
        driver.add(app: 0, [2])
        driver.release()
        #expect(driver.out.count == 2)
    }

    @Test("a window below the short wait stays as short", arguments: [1, 19, 20, 21] as [Int64])
    func smallWindow(windowMs: Int64) {
        let driver = Driver(windowMs: windowMs, bytes: MergeQueue<Int>.pressure + 1)
        driver.queue.know("app-1", nowMs: 0)
        driver.add(app: 0, [1])
        #expect(driver.queue.deadlineMs == min(windowMs, MergeQueue<Int>.pressedWindowMs))
    }

    @Test("whatever comes when, everything comes out once, in order, in time and within bounds", arguments: 0..<60)
    func property(seed: UInt64) {
        var random = SeededRandom(state: seed)
        let windowMs = Int64.random(in: 1...800, using: &random)
        let appCount = Int.random(in: 1...(seed % 7 == 0 ? 60 : 6), using: &random)
        let driver = Driver(windowMs: windowMs, bytes: seed % 3 == 0 ? 40_000 : 100)
        /// What each app's next line says, roughly the time of day, in ms.
        var clocks = [Int64](repeating: 0, count: appCount)
        for _ in 0..<400 {
            driver.nowMs += Int64.random(in: 0...60, using: &random)
            let app = Int.random(in: 0..<appCount, using: &random)
            clocks[app] = max(clocks[app], driver.nowMs - 300)
            let times = (0..<Int.random(in: 1...12, using: &random)).map { _ -> Int64 in
                clocks[app] += Int64.random(in: 0...30, using: &random)
                switch Int.random(in: 0..<20, using: &random) {
                case 0: return TimedLine.noTime
                case 1: return clocks[app] - 5000
                default: return clocks[app]
                }
            }
            driver.add(app: app, times)
            driver.release()
            #expect(driver.queue.waitingBytes <= MergeQueue<Int>.mostWaitingBytes)
            if Bool.random(using: &random), let deadline = driver.queue.deadlineMs {
                #expect(deadline > driver.nowMs)
                driver.nowMs = deadline
                driver.release()
            }
        }
        driver.release(everything: true)
        check(driver, windowMs)
    }

    private func check(_ driver: Driver, _ windowMs: Int64) {
        #expect(driver.queue.waitingBytes == 0)
        #expect(driver.queue.deadlineMs == nil)
        #expect(driver.taken == driver.batches.map(\.count))
        #expect(driver.ended.sorted() == Array(driver.batches.indices))
        var numbers: [Int: Int] = [:]
        var isInOrder = true
        for line in driver.out {
            isInOrder = isInOrder && line.number == numbers[line.app, default: 0]
            numbers[line.app, default: 0] += 1
        }
        #expect(isInOrder, "the lines of each app in their order, each once")
        #expect(
            driver.out.allSatisfy { $0.outMs - $0.cameMs <= windowMs + 60 }, "none waits for longer than the window")
        // By what each line goes: its own time or its predecessor's, but never back: behind a later one of its app it
        // is late for whatever reason.
        var keys: [Int: Int64] = [:]
        let keyed = driver.out.map { line -> (line: Line, key: Int64) in
            let key = max(keys[line.app] ?? .min, line.time)
            keys[line.app] = key
            return (line, key)
        }
        // A line that was there when another came out, with a later time, must not come behind it.
        var wrong = 0
        for (index, first) in keyed.enumerated() {
            for second in keyed[(index + 1)...].prefix(300) where second.line.app != first.line.app {
                if second.key < first.key, second.line.cameMs < first.line.outMs, second.line.time != TimedLine.noTime,
                    second.line.time == second.key, first.line.time == first.key
                {
                    wrong += 1
                }
            }
        }
        #expect(wrong == 0, "what waited together came out in the order of its times")
    }
}
