// A page of one record that says when it was served.

import CLinux
import Glibc

extension PageServer {
    private static let mark = "served "

    /// The page; every call makes another record.
    static func tickPage() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let second = String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let fraction = String(1_000_000_000 + now.tv_nsec).dropFirst()
        let served = monotonicNs()
        return #"{"data":[{"id":"\#(served)","type":"log","attributes":{"timestamp":"\#(second).\#(fraction)Z","#
            + #""message":"\#(mark)\#(served)","level":"info","instance":"d896d7c609dd68","region":"iad","#
            + #""meta":{"instance":"d896d7c609dd68","region":"iad","event":{"provider":"app"}}}}],"#
            + #""meta":{"next_token":"\#(now.tv_sec)\#(fraction)"}}"#
    }

    /// When the record of this line was served, monotonic ns; nil for a line of another kind.
    static func servedNs(_ line: String) -> Int64? {
        guard let rest = line.split(separator: mark, maxSplits: 1).dropFirst().first else { return nil }
        return Int64(rest.prefix { $0.isNumber })
    }
}
