// What the table does not say: lines to the byte, names, order at one time, bounds.

import Supervision
import Testing

@testable import PolicySimulation

@Suite("PolicySimulator") struct SimulatorTests {
    static let contract = #"""
        {"supervisor":{"id":"top","strategy":"rest_for_one","max_restarts":3,"max_seconds":5,"auto_shutdown":"never","restart":"permanent",
           "children":[{"id":"a","restart":"permanent","significant":false},
                       {"supervisor":{"id":"g","strategy":"one_for_one","max_restarts":20,"max_seconds":60,"children":[{"id":"b","restart":"transient"}]}}]},
         "script":[{"at_ms":0,"exit":"a","reason":"crash"},{"at_ms":900,"exit":"b","reason":"normal"},{"at_ms":1000,"fail_starts":"a","times":2},
                   {"at_ms":2000,"call":"terminate_child","child":"b"},{"at_ms":2100,"call":"restart_child","child":"b"},{"at_ms":3000,"stop":"top"}]}
        """#

    @Test("the example of the documentation gives these lines, byte for byte")
    func contract() throws {
        let expected = #"""
            {"at_ms":0,"action":"start","child":"a","ok":true}
            {"at_ms":0,"action":"start","child":"b","ok":true}
            {"at_ms":0,"action":"start","child":"g","ok":true}
            {"at_ms":0,"action":"stop","child":"g"}
            {"at_ms":0,"action":"stop","child":"b"}
            {"at_ms":0,"action":"start","child":"a","ok":true}
            {"at_ms":0,"action":"start","child":"b","ok":true}
            {"at_ms":0,"action":"start","child":"g","ok":true}
            {"at_ms":2100,"action":"start","child":"b","ok":true}
            {"at_ms":3000,"action":"stop","child":"g"}
            {"at_ms":3000,"action":"stop","child":"b"}
            {"at_ms":3000,"action":"stop","child":"a"}
            {"at_ms":3000,"action":"exit","supervisor":"top","reason":"shutdown"}
            """#
        #expect(try simulate(SimulatorTests.contract) == expected.split(separator: "\n").map(String.init))
    }

    @Test("what the tree refuses may be called anything, and drives nobody's terminal")
    func refusedNames() throws {
        let json = #"""
            {"supervisor":{"id":"top"},"script":[{"at_ms":1,"call":"start_child","supervisor":"top",
            "child":{"id":"\u0000\u001f\u007f\u0080\u009b\u00a0é\"\\"}}]}
            """#
        let name = #"\u0000\u001f\u007f\u0080\u009b"# + "\u{a0}é" + #"\"\\"#
        let lines = try simulate(json, verbose)
        #expect(
            lines.contains(#"{"at_ms":1,"action":"event","call":"start_child","supervisor":"top","child":"\#(name)"}"#))
        #expect(
            lines.contains(
                #"{"at_ms":1,"action":"reply","call":"start_child","child":"\#(name)","result":"invalid_spec"}"#))
    }

    @Test("every kind of line has its keys in one order")
    func everyLine() throws {
        let json = #"""
            {"supervisor":{"id":"top","max_restarts":9,"children":[{"id":"a","stop_ms":null,"shutdown":2},
            {"supervisor":{"id":"g","max_restarts":0,"children":[{"id":"b"}]}}]},
            "script":[{"at_ms":0,"exit":"b"},{"at_ms":1,"fail_starts":"b"},{"at_ms":2,"ignore_starts":"a","times":3},
            {"at_ms":3,"exit":"b","reason":"killed"},{"at_ms":9,"call":"delete_child","child":"a"},
            {"at_ms":9,"call":"start_child","supervisor":"g","child":{"id":"c"}},{"at_ms":10,"stop":"top"}]}
            """#
        let expected = #"""
            {"at_ms":0,"action":"event","start":"top"}
            {"at_ms":0,"action":"start","child":"a","ok":true}
            {"at_ms":0,"action":"start","child":"b","ok":true}
            {"at_ms":0,"action":"start","child":"g","ok":true}
            {"at_ms":0,"action":"states","states":{"a":"running","g":"running","b":"running"}}
            {"at_ms":0,"action":"event","exit":"b","reason":"crash"}
            {"at_ms":0,"action":"give_up","supervisor":"g"}
            {"at_ms":0,"action":"exit","supervisor":"g","reason":"shutdown"}
            {"at_ms":0,"action":"start","child":"b","ok":true}
            {"at_ms":0,"action":"start","child":"g","ok":true}
            {"at_ms":0,"action":"states","states":{"a":"running","g":"running","b":"running"}}
            {"at_ms":1,"action":"event","fail_starts":"b","times":1}
            {"at_ms":1,"action":"states","states":{"a":"running","g":"running","b":"running"}}
            {"at_ms":2,"action":"event","ignore_starts":"a","times":3}
            {"at_ms":2,"action":"states","states":{"a":"running","g":"running","b":"running"}}
            {"at_ms":3,"action":"event","exit":"b","reason":"killed"}
            {"at_ms":3,"action":"give_up","supervisor":"g"}
            {"at_ms":3,"action":"exit","supervisor":"g","reason":"shutdown"}
            {"at_ms":3,"action":"backoff","child":"g","delay_ms":4}
            {"at_ms":3,"action":"states","states":{"a":"running","g":"restarting"}}
            {"at_ms":7,"action":"start","child":"b","ok":false}
            {"at_ms":7,"action":"exit","supervisor":"g","reason":"failed_to_start_child","child":"b"}
            {"at_ms":7,"action":"start","child":"g","ok":false}
            {"at_ms":7,"action":"backoff","child":"g","delay_ms":4}
            {"at_ms":9,"action":"event","call":"delete_child","child":"a"}
            {"at_ms":9,"action":"reply","call":"delete_child","child":"a","result":"running"}
            {"at_ms":9,"action":"states","states":{"a":"running","g":"restarting"}}
            {"at_ms":9,"action":"event","call":"start_child","supervisor":"g","child":"c"}
            {"at_ms":9,"action":"reply","call":"start_child","child":"c","result":"not_running"}
            {"at_ms":9,"action":"states","states":{"a":"running","g":"restarting"}}
            {"at_ms":10,"action":"event","stop":"top"}
            {"at_ms":10,"action":"stop","child":"a"}
            {"at_ms":10,"action":"states","states":{}}
            {"at_ms":12,"action":"kill","child":"a"}
            {"at_ms":12,"action":"exit","supervisor":"top","reason":"shutdown"}
            """#
        #expect(try simulate(json, backedOff(4, 4)) == expected.split(separator: "\n").map(String.init))
    }

    @Test("a bare id is used where it is unique, and a path is always understood")
    func names() throws {
        let json = #"""
            {"supervisor":{"id":"top","children":[{"id":"a"},{"supervisor":{"id":"g","children":[{"id":"a"},{"id":"b"}]}},
            {"supervisor":{"id":"h","children":[{"id":"top"}]}}]},
            "script":[{"at_ms":0,"exit":"g/b"},{"at_ms":1,"exit":"b"},{"at_ms":2,"exit":"a"},{"at_ms":3,"exit":"g/a"}]}
            """#
        let children = try simulate(json).map { line in
            String(line.split(separator: #""child":""#).dropFirst().first?.prefix { $0 != "\"" } ?? "-")
        }
        // b at 0; at 1 it is one too many for g, which comes back; a at 2 is one too many for the root.
        #expect(
            children == [
                "a", "g/a", "b", "g", "h/top", "h", "b",
                "-", "g/a", "-", "g/a", "b", "g",
                "-", "h", "h/top", "g", "b", "g/a", "-",
            ])
    }

    @Test("quotes and letters beyond ASCII in ids come out as JSON")
    func quotes() throws {
        let json = #"{"supervisor":{"id":"t","children":[{"id":"\"\\é\u00df"}]}}"#
        #expect(try simulate(json) == [#"{"at_ms":0,"action":"start","child":"\"\\éß","ok":true}"#])
    }

    @Test("what is due at the time of an entry comes before it")
    func dueFirst() throws {
        let scenario = PolicyScenario(
            title: "", supervisor: #""children":[{"id":"a","start_ms":100},{"id":"b"}]"#,
            script: #"{"at_ms":100,"exit":"a"}"#, expected: "@100, start a, start b, @200, start a")
        #expect(try scenario.run() == scenario.expected)
    }

    @Test("simultaneous exits reach each supervisor together, supervisors in the order of the file")
    func simultaneous() throws {
        // a's failed start is tried again only after b's exit, which lies in the same mailbox before it.
        let scenario = PolicyScenario(
            title: "",
            supervisor: #"""
                "max_restarts":9,"children":[{"id":"a"},{"id":"b"},
                {"supervisor":{"id":"g","children":[{"id":"x"}]}}]
                """#,
            script: #"""
                {"at_ms":0,"fail_starts":"a"},{"at_ms":0,"exit":"a"},{"at_ms":0,"exit":"x"},{"at_ms":0,"exit":"b"}
                """#,
            expected: "start a, start b, start x, start g, start a failed, start b, start a, start x")
        #expect(try scenario.run() == scenario.expected)
    }

    @Test("an entry about starts replaces the one before it")
    func replacedStarts() throws {
        let scenario = PolicyScenario(
            title: "", supervisor: #""max_restarts":9,"children":[{"id":"a"}]"#,
            script: #"""
                {"at_ms":0,"fail_starts":"a","times":5},{"at_ms":0,"fail_starts":"a","times":1},{"at_ms":0,"exit":"a"},
                {"at_ms":1,"ignore_starts":"a"},{"at_ms":1,"fail_starts":"a","times":0},{"at_ms":1,"exit":"a"}
                """#,
            expected: "start a, start a failed, start a, @1, start a")
        #expect(try scenario.run() == scenario.expected)
    }

    @Test("a child that is added again has its new times")
    func newTimes() throws {
        let scenario = PolicyScenario(
            title: "", supervisor: #""children":[{"id":"a","stop_ms":10}]"#,
            script: #"""
                {"at_ms":0,"call":"terminate_child","child":"a"},{"at_ms":10,"call":"delete_child","child":"a"},
                {"at_ms":10,"call":"start_child","supervisor":"top","child":{"id":"a","stop_ms":20}},
                {"at_ms":10,"call":"start_child","supervisor":"top","child":{"id":"a","stop_ms":30}},{"at_ms":100,"stop":"top"}
                """#,
            expected: "start a, stop a, @10, start a, @100, stop a, @120, exit top shutdown")
        #expect(try scenario.run() == scenario.expected)
    }

    @Test("the same file, options and seed give the same bytes; another seed other delays")
    func deterministic() throws {
        let json = #"""
            {"supervisor":{"id":"top","max_restarts":20,"children":[{"id":"a"}]},
            "script":[{"at_ms":0,"fail_starts":"a","times":12},{"at_ms":0,"exit":"a"}]}
            """#
        var options = backedOff(100, 30_000)
        let first = try simulate(json, options)
        #expect(try simulate(json, options) == first)
        options.seed = 2
        #expect(try simulate(json, options) != first)
    }

    @Test("the clock of the options wins over the file's")
    func clock() throws {
        let json = #"""
            {"clock":"exact","supervisor":{"id":"top","max_seconds":1,"children":[{"id":"a"}]},
            "script":[{"at_ms":50,"exit":"a"},{"at_ms":1150,"exit":"a"}]}
            """#
        var options = PolicyOptions()
        #expect(try simulate(json, options).count == 3)
        options.clock = .wholeSeconds
        #expect(
            try simulate(json, options).last
                == #"{"at_ms":1150,"action":"exit","supervisor":"top","reason":"shutdown"}"#)
    }

    @Test("a simulation of too many steps ends with an error; the steps are actions, and states that are listed")
    func endless() throws {
        let json = #"""
            {"supervisor":{"id":"top","strategy":"one_for_all","max_restarts":9,"children":[{"id":"a"},{"id":"b"}]},
            "script":[{"at_ms":0,"exit":"a"},{"at_ms":1,"exit":"a"},{"at_ms":2,"stop":"top"}]}
            """#
        var simulator = try PolicySimulator(PolicyFile(json: Array(json.utf8)), options: verbose)
        let whole = try #require(try simulator.next())
        let (steps, isOver) = (simulator.steps, try simulator.next() == nil)
        #expect(isOver)
        for (limit, isEnough) in [(steps, true), (steps - 1, false)] {
            simulator = try PolicySimulator(PolicyFile(json: Array(json.utf8)), options: verbose)
            simulator.stepLimit = limit
            if isEnough {
                #expect(try simulator.next() == whole)
            } else {
                #expect(throws: PolicyFileError(place: "", problem: .endless)) { try simulator.next() }
            }
        }
    }
}
