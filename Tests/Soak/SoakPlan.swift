// What a run is made of, apart from its faults: everything that is drawn once, at the beginning.

/// The settings of one run.
struct SoakPlan {
    let apps: [String]
    let rate: Double
    /// How many lines each app emits before it falls silent.
    let linesPerApp: Int
    let dialect: String
    /// Seconds that are read again.
    let overlap: Int
    /// Which share of the lines appears late, and by how many milliseconds at most, less than the overlap.
    let lateShare: Double
    let lateMilliseconds: Int
    /// How many lines share one nanosecond now and then; 0 for none.
    let tieLength: Int
    /// Shares of texts that break careless readers.
    let oddShares: [(kind: String, share: Double)]
    let longBytes: Int
    /// How many files lines are written to: one, sometimes two.
    let sinkCount: Int
    /// Whether the disk is waited for.
    let syncs: Bool
    /// Bytes after which a file is rotated.
    let rotateBytes: Int
    let port: UInt16
    let simulatorSeed: UInt64
    /// The rules of pages at the start; the weather changes them.
    let pages: PageSettings

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
    }

    /// In one line, for people.
    var description: String {
        "\(apps.count) apps, \(rate) lines/s each, dialect \(dialect), overlap \(overlap) s, "
            + "\(lateShare * 100) % of lines up to \(lateMilliseconds) ms late, ties of \(tieLength), "
            + "\(sinkCount) file\(sinkCount == 1 ? "" : "s") rotated at \(rotateBytes) bytes\(syncs ? ", synced" : "")"
    }
}
