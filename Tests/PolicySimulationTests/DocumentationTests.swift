// The example of the documentation is run: it shows what the program prints, or this fails.

import Foundation
import Testing

@Suite("The documentation") struct DocumentationTests {
    @Test("the example's file gives the example's lines")
    func example() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let page = folder.appendingPathComponent(
            "../../Sources/PolicySimulation/PolicySimulation.docc/PolicySimulation.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).split(separator: "```")
        let file = try #require(blocks.first { $0.hasPrefix("json\n") }?.dropFirst(5))
        let lines = try #require(blocks.first { $0.hasPrefix("\n{\"at_ms\"") })
        #expect(try simulate(String(file)) == lines.split(separator: "\n").map(String.init))
    }
}
