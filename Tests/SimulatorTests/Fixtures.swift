// What the simulator's suites share: one epoch, one app, times near it.

import Simulator

/// 2026-06-04T21:25:05Z in Unix nanoseconds.
let epoch: Int64 = 1_780_608_305_000_000_000
let second: Int64 = 1_000_000_000

func traffic(seed: UInt64 = 1, rate: Double = 20, lineLimit: Int? = nil) -> TrafficSettings {
    TrafficSettings(seed: seed, epoch: epoch, rate: rate, lineLimit: lineLimit)
}

func message(of line: LogLine) -> String {
    var bytes: [UInt8] = []
    line.appendMessage(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}
