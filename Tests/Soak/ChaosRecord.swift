// What was done to whom, counted.

/// The counts of a chaos driver.
struct ChaosRecord: Codable, Sendable {
    /// By kind of process, then by deed.
    var deeds: [String: [String: Int]] = [:]
    /// Faults that found no such process: it was dead already.
    var missed = 0
    /// Changes of weather that flysim took, by name.
    var weather: [String: Int] = [:]
    /// Changes that it did not take: it was dead or stood still.
    var weatherMissed = 0
    var simulatorRestarts = 0

    enum CodingKeys: String, CodingKey {
        case deeds, missed, weather
        case weatherMissed = "weather_missed"
        case simulatorRestarts = "simulator_restarts"
    }

    var total: Int { deeds.values.reduce(0) { $0 + $1.values.reduce(0, +) } }

    mutating func note(_ deed: Deed, to target: Target) {
        deeds[target.kind, default: [:]][deed.name, default: 0] += 1
    }
}
