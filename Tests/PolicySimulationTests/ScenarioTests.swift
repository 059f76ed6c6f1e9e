// The scenario table of OTP's supervisor as policy files: rows 1 to 29. The numbers are the table's. Row 40 (a child that
// unlinks itself) and row 64 (an unknown pid) cannot be said in a file.

import Testing

@Suite("The scenario table") struct ScenarioTests {
    @Test(
        "every row gives the table's lines, all of them, in order",
        arguments: restarts + groups + retries + stops + escalations + automatic + calls + dynamics)
    func row(_ scenario: PolicyScenario) throws {
        #expect(try scenario.run() == scenario.expected)
    }

    static let restarts = [
        PolicyScenario(
            title: "1 one_for_one restarts the crashed child alone",
            supervisor: #""max_restarts":2,"max_seconds":3600,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"exit":"a"}"#, expected: "start a, start b, start a"),
        PolicyScenario(
            title: "2 the third crash of any children ends it",
            supervisor: #""max_restarts":2,"max_seconds":3600,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]"#,
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":1,"exit":"b"},{"at_ms":2,"exit":"a"}"#,
            expected:
                "start a, start b, start c, start a, @1, start b, @2, give_up top, stop c, stop b, exit top shutdown"),
        PolicyScenario(
            title: "3 crashes further apart than the window", clock: "otp",
            supervisor: #""max_restarts":1,"max_seconds":1,"children":[{"id":"a"}]"#,
            script:
                #"{"at_ms":0,"exit":"a"},{"at_ms":2100,"exit":"a"},{"at_ms":4200,"exit":"a"},{"at_ms":6300,"exit":"a"}"#,
            expected: "start a, start a, @2100, start a, @4200, start a, @6300, start a"),
        PolicyScenario(
            title: "4 exact clock: a stamp as old as the window counts",
            supervisor: #""children":[{"id":"a"}]"#, script: #"{"at_ms":0,"exit":"a"},{"at_ms":5000,"exit":"a"}"#,
            expected: "start a, start a, @5000, give_up top, exit top shutdown"),
        PolicyScenario(
            title: "4 exact clock: one millisecond older does not",
            supervisor: #""children":[{"id":"a"}]"#, script: #"{"at_ms":0,"exit":"a"},{"at_ms":5001,"exit":"a"}"#,
            expected: "start a, start a, @5001, start a"),
        PolicyScenario(
            title: "4 OTP's clock at the same times: it is within the same second, and counts", clock: "otp",
            supervisor: #""children":[{"id":"a"}]"#, script: #"{"at_ms":0,"exit":"a"},{"at_ms":5001,"exit":"a"}"#,
            expected: "start a, start a, @5001, give_up top, exit top shutdown"),
        PolicyScenario(
            title: "5 OTP's clock at phase .05: 1.1 s apart gives up", clock: "otp",
            supervisor: #""max_seconds":1,"children":[{"id":"a"}]"#,
            script: #"{"at_ms":50,"exit":"a"},{"at_ms":1150,"exit":"a"}"#,
            expected: "start a, @50, start a, @1150, give_up top, exit top shutdown"),
        PolicyScenario(
            title: "5 OTP's clock at phase .95: 1.1 s apart survives", clock: "otp",
            supervisor: #""max_seconds":1,"children":[{"id":"a"}]"#,
            script: #"{"at_ms":950,"exit":"a"},{"at_ms":2050,"exit":"a"}"#,
            expected: "start a, @950, start a, @2050, start a"),
        PolicyScenario(
            title: "5 exact clock at phase .05: 1.1 s apart survives",
            supervisor: #""max_seconds":1,"children":[{"id":"a"}]"#,
            script: #"{"at_ms":50,"exit":"a"},{"at_ms":1150,"exit":"a"}"#,
            expected: "start a, @50, start a, @1150, start a"),
        PolicyScenario(
            title: "6 intensity 0: a permanent crash ends it",
            supervisor: #""max_restarts":0,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]"#,
            script: #"{"at_ms":0,"exit":"b"}"#,
            expected: "start a, start b, start c, give_up top, stop c, stop a, exit top shutdown"),
        PolicyScenario(
            title: "7 intensity 0: a transient child's normal end does not",
            supervisor: #""max_restarts":0,"children":[{"id":"a","restart":"transient"}]"#,
            script: #"{"at_ms":0,"exit":"a","reason":"normal"}"#, options: verbose,
            expected: "start a, [a=running], [a=down]"),
        PolicyScenario(
            title: "8 a permanent child is restarted after any end, and each counts",
            supervisor: #""max_restarts":2,"children":[{"id":"a"}]"#,
            script: #"""
                {"at_ms":0,"exit":"a","reason":"normal"},{"at_ms":1,"exit":"a","reason":"shutdown"},
                {"at_ms":2,"exit":"a","reason":"normal"}
                """#,
            expected: "start a, start a, @1, start a, @2, give_up top, exit top shutdown"),
        PolicyScenario(
            title: "9 a transient child that ends orderly stays down",
            supervisor: #""children":[{"id":"a","restart":"transient"},{"id":"b","restart":"transient"}]"#,
            script: #"{"at_ms":0,"exit":"a","reason":"normal"},{"at_ms":1,"exit":"b","reason":"shutdown"}"#,
            options: verbose,
            expected: "start a, start b, [a=running b=running], [a=down b=running], @1, [a=down b=down]"),
        PolicyScenario(
            title: "10 a transient child that crashes or is killed is restarted",
            supervisor: #""max_restarts":2,"children":[{"id":"a","restart":"transient"}]"#,
            script: #"{"at_ms":0,"exit":"a","reason":"crash"},{"at_ms":1,"exit":"a","reason":"killed"}"#,
            expected: "start a, start a, @1, start a"),
        PolicyScenario(
            title: "11 a temporary child is forgotten, whatever its end",
            supervisor: #"""
                "max_restarts":0,"children":[{"id":"a","restart":"temporary"},{"id":"b","restart":"temporary"},
                {"id":"c","restart":"temporary"},{"id":"d"}]
                """#,
            script: #"""
                {"at_ms":0,"exit":"a","reason":"normal"},{"at_ms":1,"exit":"b","reason":"killed"},{"at_ms":2,"exit":"c"}
                """#, options: verbose,
            expected: "start a, start b, start c, start d, [a=running b=running c=running d=running], "
                + "[b=running c=running d=running], @1, [c=running d=running], @2, [d=running]"),
        PolicyScenario(
            title: "12 a temporary child's crash touches no sibling and does not count",
            supervisor: #"""
                "strategy":"one_for_all","max_restarts":0,"children":[{"id":"a"},{"id":"b","restart":"temporary"}]
                """#, script: #"{"at_ms":0,"exit":"b"}"#, expected: "start a, start b"),
    ]

    static let groups = [
        PolicyScenario(
            title: "13 one_for_all stops the others in reverse and starts all", supervisor: all(3),
            script: #"{"at_ms":0,"exit":"b"}"#,
            expected: "start a, start b, start c, stop c, stop a, start a, start b, start c"),
        PolicyScenario(
            title: "14 one_for_all after a permanent child's normal end, counted", supervisor: all(3),
            script: #"{"at_ms":0,"exit":"b","reason":"normal"},{"at_ms":1,"exit":"b","reason":"normal"}"#,
            expected: "start a, start b, start c, stop c, stop a, start a, start b, start c, "
                + "@1, give_up top, stop c, stop a, exit top shutdown"),
        PolicyScenario(
            title: "15 a group restart brings back what had ended and drops temporary siblings",
            supervisor: #"""
                "strategy":"one_for_all","children":[{"id":"a"},{"id":"b","restart":"transient"},
                {"id":"c","restart":"temporary"}]
                """#,
            script: #"{"at_ms":0,"exit":"b","reason":"normal"},{"at_ms":1,"exit":"a"}"#, options: verbose,
            expected: "start a, start b, start c, [a=running b=running c=running], [a=running b=down c=running], "
                + "@1, stop c, start a, start b, [a=running b=running]"),
        PolicyScenario(
            title: "16 rest_for_one restarts the crashed child and those after it", supervisor: rest(3),
            script: #"{"at_ms":0,"exit":"b"}"#, expected: "start a, start b, start c, stop c, start b, start c"),
        PolicyScenario(
            title: "17 rest_for_one brings back a child that was stopped by hand", supervisor: rest(3),
            script: #"{"at_ms":0,"call":"terminate_child","child":"c"},{"at_ms":1,"exit":"b"}"#,
            expected: "start a, start b, start c, stop c, @1, start b, start c"),
        PolicyScenario(
            title: "18 order is the list's, not the names'",
            supervisor:
                #""strategy":"rest_for_one","children":[{"id":"m"},{"id":"z"},{"id":"k"},{"id":"b"},{"id":"q"}]"#,
            script: #"{"at_ms":0,"exit":"k"},{"at_ms":1,"stop":"top"}"#,
            expected: "start m, start z, start k, start b, start q, stop q, stop b, start k, start b, start q, "
                + "@1, stop q, stop b, stop k, stop z, stop m, exit top shutdown"),
        PolicyScenario(
            title: "19 a child added later belongs to the rest", supervisor: rest(2),
            script: #"{"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"z"}},{"at_ms":1,"exit":"b"}"#,
            expected: "start a, start b, start z, @1, stop z, start b, start z"),
        PolicyScenario(
            title: "20 one_for_all: two die at one moment: one cycle, one count", supervisor: all(2),
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":0,"exit":"b"},{"at_ms":1,"exit":"a"}"#,
            expected: "start a, start b, start a, start b, @1, give_up top, stop b, exit top shutdown"),
        PolicyScenario(
            title: "21 one_for_one: the same costs two",
            supervisor: #""children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":0,"exit":"b"}"#,
            expected: "start a, start b, start a, give_up top, stop a, exit top shutdown"),
        PolicyScenario(
            title: "22 rest_for_one: one of the set dies while another is stopping", supervisor: slowRest(1),
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":100,"exit":"b"}"#, options: verbose,
            expected: "start a, start b, start c, [a=running b=running c=running], "
                + "stop c, [a=down b=running c=stopping], @100, [a=down b=down c=stopping], "
                + "@200, start a, start b, start c"),
        PolicyScenario(
            title: "23 rest_for_one: one outside the set dies meanwhile: a second cycle", supervisor: slowRest(2),
            script: #"{"at_ms":0,"exit":"b"},{"at_ms":100,"exit":"a"}"#,
            expected: "start a, start b, start c, stop c, "
                + "@200, start b, start c, stop c, @400, stop b, start a, start b, start c"),
        PolicyScenario(
            title: "41 rest_for_one, intensity 0: the crashed child is not touched",
            supervisor: #""strategy":"rest_for_one","max_restarts":0,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]"#,
            script: #"{"at_ms":0,"exit":"b"}"#,
            expected: "start a, start b, start c, give_up top, stop c, stop a, exit top shutdown"),
        PolicyScenario(
            title: "59 OTP's clock: a stop that takes longer than the window: it never gives up", clock: "otp",
            supervisor: slowAll,
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":2300,"exit":"a"},{"at_ms":4600,"exit":"a"}"#,
            expected: "start a, start b, stop b, @2300, start a, start b, stop b, @4600, start a, start b, stop b, "
                + "@6900, start a, start b"),
        PolicyScenario(
            title: "59 exact clock: the window stands still during the restart, and it gives up",
            supervisor: slowAll, script: #"{"at_ms":0,"exit":"a"},{"at_ms":2300,"exit":"a"}"#,
            expected: "start a, start b, stop b, @2300, start a, start b, give_up top, stop b, "
                + "@4600, exit top shutdown"),
    ]

    static let retries = [
        PolicyScenario(
            title: "24 each failed start counts, then it gives up",
            supervisor: #""max_restarts":4,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"fail_starts":"a","times":9},{"at_ms":0,"exit":"a"}"#,
            expected: "start a, start b, start a failed, start a failed, start a failed, start a failed, "
                + "give_up top, stop b, exit top shutdown"),
        PolicyScenario(
            title: "25 a start that works at the fourth attempt has used four",
            supervisor: #""max_restarts":4,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"fail_starts":"a","times":3},{"at_ms":0,"exit":"a"},{"at_ms":1,"exit":"a"}"#,
            expected: "start a, start b, start a failed, start a failed, start a failed, start a, "
                + "@1, give_up top, stop b, exit top shutdown"),
        PolicyScenario(
            title: "26 one_for_all: another child fails: all are stopped and started again",
            supervisor:
                #""strategy":"one_for_all","max_restarts":2,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]"#,
            script: #"{"at_ms":0,"fail_starts":"b","times":1},{"at_ms":0,"exit":"c"},{"at_ms":1,"exit":"c"}"#,
            expected: "start a, start b, start c, stop b, stop a, start a, start b failed, stop a, "
                + "start a, start b, start c, @1, give_up top, stop b, stop a, exit top shutdown"),
        PolicyScenario(
            title: "27 rest_for_one: another child fails: it and later ones are tried again",
            supervisor: #"""
                "strategy":"rest_for_one","max_restarts":2,"children":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]
                """#,
            script: #"{"at_ms":0,"fail_starts":"c","times":1},{"at_ms":0,"exit":"b"},{"at_ms":1,"exit":"b"}"#,
            expected: "start a, start b, start c, start d, stop d, stop c, start b, start c failed, start c, start d, "
                + "@1, give_up top, stop d, stop c, stop a, exit top shutdown"),
        PolicyScenario(
            title: "28 one_for_all: a sibling that never starts again",
            supervisor: #""strategy":"one_for_all","max_restarts":2,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"fail_starts":"b","times":9},{"at_ms":0,"exit":"a"}"#,
            expected: "start a, start b, stop b, start a, start b failed, stop a, start a, start b failed, "
                + "give_up top, stop a, exit top shutdown"),
        PolicyScenario(
            title: "28 rest_for_one: a sibling that never starts again",
            supervisor: #""strategy":"rest_for_one","max_restarts":2,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"fail_starts":"b","times":9},{"at_ms":0,"exit":"a"}"#,
            expected: "start a, start b, stop b, start a, start b failed, start b failed, "
                + "give_up top, stop a, exit top shutdown"),
        PolicyScenario(
            title: "29 a first start that fails is not tried again",
            supervisor: #""max_restarts":9,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]"#,
            beforeStart: #"{"fail_starts":"b"}"#, script: #"{"at_ms":1,"exit":"a"}"#,
            expected: "start a, start b failed, stop a, exit top failed_to_start_child b"),
    ]

    static func all(_ count: Int) -> String {
        #""strategy":"one_for_all","children":[\#(workers(count))]"#
    }

    static func rest(_ count: Int) -> String {
        #""strategy":"rest_for_one","children":[\#(workers(count))]"#
    }

    static func workers(_ count: Int) -> String {
        ["a", "b", "c", "d"].prefix(count).map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
    }

    /// Of three children the last takes 200 ms to stop.
    static func slowRest(_ restarts: Int) -> String {
        #""strategy":"rest_for_one","max_restarts":\#(restarts),"children":[\#(workers(2)),{"id":"c","stop_ms":200}]"#
    }

    static let slowAll = #"""
        "strategy":"one_for_all","max_seconds":1,"children":[{"id":"a"},{"id":"b","stop_ms":2300}]
        """#
}
