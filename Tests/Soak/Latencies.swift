// Percentiles of the time from emission to file.

/// The distribution of some latencies, in milliseconds.
struct LatencySummary: Codable, Sendable {
    var count = 0
    var median = 0.0
    var percentile99 = 0.0
    var maximum = 0.0

    /// Summarises latencies in seconds.
    init(_ seconds: [Float]) {
        let sorted = seconds.sorted()
        guard let last = sorted.last else { return }
        count = sorted.count
        func milliseconds(at share: Double) -> Double {
            (Double(sorted[Int((Double(sorted.count - 1) * share).rounded())]) * 10_000).rounded() / 10
        }
        median = milliseconds(at: 0.5)
        percentile99 = milliseconds(at: 0.99)
        maximum = (Double(last) * 10_000).rounded() / 10
    }

    enum CodingKeys: String, CodingKey {
        case count
        case median = "p50_ms"
        case percentile99 = "p99_ms"
        case maximum = "max_ms"
    }
}
