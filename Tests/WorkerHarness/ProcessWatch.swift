// Looking after processes that are not this process's children, and so cannot be waited for.

internal import Foundation

/// Watches a stranger's end.
package enum ProcessWatch {
    /// Whether a process ends before the deadline; a zombie has, its new parent just has not looked yet.
    package static func ends(_ pid: Int32, deadlineMs: Int = 5_000) -> Bool {
        for _ in 0..<deadlineMs {
            if hasEnded(pid) { return true }
            usleep(1_000)
        }
        return false
    }

    private static func hasEnded(_ pid: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        // The name in parentheses may hold anything; the state is the first word behind it.
        return status.split(separator: ")").last?.split(separator: " ").first == "Z"
    }
}
