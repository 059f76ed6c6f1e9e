// The benchmark: measures the built programs from outside and prints one table. No figure here is ever a test.
//
// The same program is the page server, the stand-ins for workers, the step that binds children to it, and the child of
// other supervisors, so that each of them is a process of its own with its own CPU account.

import Glibc

@main
enum FlyfleetBench {
    static func main() {
        _exit(run(CommandLine.arguments))
    }

    private static func run(_ arguments: [String]) -> Int32 {
        if arguments.first?.split(separator: "/").last == "run" { return SupervisedChild.run() }
        if let code = StandIn.run(arguments) { return code }
        switch arguments.dropFirst().first {
        case ParentBound.command: return ParentBound.run(arguments.dropFirst(2))
        case ServeCommand.command: return ServeCommand.run(arguments.dropFirst(2))
        default: return bench(Array(arguments.dropFirst()))
        }
    }

    private static func bench(_ arguments: [String]) -> Int32 {
        do {
            let options = try BenchOptions(arguments)
            if options.helpOnly {
                writeAll(STDOUT_FILENO, BenchOptions.help)
                return 0
            }
            try Interruption.shared.watch()
            let report = try measure(options)
            writeAll(STDOUT_FILENO, options.json ? try report.json() : report.text)
            return report.sections.contains(where: \.hasFailures) ? 70 : 0
        } catch {
            writeAll(STDERR_FILENO, "flyfleet-bench: \(error)\n")
            return (error as? BenchError)?.exitCode ?? 70
        }
    }

    private static func measure(_ options: BenchOptions) throws -> Report {
        let programs = try Programs(folder: options.programs)
        var report = Report(machine: Machine(commit: options.commit))
        if options.wanted.contains("throughput") {
            try report.add("Throughput") { [try Throughput(programs: programs, seconds: options.seconds).run()] }
        }
        if options.wanted.contains("guarantee") {
            try report.add("Guarantee") { [try Guarantee(programs: programs, seconds: options.seconds).run()] }
        }
        if options.wanted.contains("database") {
            try report.add("Database") {
                [try DatabaseTraffic(programs: programs, apps: options.apps, seconds: 4 * options.seconds).run()]
            }
        }
        if options.wanted.contains("lines") {
            try report.add("Lines") { [try LineLatency(programs: programs, lines: 10 * options.rounds).run()] }
        }
        if options.wanted.contains("latency") {
            try report.add("Latency") { [try Latency(programs: programs, rounds: options.rounds).run()] }
        }
        if options.wanted.contains("stall") {
            try report.add("Loop") { [try LoopStall(programs: programs, apps: options.apps).run()] }
        }
        var wish: Scale.Wish = []
        if options.wanted.contains("startup") { wish.insert(.startup) }
        if options.wanted.contains("memory") { wish.insert(.memory) }
        if options.wanted.contains("idle") { wish.insert(.idle) }
        if !wish.isEmpty {
            try report.add("\(options.apps) apps") {
                try Scale(programs: programs, count: options.apps, wish: wish).run()
            }
        }
        return report
    }
}
