// What flowed between two instants, as the page server saw it.

import Glibc

/// Entries that went through in a time.
struct FlowWindow {
    /// Pages an app has to have taken before its window begins.
    private static let warmUpPages: Int64 = 20
    private static let warmUpNs: Int64 = 1_000_000_000

    var entries: Double
    var bytes: Double
    var seconds: Double
    /// CPU of the server.
    var serverSeconds: Double

    var entriesPerSecond: Double { entries / seconds }
    var megabytesPerSecond: Double { bytes / seconds / 1e6 }

    /// Lets some pages of each app go by, so that nothing is cold.
    static func warmUp(_ server: PageServerProcess, apps count: Int) throws {
        let earliest = monotonicNs() + warmUpNs
        let needed = warmUpPages * Int64(PageTemplate.entries)
        _ = try server.await("\(warmUpPages) pages through each of \(count) apps", seconds: 30) { counts in
            counts.apps.count == count && counts.apps.values.allSatisfy { $0.entries >= needed }
        }
        try Interruption.shared.pause(until: earliest)
    }

    /// Looks on for so many seconds.
    init(_ server: PageServerProcess, seconds: Int) throws {
        let usedBefore = ProcessAccounts.cpuSeconds(server.process.pid)
        let before = try server.counts()
        try Interruption.shared.pause(until: before.timeNs + Int64(seconds) * 1_000_000_000)
        let after = try server.counts()
        serverSeconds = ProcessAccounts.cpuSeconds(server.process.pid) - usedBefore
        entries = Double(after.entries - before.entries)
        bytes = Double(after.bytes - before.bytes)
        self.seconds = Double(after.timeNs - before.timeNs) / 1e9
    }
}
