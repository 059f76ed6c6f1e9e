// One JSON object of a policy file while it is read: nothing unknown passes, and every fault knows its place.

import Supervision

/// A JSON object with its place.
struct PolicyObject {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private let container: KeyedDecodingContainer<Key>
    private let place: String
    /// The keys that stand in it, in alphabetical order.
    let keys: [String]

    /// - Throws: a fault when it is no object, or one of its keys is not among `keys`.
    init(_ decoder: any Decoder, keys known: [String]? = nil) throws {
        place = PolicyObject.place(decoder.codingPath)
        do {
            container = try decoder.container(keyedBy: Key.self)
        } catch {
            throw PolicyFileError(place: place, problem: .wrongType(expected: "an object"))
        }
        keys = container.allKeys.map(\.stringValue).sorted()
        if let known { try allow(known) }
    }

    /// - Throws: a fault for the first key that is not among `known`.
    func allow(_ known: [String]) throws {
        guard let key = keys.first(where: { !known.contains($0) }) else { return }
        throw fault(.unknownKey(key, known: known))
    }

    /// A value that must be there.
    func required<Value: Decodable>(_ key: String, _ type: Value.Type, _ expected: String) throws -> Value {
        guard let value = try value(key, type, expected) else { throw fault(.missingKey(key)) }
        return value
    }

    /// A value that may be missing, but not be null.
    func value<Value: Decodable>(_ key: String, _ type: Value.Type, _ expected: String) throws -> Value? {
        guard keys.contains(key) else { return nil }
        do {
            return try container.decode(type, forKey: Key(stringValue: key))
        } catch let error as PolicyFileError {
            throw error
        } catch {
            throw fault(at: key, .wrongType(expected: expected))
        }
    }

    /// One of a few words.
    func word<Word: RawRepresentable & CaseIterable>(_ key: String) throws -> Word? where Word.RawValue == String {
        guard let text = try value(key, String.self, "a text") else { return nil }
        guard let word = Word(rawValue: text) else {
            throw fault(at: key, .unknownWord(text, known: Word.allCases.map(\.rawValue)))
        }
        return word
    }

    /// A whole number; `range` is what belongs there, which the tree checks.
    func count(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
        try value(key, Int.self, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    /// A whole number within a range.
    func number(_ key: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = try value(key, Int64.self, expected) else { return nil }
        guard range.contains(number) else {
            throw fault(at: key, .outOfRange(number, least: range.lowerBound, most: range.upperBound))
        }
        return number
    }

    /// The id or path of a child or supervisor, whether or not there is one.
    func name(_ key: String) throws -> String {
        let name = try required(key, String.self, "a text")
        guard !name.isEmpty, ChildSpec.isPrintable(name) else { throw fault(at: key, .badName(name)) }
        return name
    }

    /// The id of what the object stands for; whether it may be one is for the tree to say, which has no path for an
    /// empty one.
    func id() throws -> String {
        let id = try required("id", String.self, "a text")
        guard !id.isEmpty else { throw fault(at: "id", .emptyID) }
        return id
    }

    /// `brutal_kill`, `infinity`, or a grace in milliseconds.
    func shutdown(_ key: String) throws -> Shutdown? {
        guard keys.contains(key) else { return nil }
        if let milliseconds = try? container.decode(Int64.self, forKey: Key(stringValue: key)) {
            return .grace(milliseconds: milliseconds)
        }
        let milliseconds = "0 to \(SpecLimits.milliseconds) milliseconds"
        switch try value(key, String.self, "brutal_kill, infinity or \(milliseconds)") {
        case "brutal_kill": return .brutalKill
        case "infinity": return .infinity
        case let word: throw fault(at: key, .unknownWord(word ?? "", known: ["brutal_kill", "infinity", milliseconds]))
        }
    }

    /// Whether a key is there and null.
    func isNull(_ key: String) -> Bool {
        keys.contains(key) && (try? container.decodeNil(forKey: Key(stringValue: key))) == true
    }

    /// A fault of this object, or of its value at `key`.
    func fault(at key: String? = nil, _ problem: PolicyFileError.Problem) -> PolicyFileError {
        guard let key else { return PolicyFileError(place: place, problem: problem) }
        return PolicyFileError(place: place.isEmpty ? key : "\(place).\(key)", problem: problem)
    }

    /// A path through the JSON: `supervisor.children[1].restart`.
    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { place, key in
            if let index = key.intValue {
                place += "[\(index)]"
            } else {
                place += place.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}
