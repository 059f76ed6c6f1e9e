import Streamer
import Testing

@Suite("IdentityWindow")
struct IdentityWindowTests {
    /// What each insert answers, in order.
    static func insert(_ identities: some Sequence<UInt64>, into window: inout IdentityWindow) -> [Bool] {
        identities.map { window.insert($0) }
    }

    @Test("an identity is new once, for as long as it is among the last", arguments: [1, 2, 3, 8, 4096])
    func rememberedExactly(capacity: Int) {
        var window = IdentityWindow(capacity: capacity)
        let held = window.capacity
        #expect(held >= capacity)
        #expect(Self.insert(0..<UInt64(held), into: &window) == [Bool](repeating: true, count: held))
        #expect(Self.insert(0..<UInt64(held), into: &window) == [Bool](repeating: false, count: held))
        let count = window.count
        #expect(count == held)
        // One more is new and pushes the oldest out, which is then new again.
        #expect(Self.insert([UInt64(held), 0], into: &window) == [true, true])
        #expect(Self.insert([UInt64(held)], into: &window) == [false])
    }

    /// The same thing, slow and obvious.
    struct Model {
        var order: [UInt64] = []
        let capacity: Int

        mutating func insert(_ identity: UInt64) -> Bool {
            if order.contains(identity) { return false }
            if order.count == capacity { order.removeFirst() }
            order.append(identity)
            return true
        }
    }

    static let mixes: [(distinct: UInt64, factor: UInt64)] = [
        (40, 1), (70, 1), (200, 1), (90, 1 << 32), (90, 1 << 57),
    ]

    @Test(
        "it agrees with a model on 20000 inserts, with few and many repeats and poor low bits", arguments: mixes)
    func model(distinct: UInt64, factor: UInt64) {
        var window = IdentityWindow(capacity: 64)
        var model = Model(capacity: window.capacity)
        var state: UInt64 = 42
        let identities = (0..<20_000).map { _ -> UInt64 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % distinct &* factor
        }
        #expect(Self.insert(identities, into: &window) == identities.map { model.insert($0) })
        let count = window.count
        #expect(count == model.order.count)
    }

    @Test("widening keeps everything and the order of forgetting")
    func widening() {
        var window = IdentityWindow(capacity: 4)
        _ = Self.insert(1...6, into: &window)
        window.widen(pageEntries: 1)
        let unchanged = window.capacity
        #expect(unchanged == 4, "no narrower")
        window.widen(pageEntries: 4)
        let widened = window.capacity
        #expect(widened == 8)
        #expect(Self.insert(3...6, into: &window) == [false, false, false, false])
        #expect(Self.insert(7...11, into: &window) == [true, true, true, true, true])
        #expect(Self.insert([3, 5], into: &window) == [true, false], "the oldest was forgotten first")
    }

    @Test("it never grows past its maximum")
    func maximum() {
        var window = IdentityWindow()
        window.widen(pageEntries: 10_000_000)
        let capacity = window.capacity
        #expect(capacity == IdentityWindow.maximumCapacity)
    }
}
