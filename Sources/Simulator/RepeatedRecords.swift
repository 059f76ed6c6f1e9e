// Records that the API serves twice, with one id: once more on the same page, or again at the start of the next one.
//
// Which ones follows from the line's number alone. Where pages may cut a nanosecond a page keeps its size, and what no
// longer fits is left for the next; at least a quarter of a page is new, so that a reader gets on.

extension SimulatedApp {
    /// How far apart the two copies of a record are.
    private static let distance = 5

    /// The records that answer a query, oldest first but for those that come again.
    ///
    /// - Parameters:
    ///   - query: Cursor and filters.
    ///   - rules: Size, boundary, retention, and the share of repeats.
    ///   - now: Unix nanoseconds; later lines do not exist yet.
    package func records(_ query: PageQuery, rules: PageRules, now: Int64) -> [Int] {
        let page = page(query, rules: rules, now: now)
        guard rules.repeatShare > 0, page.count > Self.distance else { return page }
        var result = query.cursor == nil ? [] : recordsBefore(page, query, rules, now)
        for (index, sequence) in page.enumerated() {
            result.append(sequence)
            let other = index - Self.distance
            if other >= 0, place(ofRepeated: page[other], rules) == .samePage { result.append(page[other]) }
        }
        let isBounded = page.count >= rules.size && rules.ties == .cut
        return isBounded ? Array(result.prefix(page.count)) : result
    }

    /// Records of the page before that come again on this one.
    private func recordsBefore(_ page: [Int], _ query: PageQuery, _ rules: PageRules, _ now: Int64) -> [Int] {
        guard let first = page.first, let lines = PageLines(of: self, query: query, now: now) else { return [] }
        let count = min(Self.distance, page.count / 4)
        let oldest = max(timeline.firstSequence(atOrAfter: max(0, now - rules.retention)), first - count)
        return (min(oldest, first)..<first).filter {
            place(ofRepeated: $0, rules) == .nextPage && lines.isIncluded($0)
        }
    }

    private enum Place {
        case samePage, nextPage
    }

    private func place(ofRepeated sequence: Int, _ rules: PageRules) -> Place? {
        let word = mixed(key ^ 0x7477_6963_6500 ^ UInt64(truncatingIfNeeded: sequence))
        guard unitInterval(word) < rules.repeatShare else { return nil }
        return word & 1 == 0 ? .samePage : .nextPage
    }
}
