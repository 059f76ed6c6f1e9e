// flyfleet-soak: kills and stops processes of a running fleet and its API for a while, or lets those stand still that it
// writes to, then counts what was lost, repeated or misplaced.
//
// It shares no code with the product: what it knows of it is the command line, the files, and `/proc`.

import Foundation

@main
enum Soak {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        let interruption = Interruption()
        let words = Array(CommandLine.arguments.dropFirst())
        if words.contains("--help") || words.contains("-h") {
            print(SoakOptions.usage)
            exit(0)
        }
        do {
            exit(try run(try SoakOptions(words), interruption))
        } catch {
            complain("\(error)")
            exit(SoakError.exitCode)
        }
    }

    private static func run(_ options: SoakOptions, _ interruption: Interruption) throws -> Int32 {
        // Hundreds of processes are about to crash on purpose.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        let folder = try RunFolder(options.folder)
        let length = options.standstill.map { "standstills of \($0) s" } ?? "\(options.minutes) min"
        complain("seed \(options.seed), \(length); watch \(folder.journal)")
        do {
            let report =
                if let seconds = options.standstill {
                    try StandstillRun(options, seconds, folder, interruption).run()
                } else {
                    try SoakRun(options, folder, interruption).run()
                }
            let text = try "\(report.text)\n\n\(report.json())"
            print(text)
            folder.write(text + "\n", to: "report")
            if let path = options.report { try (text + "\n").write(toFile: path, atomically: true, encoding: .utf8) }
            if report.isClean && !options.keepsFolder {
                folder.remove()
            } else {
                complain("everything of this run is in \(folder.path); again: \(options.command)")
            }
            return report.isClean ? 0 : 1
        } catch {
            complain("everything of this run is in \(folder.path); again: \(options.command)")
            throw error
        }
    }

    private static func complain(_ words: String) {
        FileHandle.standardError.write(Data("soak: \(words)\n".utf8))
    }
}
