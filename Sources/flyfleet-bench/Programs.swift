// Where the programs are that are measured: beside this one, unless it is told otherwise.

import Glibc

/// The folder of the built programs.
struct Programs {
    private static let needed = [
        "flyfleet", "flyfleet-registry", "flyfleet-sink", "flyfleet-store", "flyfleet-streamer", "flyfleet-tokens",
    ]

    let folder: String

    /// Looks for what will be needed.
    ///
    /// - Throws: ``BenchError`` naming the first program that is missing.
    init(folder: String?) throws(BenchError) {
        let own = Self.ownPath()
        self.folder = folder ?? own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
        for name in Self.needed where access("\(self.folder)/\(name)", X_OK) != 0 {
            throw BenchError(
                exitCode: 69,
                "cannot run \(self.folder)/\(name): \(errorText(errno)); build with Scripts/build-release, or name the "
                    + "folder with --programs")
        }
    }

    var flyfleet: String { "\(folder)/flyfleet" }

    /// The path of this very program.
    static func ownPath() -> String {
        guard let path = realpath("/proc/self/exe", nil) else { return CommandLine.arguments[0] }
        defer { free(path) }
        return String(cString: path)
    }

    /// A program in PATH; nil when there is none.
    static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
