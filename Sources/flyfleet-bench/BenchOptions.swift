// The command line, by hand: this program is also the child whose start is timed, and stays small for it.

/// What to measure and how.
struct BenchOptions {
    static let help = """
        Usage: flyfleet-bench [throughput|guarantee|database|lines|latency|stall|memory|startup|idle|all …] [options]

          --seconds N      how long a row of throughput or guarantee is measured, and a quarter of database, 1 to 60
                           (default: 5)
          --rounds N       how often each process is killed for a latency row, and a tenth of what lines times,
                           1 to 1000 (default: 20)
          --apps N         how many apps the rows of database, stall, memory, startup and idle have, 1 to 2000
                           (default: 100)
          --json           print JSON instead of a table
          --programs DIR   where flyfleet and its workers are (default: beside this program)
          --commit TEXT    what was built, for the head of the table

        It measures and never judges. Everything it starts listens on 127.0.0.1 and ends with it.

        """

    private static let measurements = [
        "throughput", "guarantee", "database", "lines", "latency", "stall", "memory", "startup", "idle",
    ]

    var wanted: Set<String> = []
    var seconds = 5
    var rounds = 20
    var apps = 100
    var json = false
    var programs: String?
    var commit = "unknown"
    var helpOnly = false

    /// Reads the arguments after the program's name.
    ///
    /// - Throws: ``BenchError`` with exit code 64 for the first that is wrong.
    init(_ arguments: [String]) throws(BenchError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": helpOnly = true
            case "--json": json = true
            case "--seconds": seconds = try Self.number(word, rest.popFirst(), 1...60)
            case "--rounds": rounds = try Self.number(word, rest.popFirst(), 1...1_000)
            case "--apps": apps = try Self.number(word, rest.popFirst(), 1...2_000)
            case "--programs": programs = try Self.value(word, rest.popFirst())
            case "--commit": commit = try Self.value(word, rest.popFirst())
            case "all": wanted.formUnion(Self.measurements)
            case _ where Self.measurements.contains(word): wanted.insert(word)
            default: throw BenchError(exitCode: 64, "\"\(word)\" is not known here; see flyfleet-bench --help")
            }
        }
        if wanted.isEmpty { wanted.formUnion(Self.measurements) }
    }

    private static func value(_ option: String, _ text: String?) throws(BenchError) -> String {
        guard let text, !text.isEmpty else { throw BenchError(exitCode: 64, "\(option) needs a value") }
        return text
    }

    private static func number(
        _ option: String, _ text: String?, _ range: ClosedRange<Int>
    ) throws(BenchError) -> Int {
        guard let number = text.flatMap({ Int($0) }), range.contains(number) else {
            throw BenchError(
                exitCode: 64, "\(option) needs a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
