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
    /// Mean lines per second and app.
    package var rate: Double
    /// The number of lines after which each app falls silent; nil for never.
    package var lineLimit: Int?

    /// Collects the settings of a simulator's traffic.
    package init(seed: UInt64, epoch: Int64, rate: Double, lineLimit: Int? = nil) {
        self.seed = seed
        self.epoch = epoch
        self.rate = rate
        self.lineLimit = lineLimit
    }
}

/// An app with its machines and the function that places its lines in time.
package struct SimulatedApp: Sendable {
    /// The app's name.
    package let name: String
    /// The app's machines, two to four, in different regions.
    package let machines: [SimulatedMachine]
    /// When the app's lines are written.
    package let timeline: Timeline

    let key: UInt64
    let traces: StackTraces
    private let lineLimit: Int

    private static let regions = ["iad", "cdg", "nrt", "fra", "syd", "gru", "lhr", "sjc", "sin", "ams"]

    /// Makes the app that settings and name describe.
    package init(name: String, settings: TrafficSettings) {
        self.name = name
        key = mixed(name, key: settings.seed)
        traces = StackTraces(key: key)
        timeline = Timeline(epoch: settings.epoch, rate: settings.rate, key: key)
        lineLimit = settings.lineLimit ?? .max
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
        min(timeline.count(through: instant), lineLimit)
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
