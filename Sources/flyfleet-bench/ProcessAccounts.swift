// What the kernel says a process has used. Only looks, and only at processes by their pid.

import CLinux
import Glibc

/// CPU, memory and output of one process.
enum ProcessAccounts {
    /// CPU time of all its threads since its start, those that ended included, in seconds; zero for a process that is gone.
    ///
    /// The process's own CPU clock: `/proc/PID/stat` counts in ticks of 10 ms, more than an idle process uses in 10 s.
    static func cpuSeconds(_ pid: Int32) -> Double {
        var clock: clockid_t = 0
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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

    /// Bytes that went out of a process.
    struct Output {
        /// Handed to write calls, pipes and /dev/null included.
        var written: Double
        /// What it made the kernel write to a disk, less what was thrown away before.
        var toDisk: Double
    }

    /// What it has written; nil when that may not be read.
    static func output(_ pid: Int32) -> Output? {
        guard let lines = smallFile("/proc/\(pid)/io")?.split(whereSeparator: \.isNewline) else { return nil }
        func field(_ name: String) -> Double? {
            lines.first { $0.hasPrefix(name + ": ") }.flatMap { Double($0.dropFirst(name.count + 2)) }
        }
        guard let written = field("wchar"), let toDisk = field("write_bytes") else { return nil }
        return Output(written: written, toDisk: toDisk - (field("cancelled_write_bytes") ?? 0))
    }
}
