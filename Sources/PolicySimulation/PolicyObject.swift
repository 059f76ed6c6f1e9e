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

    /// A whole number within a range.
    func number(_ key: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let number = try value(key, Int64.self, "a whole number") else { return nil }
        guard range.contains(number) else {
            throw fault(at: key, .outOfRange(number, least: range.lowerBound, most: range.upperBound))
        }
        return number
    }

    /// The id or path of a child or supervisor, whether or not there is one.
    func name(_ key: String) throws -> String {
        let name = try required(key, String.self, "a text")
        // A name is printed as it is: nothing in it may move a terminal's cursor.
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw fault(at: key, .badName(name))
        }
        return name
    }

    /// `brutal_kill`, `infinity`, or a grace in milliseconds.
    func shutdown(_ key: String) throws -> Shutdown? {
        guard keys.contains(key) else { return nil }
        if let milliseconds = try? container.decode(Int64.self, forKey: Key(stringValue: key)) {
            return .grace(milliseconds: milliseconds)
        }
        let known = ["brutal_kill", "infinity"]
        switch try value(key, String.self, "brutal_kill, infinity or a number of milliseconds") {
        case "brutal_kill": return .brutalKill
        case "infinity": return .infinity
        case let word: throw fault(at: key, .unknownWord(word ?? "", known: known + ["a number of milliseconds"]))
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
