// A queue with constant-time ends; the array's own `removeFirst` would move every element.

/// First in, first out.
struct FIFO<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    /// Nothing is waiting.
    var isEmpty: Bool { head == elements.count }

    /// Adds at the end.
    mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// Takes from the front.
    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.count <= 64)
            head = 0
        } else if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
