// Compressed bytes, read back by the gzip of the machine where there is one.

import Foundation
import Simulator
import Testing

@Suite struct GzipTests {
    private static let program = ["/usr/bin/gzip", "/bin/gzip"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private func inflated(_ bytes: [UInt8]) throws -> (bytes: [UInt8], code: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.program))
        process.arguments = ["-dc"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.detachNewThread {
            try? input.fileHandleForWriting.write(contentsOf: bytes)
            try? input.fileHandleForWriting.close()
        }
        let result = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return ([UInt8](result), process.terminationStatus)
    }

    @Test("what was compressed comes back", .enabled(if: program != nil), arguments: [0, 1, 3, 4, 100, 1_000])
    func compresses(lines: Int) throws {
        let app = SimulatedApp(name: "web", settings: traffic())
        let page = lines == 0 ? [] : app.platformPage(Array(1...lines))
        let compressed = Gzip.compressed(page)
        let result = try inflated(compressed)
        #expect(result.code == 0 && result.bytes == page)
        if lines >= 100 { #expect(compressed.count * 3 < page.count) }
    }

    @Test("bytes of all kinds and matches of all lengths come back", .enabled(if: program != nil))
    func compressesAnything() throws {
        var bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        for length in 1...300 {
            bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: length), count: length)
            bytes += bytes[(length * 97)..<(length * 98)]
        }
        #expect(try inflated(Gzip.compressed(bytes)).bytes == bytes)
    }

    @Test("a bomb is small, inflates to what was asked for, and is wrong at its end", .enabled(if: program != nil))
    func bombs() throws {
        let bomb = Gzip.bomb(head: Array("head".utf8), count: 5_000_000, tail: Array("tail".utf8))
        let bytes = bomb.start + (0..<bomb.repeats).flatMap { _ in bomb.middle } + bomb.end
        #expect(bytes.count * 100 < 5_000_000)
        let result = try inflated(bytes)
        #expect(result.code != 0 && result.bytes.count >= 5_000_000)
        #expect(result.bytes.starts(with: Array("headxxxx".utf8)) && result.bytes.suffix(5) == Array("xtail".utf8)[...])
    }
}
