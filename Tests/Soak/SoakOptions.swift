// The command line.

import Foundation

/// What was asked for.
struct SoakOptions {
    static let usage = """
        usage: flyfleet-soak --binaries DIR [options]
          --minutes M           how long processes are killed and the weather is bad (2)
          --apps N              how many apps (4)
          --seed S              of every decision; drawn and printed where not given
          --rate R              lines a second and app (50)
          --faults-per-second F how often a process is hit, on average (3)
          --dialect D           platform or machines; drawn from the seed where not given
          --compress C          how rotated files are packed: none, gzip or zstd; drawn where not given
          --calm                no faults and no weather: the latency of an undisturbed fleet
          --standstill SECONDS  instead of all that, readers stand still under full load: a file sink is stopped, then
                                nobody reads stdout; memory is measured. 72 apps with \(standstillRate) lines a second where not given
          --report FILE         writes the report there too
          --folder DIR          where everything is kept while it runs, and if it failed; must not exist
          --keep                keep the folder in any case
        exit code: 0 nothing lost, repeated or out of order, nobody killed for waiting, no memory above its limit;
        1 otherwise; 2 no verdict
        """

    /// What the verifier can follow beside everything else on two cores.
    #if DEBUG
        private static let standstillRate = 20.0
    #else
        private static let standstillRate = 150.0
    #endif

    var binaries = ""
    var minutes = 2.0
    var seed = UInt64.random(in: 1...999_999)
    var faultsPerSecond = 3.0
    var dialect: String?
    var compression: Packing?
    /// How long readers stand still, in seconds; nil for chaos.
    var standstill: Double?
    private var givenApps: Int?
    private var givenRate: Double?
    var isCalm = false
    var report: String?
    var folder: String?
    var keepsFolder = false

    var apps: Int { givenApps ?? (standstill == nil ? 4 : 72) }
    /// Lines a second and app.
    var rate: Double { givenRate ?? (standstill == nil ? 50 : Self.standstillRate) }

    /// Reads the words after the program's name.
    ///
    /// - Throws: ``SoakError``.
    init(_ words: [String]) throws {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--calm": isCalm = true
            case "--keep": keepsFolder = true
            default:
                guard let value = rest.popFirst() else { throw SoakError("\(word) needs a value; see --help") }
                try set(word, value)
            }
        }
        guard !binaries.isEmpty else { throw SoakError("--binaries is missing: say where flyfleet and flysim are") }
    }

    private mutating func set(_ word: String, _ value: String) throws {
        switch word {
        case "--binaries": binaries = absolute(value)
        case "--minutes": minutes = try number(word, value, 0.05...1_440)
        case "--apps": givenApps = Int(try number(word, value, 1...200))
        case "--rate": givenRate = try number(word, value, 0.1...10_000)
        case "--faults-per-second": faultsPerSecond = try number(word, value, 0.01...100)
        case "--report": report = absolute(value)
        case "--folder": folder = absolute(value)
        case "--standstill": standstill = try number(word, value, 1...3_600)
        case "--compress":
            guard let packing = Packing(rawValue: value) else {
                throw SoakError("--compress \(value): must be none, gzip or zstd")
            }
            compression = packing
        case "--seed":
            guard let seed = UInt64(value) else { throw SoakError("--seed \(value): must be a whole number") }
            self.seed = seed
        case "--dialect":
            guard ["platform", "machines"].contains(value) else {
                throw SoakError("--dialect \(value): must be platform or machines")
            }
            dialect = value
        default: throw SoakError("unknown option \(word); see --help")
        }
    }

    private func number(_ word: String, _ value: String, _ range: ClosedRange<Double>) throws -> Double {
        guard let number = Double(value), range.contains(number) else {
            throw SoakError("\(word) \(value): must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The command that does the same again.
    var command: String {
        var words = ["Scripts/soak --apps \(apps) --seed \(seed) --rate \(rate)"]
        if let dialect { words.append("--dialect \(dialect)") }
        if let standstill { return (words + ["--standstill \(standstill)"]).joined(separator: " ") }
        words.append("--minutes \(minutes) --faults-per-second \(faultsPerSecond)")
        if let compression { words.append("--compress \(compression.rawValue)") }
        if isCalm { words.append("--calm") }
        return words.joined(separator: " ")
    }
}
