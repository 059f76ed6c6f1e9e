// What the events file tells since it was last looked at.

import Foundation

/// Reads a growing events file.
struct EventNews {
    private let path: String
    private var offset: UInt64 = 0

    /// Begins at what is there now.
    init(_ path: String) {
        self.path = path
        _ = next()
    }

    /// The whole lines since the last call.
    mutating func next() -> [FleetEvent] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: offset)) != nil, let content = try? file.readToEnd() else { return [] }
        let decoder = JSONDecoder()
        var events: [FleetEvent] = []
        let taken = content.withUnsafeBytes { bytes in
            LineSplitter.split(bytes) { _, line in
                if let event = try? decoder.decode(FleetEvent.self, from: Data(line)) { events.append(event) }
            }
        }
        offset += UInt64(taken)
        return events
    }
}
