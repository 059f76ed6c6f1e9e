// A `commit` frame: one transaction of the store, over any number of sinks and apps. The answer is a `reply` of `{}`, or a
// `failure`, with the frame's id.
//
//     | sinks: u16 | sinks × ( name: u16 length, bytes | position: u8 length, bytes )
//     | apps: u32  | apps × ( app_name: u8 length, bytes | cursor: u8 length, bytes | first_kept: u64
//     |                     | chunks: u32 | chunks × ( number: u64 | identities: u32 | identities × u64 ) )
//
// An empty cursor leaves the app's cursor as it is.

/// What the store commits together, or not at all.
package struct CommitPayload: Equatable, Sendable {
    /// A sink and where it stands.
    package struct Sink: Equatable, Sendable {
        /// The sink's name: for a file its absolute path.
        package var name: String
        package var position: String

        package init(name: String, position: String) {
            self.name = name
            self.position = position
        }
    }

    /// The identities of one batch, as bytes.
    package struct Chunk: Equatable, Sendable {
        package var number: UInt64
        /// ``IdentityBytes``.
        package var identities: [UInt8]

        package init(number: UInt64, identities: [UInt8]) {
            self.number = number
            self.identities = identities
        }
    }

    /// An app and how far it is safe.
    package struct App: Equatable, Sendable {
        package var name: String
        /// Empty where the cursor does not move.
        package var cursor: String
        /// Chunks before this one go.
        package var firstKept: UInt64
        package var chunks: [Chunk]

        package init(name: String, cursor: String, firstKept: UInt64 = 0, chunks: [Chunk] = []) {
            self.name = name
            self.cursor = cursor
            self.firstKept = firstKept
            self.chunks = chunks
        }
    }

    package var sinks: [Sink]
    package var apps: [App]

    package init(sinks: [Sink] = [], apps: [App] = []) {
        self.sinks = sinks
        self.apps = apps
    }

    /// Whether there is nothing to commit.
    package var isEmpty: Bool { sinks.isEmpty && apps.isEmpty }

    /// The payload of a `commit` frame.
    package func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            apps.reduce(64) { $0 + 64 + $1.chunks.reduce(0) { $0 + 16 + $1.identities.count } })
        bytes.appendBigEndian(UInt16(sinks.count))
        for sink in sinks {
            bytes.appendLong(sink.name)
            bytes.appendShort(sink.position)
        }
        bytes.appendBigEndian(UInt32(apps.count))
        for app in apps {
            bytes.appendShort(app.name)
            bytes.appendShort(app.cursor)
            bytes.appendBigEndian(app.firstKept)
            bytes.appendBigEndian(UInt32(app.chunks.count))
            for chunk in app.chunks {
                bytes.appendBigEndian(chunk.number)
                bytes.appendBigEndian(UInt32(chunk.identities.count / IdentityBytes.width))
                bytes.append(contentsOf: chunk.identities)
            }
        }
        return bytes
    }

    /// Reads the payload of a `commit` frame.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)``.
    package static func decode(_ payload: UnsafeRawBufferPointer) throws(FrameError) -> CommitPayload {
        var reader = PayloadReader(payload, kind: .commit)
        var commit = CommitPayload()
        for _ in 0..<Int(try reader.integer("sinks") as UInt16) {
            commit.sinks.append(
                Sink(name: try reader.longText("a sink's name"), position: try reader.shortText("position")))
        }
        for _ in 0..<Int(try reader.integer("apps") as UInt32) {
            var app = App(
                name: try reader.shortText("app_name"), cursor: try reader.shortText("cursor"),
                firstKept: try reader.integer("first_kept"))
            for _ in 0..<Int(try reader.integer("chunks") as UInt32) {
                let number: UInt64 = try reader.integer("a chunk's number")
                let count = Int(try reader.integer("identities") as UInt32)
                let body = try reader.slice(count * IdentityBytes.width, "identities")
                app.chunks.append(Chunk(number: number, identities: [UInt8](body)))
            }
            commit.apps.append(app)
        }
        try reader.expectEnd()
        return commit
    }
}
