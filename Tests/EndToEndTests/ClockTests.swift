// A machine's clock cannot be set for a test, and no namespace has a real-time clock of its own. What decides is pure
// and gets its time as a parameter, which ClockTests makes sure of at its source; that the parameter is the loop's
// monotonic time is one line of the driver.

import Foundation
import Testing

extension FailureModes.Singles {
    @Suite("F12: clocks")
    struct Clocks {
        /// What would be a look at a clock, whichever it is.
        private static let looks = [
            "clock_gettime", "gettimeofday", "time(nil", "Date()", "ContinuousClock", "SuspendingClock", "wallClock",
            "monotonicNanoseconds", "uv_now", "uv_hrtime", "import Glibc", "import Foundation", "import EventLoop",
        ]

        private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")

        /// The Swift files of a target, without their comments.
        private func code(_ target: String) throws -> [(name: String, text: String)] {
            let folder = Self.sources.appendingPathComponent(target)
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            return try files.filter { $0.pathExtension == "swift" }.map { file in
                let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                let code = lines.map { line in line.range(of: "//").map { line[..<$0.lowerBound] } ?? line }
                return (file.lastPathComponent, code.joined(separator: "\n"))
            }
        }

        @Test("F12: the policies look at no clock; time is told to them")
        func policies() throws {
            let files = try code("Supervision")
            #expect(files.count > 10)
            for (name, text) in files {
                for look in Self.looks { #expect(!text.contains(look), "\(name) has \(look)") }
            }
        }

        @Test("F12: the driver tells the policies the loop's time, and the wall clock only writes dates")
        func driver() throws {
            let files = try code("Fleet")
            for (name, text) in files {
                for look in ["Date()", "gettimeofday", "time(nil", "CLOCK_REALTIME"] {
                    #expect(!text.contains(look), "\(name) has \(look)")
                }
                // A date of an event, of the history, of the sandbox's beginning: nothing that is waited for.
                let wall = text.components(separatedBy: "wallClockMilliseconds()").count - 1
                let mayDate = ["EventJournal.swift", "ExitHistory.swift", "ExitRecorder.swift", "Fleet.swift"]
                #expect(wall == 0 || mayDate.contains(name), "\(name) looks at the wall clock")
            }
        }
    }
}
