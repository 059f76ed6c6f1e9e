// What a run is made of, apart from its faults: everything that is drawn once, at the beginning.

/// The settings of one run.
struct SoakPlan {
    let apps: [String]
    let rate: Double
    /// How many lines each app emits before it falls silent, at the most.
    private(set) var linesPerApp: Int
    let dialect: String
    /// Seconds that are read again.
    let overlap: Int
    /// Which share of the lines appears late, and by how many milliseconds at most, less than the overlap.
    private(set) var lateShare: Double
    let lateMilliseconds: Int
    /// How many lines share one nanosecond now and then; 0 for none.
    private(set) var tieLength: Int
    /// Shares of texts that break careless readers.
    private(set) var oddShares: [(kind: String, share: Double)]
    private(set) var longBytes: Int
    /// How many files lines are written to: one, sometimes two.
    private(set) var sinkCount: Int
    /// Whether the disk is waited for.
    private(set) var syncs: Bool
    /// Bytes after which a file is rotated.
    private(set) var rotateBytes: Int
    /// Seconds after which it is rotated too; nil for never.
    private(set) var rotateSeconds: Int?
    /// How rotated files are packed.
    private(set) var packing: Packing
    /// Whether something else was drawn, and there is no program to read it.
    private(set) var lacksUnpacker = false
    /// Whether no line comes before it is ordered.
    private(set) var beginsSilent = false
    let port: UInt16
    let simulatorSeed: UInt64
    /// The rules of pages at the start; the weather changes them.
    private(set) var pages: PageSettings

    init(_ options: SoakOptions) throws {
        var draws = Draws(seed: options.seed, purpose: "plan")
        apps = (1...options.apps).map { "app-\($0)" }
        rate = options.rate
        linesPerApp = max(1, Int(options.minutes * 60 * options.rate))
        let drawnDialect = draws.chance(0.75) ? "platform" : "machines"
        dialect = options.dialect ?? drawnDialect
        overlap = draws.pick([5, 10, 20])
        lateShare = draws.pick([0, 0.01, 0.05])
        lateMilliseconds = Int(Double(overlap) * 1000 * draws.pick([0.2, 0.5, 0.8]))
        tieLength = draws.pick([0, 0, PageSettings.smallTie, 150])
        // An empty text says neither its number nor that it is late: the id says one, nothing the other.
        let hasEmpty = dialect == "platform" && lateShare == 0
        oddShares =
            [("ansi", 0.01), ("control", 0.01), ("invalid", 0.01), ("long", 0.0005)]
            + (hasEmpty ? [("empty", 0.02)] : [])
        longBytes = Int(draws.spread(10_000, 1_048_576))
        sinkCount = draws.chance(0.5) ? 2 : 1
        syncs = draws.chance(0.2)
        // Bytes of about 1 to 20 seconds of lines.
        rotateBytes = max(65_536, Int(draws.spread(1, 20) * options.rate * Double(options.apps) * 450))
        simulatorSeed = draws.next() >> 32
        pages = PageSettings(&draws, tieLength: tieLength)
        port = try HTTPCall.freePort(&draws)

        var files = Draws(seed: options.seed, purpose: "files")
        let drawnPacking = files.pick(Packing.allCases)
        packing = options.compression ?? drawnPacking
        rotateSeconds = files.chance(0.4) ? 2 + files.below(7) : nil
        if packing != .none, packing.program == nil {
            guard options.compression == nil else { throw SoakError("\(packing.rawValue) is not installed") }
            packing = .gzip
            lacksUnpacker = true
        }
        if let seconds = options.standstill { standStill(seconds) }
    }

    /// Nothing odd but the load.
    private mutating func standStill(_ seconds: Double) {
        beginsSilent = true
        // More than it ever comes to; the lines are stopped in time.
        linesPerApp = Int((2 * seconds + 600) * rate)
        lateShare = 0
        tieLength = 0
        oddShares = [("long", 0.002)]
        longBytes = 50_000
        sinkCount = 2
        syncs = false
        rotateBytes = 64 << 20
        rotateSeconds = nil
        packing = .none
        pages = .large
    }

    /// In one line, for people.
    var description: String {
        var words = [
            "\(apps.count) apps, \(rate) lines/s each, dialect \(dialect), overlap \(overlap) s",
            "\(lateShare * 100) % of lines up to \(lateMilliseconds) ms late, ties of \(tieLength)",
            "\(sinkCount) file\(sinkCount == 1 ? "" : "s") rotated at \(rotateBytes) bytes",
        ]
        if let rotateSeconds { words[2] += " or after \(rotateSeconds) s" }
        if packing != .none { words.append("packed with \(packing.rawValue)") }
        if lacksUnpacker { words.append("because zstd, which was drawn, is not installed") }
        if syncs { words.append("synced") }
        return words.joined(separator: ", ")
    }
}
