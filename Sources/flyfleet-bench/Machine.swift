// On what the figures were taken: without it they mean nothing.

import Glibc

/// The machine and the moment.
struct Machine: Encodable {
    let processor: String
    let cores: Int
    let kernel: String
    /// RFC 3339, UTC.
    let date: String
    let commit: String
    /// Processes that wanted to run in the last minute, when the run began: other people's work shows here.
    let load: Double

    /// Looks around.
    init(commit: String) {
        let model = (smallFile("/proc/cpuinfo") ?? "").split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last
        processor = model.map { $0.split(separator: " ").joined(separator: " ") } ?? "unknown processor"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let release = smallFile("/proc/sys/kernel/osrelease")?.split(whereSeparator: \.isNewline).first
        kernel = release.map(String.init) ?? "unknown"
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        date = String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.commit = commit
        load = smallFile("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    /// All of it in one line.
    var line: String {
        "\(processor), \(cores) cores, Linux \(kernel), \(date), commit \(commit), load \(load) at the start"
    }
}
