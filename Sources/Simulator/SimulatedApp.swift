// One app of the simulated organization: its name, its machines, its timeline. Everything follows from seed and name.

/// A machine of a simulated app.
package struct SimulatedMachine: Sendable, Equatable {
    /// 14 hexadecimal digits, as the platform's machine ids.
    package let id: String
    /// A three-letter region code.
    package let region: String
    /// The physical host's short name, which the machines dialect sends.
    package let host: String
}

/// What the traffic of all apps of one simulator follows from.
package struct TrafficSettings: Sendable, Equatable {
    /// Seed of all variety; equal settings serve equal lines.
    package var seed: UInt64
    /// Unix nanoseconds before which there is no line.
    package var epoch: Int64
    /// What the lines of an app follow from at first.
    package var lines: LineSettings

    /// Collects the settings of a simulator's traffic.
    package init(seed: UInt64, epoch: Int64, lines: LineSettings) {
        self.seed = seed
        self.epoch = epoch
        self.lines = lines
    }

    /// The settings of ordinary traffic.
    ///
    /// - Parameters:
    ///   - rate: Mean lines per second and app.
    ///   - lineLimit: The number of lines after which each app falls silent; nil for never.
    package init(seed: UInt64, epoch: Int64, rate: Double, lineLimit: Int? = nil) {
        self.init(seed: seed, epoch: epoch, lines: LineSettings(rate: rate, lineLimit: lineLimit))
    }
}

/// An app with its machines and the function that places its lines in time.
package struct SimulatedApp: Sendable {
    /// The app's name.
    package let name: String
    /// The app's machines, two to four, in different regions.
    package let machines: [SimulatedMachine]
    /// When the app's lines are written.
    package var timeline: LineHistory
    /// How its pages are cut and written.
    package var pages: PageRules
    /// Unix nanoseconds of the start of its machines.
    let epoch: Int64

    let key: UInt64
    /// Begins the ids of its records: another log of the same seed, begun at another time, has other records.
    let recordKey: UInt64

    private static let regions = ["iad", "cdg", "nrt", "fra", "syd", "gru", "lhr", "sjc", "sin", "ams"]

    /// Makes the app that settings and name describe.
    package init(name: String, settings: TrafficSettings, pages: PageRules = PageRules()) {
        self.name = name
        self.pages = pages
        key = mixed(name, key: settings.seed)
        epoch = settings.epoch
        recordKey = mixed(key ^ UInt64(bitPattern: settings.epoch))
        timeline = LineHistory(from: settings.epoch, settings: settings.lines, key: key)
        var draw = Draw(mixed(key ^ 0x6D61_6368))
        let firstRegion = draw.below(Self.regions.count)
        let count = 2 + draw.below(3)
        machines = (0..<count).map { [key] number in
            let word = mixed(key ^ 0x6964_0000 ^ UInt64(number))
            return SimulatedMachine(
                id: hexadecimal(word, digits: 14),
                region: Self.regions[(firstRegion + number * 3) % Self.regions.count],
                host: hexadecimal(mixed(word), digits: 4)
            )
        }
    }

    /// How many lines the app has written up to and including an instant in Unix nanoseconds.
    package func count(through instant: Int64) -> Int {
        timeline.count(through: instant)
    }
}

/// The lowest digits of a word in hexadecimal, with leading zeros.
func hexadecimal(_ word: UInt64, digits: Int) -> String {
    var bytes: [UInt8] = []
    appendHexadecimal(word, digits: digits, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

/// Appends the lowest digits of a word in hexadecimal, with leading zeros.
func appendHexadecimal(_ word: UInt64, digits: Int, to bytes: inout [UInt8]) {
    for digit in stride(from: digits - 1, through: 0, by: -1) {
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64(digit * 4)) & 0xF
        bytes.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
    }
}
