// What the kernel says a process has used. Only reads /proc.

import Glibc

/// CPU, memory and output of one process.
enum ProcessAccounts {
    /// CPU time of all its threads since its start, in seconds.
    ///
    /// `schedstat` counts nanoseconds but forgets threads that ended, `stat` counts all in ticks of 10 ms: of two lower
    /// bounds the higher is nearer. Zero for a process that is gone.
    static func cpuSeconds(_ pid: Int32) -> Double {
        max(tickSeconds(pid), threadSeconds(pid))
    }

    private static func tickSeconds(_ pid: Int32) -> Double {
        // The name in parentheses may hold anything, so fields are counted from the last parenthesis.
        guard let text = smallFile("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func threadSeconds(_ pid: Int32) -> Double {
        guard let folder = opendir("/proc/\(pid)/task") else { return 0 }
        defer { closedir(folder) }
        var nanoseconds = 0.0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { name in
                String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int32(name) != nil, let text = smallFile("/proc/\(pid)/task/\(name)/schedstat") else { continue }
            nanoseconds += text.split(separator: " ").first.flatMap { Double($0) } ?? 0
        }
        return nanoseconds / 1e9
    }

    /// Memory in kB.
    struct Memory {
        /// Its own and its share of what it shares (PSS).
        var proportional: Double
        /// What nobody else maps (USS).
        var unique: Double
    }

    /// Memory of a process; nil when it may not be read.
    static func memory(_ pid: Int32) -> Memory? {
        guard let text = smallFile("/proc/\(pid)/smaps_rollup") else { return nil }
        var memory = Memory(proportional: 0, unique: 0)
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count >= 2, let kilobytes = Double(words[1]) else { continue }
            switch words[0] {
            case "Pss:": memory.proportional = kilobytes
            case "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:": memory.unique += kilobytes
            default: break
            }
        }
        return memory.proportional > 0 ? memory : nil
    }

    /// Bytes that it handed to write calls, /dev/null included; nil when it may not be read.
    static func writtenBytes(_ pid: Int32) -> Double? {
        smallFile("/proc/\(pid)/io")?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("wchar:") }
            .flatMap { Double($0.dropFirst("wchar: ".count)) }
    }
}
