// A page of the platform dialect, rendered once and made another page by patching digits in place.
//
// Not one page served again and again: the product drops entries by id. Every page is one second of the app's life; a
// record's id holds the page's number before its own, its timestamp names the page's second, and `next_token` is the last record's
// instant. So a page follows from its number alone, and the same request always gets the same answer.

import Glibc
import Simulator

/// The bytes of one app's pages.
final class PageTemplate {
    static let entries = 1_000

    /// The last record's instant within its page's second, in nanoseconds.
    private static let lastInstant: Int64 = 999_000_000
    private static let idDigits = 24
    private static let patchedDigits = 8
    /// `2026-06-04T21:25:05`.
    private static let secondLength = 19
    private static let tokenLength = 19
    private static let betweenIDAndTimestamp = #"","type":"log","attributes":{"timestamp":""#

    /// The page, as patched last.
    let bytes: UnsafeMutableRawBufferPointer
    /// Unix seconds of page 0.
    private let epoch: Int64
    /// Where the digits of the page's number begin in each record's id, before those of the record's own, and where its
    /// timestamp does.
    private var places: [(id: Int, timestamp: Int)] = []
    private let tokenPlace: Int

    /// Renders an app's page.
    ///
    /// - Parameter epoch: Unix seconds of page 0.
    init(app: String, epoch: Int64) {
        self.epoch = epoch
        let settings = TrafficSettings(seed: 7, epoch: 0, rate: Double(Self.entries))
        let rendered = SimulatedApp(name: app, settings: settings).platformPage(Array(1...Self.entries))
        var page: [UInt8] = []
        page.reserveCapacity(rendered.count + Self.entries * 8)
        let marker = Array(Self.betweenIDAndTimestamp.utf8)
        var position = 0
        while let found = Self.find(marker, in: rendered, from: position) {
            page.append(contentsOf: rendered[position..<(found + marker.count)])
            places.append((page.count - marker.count - 2 * Self.patchedDigits, page.count))
            page.append(contentsOf: "0000-00-00T00:00:00.".utf8)
            let milliseconds = String(places.count - 1)
            page.append(contentsOf: (String(repeating: "0", count: 3 - milliseconds.count) + milliseconds + "Z").utf8)
            position = rendered[(found + marker.count)...].firstIndex(of: UInt8(ascii: "\"")) ?? rendered.endIndex
        }
        precondition(places.count == Self.entries, "the simulator renders records in another way than this patches")
        let token = Array(#""next_token":""#.utf8)
        guard let found = Self.find(token, in: rendered, from: position) else {
            preconditionFailure("the simulator renders no next_token")
        }
        page.append(contentsOf: rendered[position..<(found + token.count)])
        tokenPlace = page.count
        page.append(contentsOf: (String(repeating: "0", count: Self.tokenLength) + #""}}"#).utf8)
        bytes = .allocate(byteCount: page.count, alignment: 64)
        bytes.copyBytes(from: page)
    }

    deinit { bytes.deallocate() }

    /// Where the needle, which begins with a quotation mark as no text within a record can, stands next.
    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress else { return nil }
            var position = start
            while position + needle.count <= bytes.count {
                let last = bytes.count - needle.count
                guard let quote = memchr(base + position, Int32(needle[0]), last - position + 1) else { return nil }
                position = UnsafeRawPointer(quote) - base
                if memcmp(base + position, needle, needle.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }

    /// The page's number that follows a `next_token`; 0 for an empty one.
    func page(after token: Int64?) -> Int64 {
        guard let token else { return 0 }
        return max(0, (token / 1_000_000_000) - epoch + 1)
    }

    /// The `next_token` that a page ends with.
    func token(ofPage page: Int64) -> Int64 { (epoch + page) * 1_000_000_000 + Self.lastInstant }

    /// Makes `bytes` the page of that number.
    func patch(page: Int64) {
        var digits = Self.digits(UInt64(page), radix: 16, count: Self.patchedDigits)
        let second = Self.secondText(epoch + page)
        guard let base = bytes.baseAddress else { return }
        digits.withUnsafeBytes { digits in
            let number = digits.loadUnaligned(as: UInt64.self)
            second.withUnsafeBytes { second in
                guard let second = second.baseAddress else { return }
                for place in places {
                    (base + place.id).storeBytes(of: number, as: UInt64.self)
                    memcpy(base + place.timestamp, second, Self.secondLength)
                }
            }
        }
        digits = Self.digits(UInt64(token(ofPage: page)), radix: 10, count: Self.tokenLength)
        UnsafeMutableRawBufferPointer(rebasing: bytes[tokenPlace..<(tokenPlace + Self.tokenLength)])
            .copyBytes(from: digits)
    }

    private static func digits(_ value: UInt64, radix: Int, count: Int) -> [UInt8] {
        let text = String(value, radix: radix)
        return Array((String(repeating: "0", count: max(0, count - text.utf8.count)) + text).utf8)
    }

    private static func secondText(_ seconds: Int64) -> [UInt8] {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: secondLength + 1)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        return text[..<secondLength].map(UInt8.init(bitPattern:))
    }
}
