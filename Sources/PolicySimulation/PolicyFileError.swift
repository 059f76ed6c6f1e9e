// What is wrong with a policy file: one line, beginning with the place as a path through the JSON.

internal import Supervision

/// A policy file that cannot be simulated.
package struct PolicyFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    enum Problem: Hashable, Sendable {
        /// More bytes than `PolicyLimits.bytes`.
        case tooLong
        /// Not JSON, and why.
        case notJSON(String)
        /// A byte order mark, which no JSON begins with (RFC 8259, section 8.1).
        case byteOrderMark
        /// More levels of arrays and objects than `JSONSyntax.depth`.
        case tooDeep
        /// A key that is required is not there.
        case missingKey(String)
        /// A key that means nothing here; `known` is what may stand here.
        case unknownKey(String, known: [String])
        /// Not a value of the kind that belongs here.
        case wrongType(expected: String)
        /// A text that is none of a few.
        case unknownWord(String, known: [String])
        /// A number outside its range.
        case outOfRange(Int64, least: Int64, most: Int64)
        /// An entry that says nothing, or two things.
        case notOneEvent(found: [String], known: [String])
        /// A script entry that is earlier than the one before it.
        case backwards(Int64, after: Int64)
        /// More children than `PolicyLimits.children`.
        case tooManyChildren(Int)
        /// A stop of something that is not the root.
        case notTheRoot(String, root: String)
        /// An exit or a start of a supervisor, which has no process of its own.
        case noProcess(String)
        /// A name that several children have.
        case ambiguous(String, paths: [String])
        /// An id without a character.
        case emptyID
        /// A name that is none.
        case badName(String)
        /// What the policies say to the tree.
        case refused(String)
        /// More than `PolicyLimits.steps`.
        case endless
    }

    /// Place in the JSON, such as `supervisor.children[1].restart`, or a line where it is none; empty for the whole
    /// file.
    let place: String
    /// What is wrong there.
    let problem: Problem

    /// One line: where, what is wrong, what to do.
    package var description: String {
        place.isEmpty ? explanation : "\(place): \(explanation)"
    }

    private var explanation: String {
        switch problem {
        case .tooLong: "more than \(PolicyLimits.bytes) bytes; shorten the script or the tree"
        case .notJSON(let reason): "not JSON: \(reason); mend the syntax"
        case .byteOrderMark: "a byte order mark; save the file as UTF-8 without one"
        case .tooDeep: "nested more than \(JSONSyntax.depth) levels deep; flatten the tree"
        case .missingKey(let key): "\"\(key)\" is missing; add it"
        case .unknownKey(let key, let known): "unknown key \"\(key)\"; use \(known.joined(separator: ", "))"
        case .wrongType(let expected): "not what belongs here; write \(expected)"
        case .unknownWord(let word, let known): "\"\(word)\" is unknown; use \(known.joined(separator: ", "))"
        case .outOfRange(let value, let least, let most): "\(value) is out of range; use \(least) to \(most)"
        case .notOneEvent([], let known): "nothing happens; name one of \(known.joined(separator: ", "))"
        case .notOneEvent(let found, _):
            "\(found.joined(separator: " and ")) in one entry; write an entry for each"
        case .backwards(let time, let last): "at_ms \(time) comes after \(last); sort the script by at_ms"
        case .tooManyChildren(let count): "\(count) children are too many; use at most \(PolicyLimits.children)"
        case .notTheRoot(let name, let root):
            "only the root can be stopped, and \"\(name)\" is not it; stop \"\(root)\", or call terminate_child"
        case .noProcess(let name):
            "\"\(name)\" is a supervisor and has no process of its own; name one of the workers below it"
        case .ambiguous(let name, let paths):
            "\"\(name)\" may be \(paths.prefix(3).joined(separator: " or ")); write the path"
        case .emptyID: "an id is empty; write one of 1 to \(SpecLimits.idBytes) bytes"
        case .badName(let name): "\"\(name)\" names nothing; write an id, or a path like group/id"
        case .refused(let words): words
        case .endless: "the simulation takes more than \(PolicyLimits.steps) steps; shorten the script or the tree"
        }
    }
}
