// HTTP dates against ones that are known.

import Simulator
import Testing

@Suite struct HTTPDateTests {
    @Test(
        "an instant is written as an HTTP date, a started second as the next",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777 * second, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_776 * second + 1, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (epoch, "Thu, 04 Jun 2026 21:25:05 GMT"),
        ])
    func writes(instant: Int64, text: String) {
        #expect(WireTime.httpDate(instant) == text)
    }
}
