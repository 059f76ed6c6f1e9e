// The command line of flyfleet-fuzz.

import Glibc

/// What to try, and how often.
struct FuzzOptions {
    var targets = FuzzTarget.all
    var inputs: UInt64 = 20_000
    var seed: UInt64 = 1
    /// Only this input of the seed.
    var number: UInt64?
    /// Where failing inputs go.
    var folder = "."
    /// Where the corpus is kept, with libFuzzer as the engine.
    var corpus: String?
    /// Inputs to try as they are, instead of any others.
    var files: [String] = []

    static let usage = """
        usage: flyfleet-fuzz --list | [--target NAME] [--inputs N] [--seed S] [--case N] [--failures FOLDER] [--corpus FOLDER] [FILE...]
        targets: \(FuzzTarget.all.map(\.name).joined(separator: " "))
        """

    /// Nil, with a line on stderr, when the arguments are wrong.
    init?(_ arguments: some Sequence<String>) {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            if argument == "--list" {
                print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
                exit(0)
            }
            guard argument.hasPrefix("-") else {
                files.append(argument)
                continue
            }
            guard let value = rest.popFirst(), take(argument, value) else {
                complain("\(argument) is unknown, or its value is\n\(Self.usage)")
                return nil
            }
        }
        guard files.isEmpty || targets.count == 1 else {
            complain("a file needs its --target")
            return nil
        }
    }

    private mutating func take(_ option: String, _ value: String) -> Bool {
        switch option {
        case "--target":
            targets = FuzzTarget.all.filter { $0.name == value }
            return !targets.isEmpty
        case "--inputs":
            inputs = UInt64(value) ?? 0
            return inputs > 0
        case "--seed":
            seed = UInt64(value) ?? 0
            return UInt64(value) != nil
        case "--case":
            number = UInt64(value)
            return number != nil
        case "--failures": folder = value
        case "--corpus": corpus = value
        default: return false
        }
        return true
    }
}
