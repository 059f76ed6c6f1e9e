// A slip in the name of a member must not go unseen.

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

/// Throws where a JSON object has a member of none of these names.
func refuseOtherMembers(than names: [String], in decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    if let other = container.allKeys.first(where: { !names.contains($0.stringValue) }) {
        throw DecodingError.dataCorruptedError(
            forKey: other, in: container, debugDescription: "no member is called \(other.stringValue)")
    }
}
