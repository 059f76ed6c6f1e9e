// Where the kernel counts its out-of-memory kills, and how the count is read. Pure: the texts of files in.
//
//     cgroup v2   /proc/self/cgroup "0::/a/b"            memory.events        "oom_kill 3", children's included
//     cgroup v1   /proc/self/cgroup "4:memory:/a/b"      memory.oom_control   "oom_kill 3", the group's own
//     neither     /proc/vmstat                           "oom_kill 3", the whole machine's

/// Finds and reads the count of kills.
package enum MemoryKillCount {
    static let machineWide = "/proc/vmstat"

    /// The number behind `oom_kill` on a line of its own; nil where there is none.
    package static func parse(_ text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            if words.count == 2, words[0] == "oom_kill" { return UInt64(words[1]) }
        }
        return nil
    }

    /// The files in which the kills in this process's group may be counted, the best first.
    ///
    /// - Parameters:
    ///   - cgroup: `/proc/self/cgroup`.
    ///   - mountinfo: `/proc/self/mountinfo`.
    package static func candidates(cgroup: String, mountinfo: String) -> [String] {
        let mounts = mountinfo.split(separator: "\n").compactMap(Mount.init)
        var unified: [String] = []
        var legacy: [String] = []
        for line in cgroup.split(separator: "\n") {
            // hierarchy:controllers:path, and a path may contain colons.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty {
                unified += mounts.filter(\.isUnified).compactMap { $0.path(of: fields[2], file: "memory.events") }
            } else if fields[1].split(separator: ",").contains("memory") {
                legacy += mounts.filter(\.hasMemory).compactMap { $0.path(of: fields[2], file: "memory.oom_control") }
            }
        }
        return unified + legacy + [machineWide]
    }

    /// A mounted hierarchy of control groups.
    private struct Mount {
        let root: String
        let point: String
        let isUnified: Bool
        let hasMemory: Bool

        /// From a line `id parent major:minor root point options [tags] - type source superoptions`.
        init?(_ line: Substring) {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count >= dash + 4 else { return nil }
            isUnified = words[dash + 1] == "cgroup2"
            hasMemory = words[dash + 1] == "cgroup" && words[dash + 3].split(separator: ",").contains("memory")
            guard isUnified || hasMemory else { return nil }
            root = Self.unescape(words[3])
            point = Self.unescape(words[4])
        }

        /// Where the group at `path` has `file`; nil when this mount shows another part of the hierarchy.
        func path(of path: Substring, file: String) -> String? {
            var rest = path
            if root != "/" {
                guard rest.hasPrefix(root), rest.count == root.count || rest.dropFirst(root.count).hasPrefix("/")
                else { return nil }
                rest = rest.dropFirst(root.count)
            }
            // A group outside of our namespace's root is out of sight.
            guard !rest.split(separator: "/").contains("..") else { return nil }
            while rest.hasSuffix("/") { rest = rest.dropLast() }
            return "\(point)\(rest)/\(file)"
        }

        /// Blanks and the like are written as `\` and three octal digits.
        private static func unescape(_ text: Substring) -> String {
            var bytes: [UInt8] = []
            var rest = Substring(text).utf8
            while let byte = rest.popFirst() {
                let digits = rest.prefix(3)
                let isEscape = byte == UInt8(ascii: "\\") && digits.count == 3
                if isEscape, let value = UInt8(String(Substring(digits)), radix: 8) {
                    bytes.append(value)
                    rest = rest.dropFirst(3)
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
