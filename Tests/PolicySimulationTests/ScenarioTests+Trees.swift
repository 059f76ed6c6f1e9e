// Rows 42 to 54: supervisors below supervisors, and significant children.

import Testing

extension ScenarioTests {
    static let escalations = [
        PolicyScenario(
            title: "42 a transient inner supervisor that gave up stays down", supervisor: below("transient", 1),
            script: #"{"at_ms":0,"exit":"x"}"#, options: verbose,
            expected: belowStarts + allRun + ", give_up g, stop y, exit g shutdown, [a=running g=down z=running]"),
        PolicyScenario(
            title: "43 a permanent one is restarted, at one count of its parent's", supervisor: below("permanent", 1),
            script: #"{"at_ms":0,"exit":"x"},{"at_ms":1,"exit":"y"}"#,
            expected: belowStarts + "give_up g, stop y, exit g shutdown, start x, start y, start g, "
                + "@1, give_up g, stop x, exit g shutdown, give_up top, stop z, stop a, exit top shutdown"),
        PolicyScenario(
            title: "44 two in two: the ninth crash ends the top",
            supervisor:
                #""max_restarts":2,"children":[{"supervisor":{"id":"g","max_restarts":2,"children":[{"id":"x"}]}}]"#,
            script: (0..<9).map { #"{"at_ms":\#($0),"exit":"x"}"# }.joined(separator: ","),
            expected: "start x, start g, start x, @1, start x, @2, give_up g, exit g shutdown, start x, start g, "
                + "@3, start x, @4, start x, @5, give_up g, exit g shutdown, start x, start g, "
                + "@6, start x, @7, start x, @8, give_up g, exit g shutdown, give_up top, exit top shutdown"),
        PolicyScenario(
            title: "45 one_for_all at the top restarts every branch; children added to a dynamic one are gone",
            supervisor: #"""
                "strategy":"one_for_all","children":[{"id":"a"},
                {"supervisor":{"id":"d","dynamic":true,"max_restarts":0,"children":[{"id":"k"}]}},
                {"supervisor":{"id":"g","children":[{"id":"x"}]}}]
                """#,
            script: #"""
                {"at_ms":0,"call":"start_child","supervisor":"d","child":{"id":"j"}},{"at_ms":1,"exit":"k"}
                """#,
            expected: "start a, start d, start k, start x, start g, start j, @1, give_up d, stop j, exit d shutdown, "
                + "stop g, stop x, stop a, start a, start d, start k, start x, start g"),
        PolicyScenario(
            title: "R6 an inner supervisor whose child does not start fails the tree's start",
            supervisor: below("permanent", 5), beforeStart: #"{"fail_starts":"y"}"#, script: "",
            expected: "start a, start x, start y failed, stop x, exit g failed_to_start_child y, start g failed, "
                + "stop a, exit top failed_to_start_child g"),
        PolicyScenario(
            title: "R24 in a restart it is a failed start there, counted and tried again",
            supervisor: below("permanent", 2),
            script: #"{"at_ms":0,"fail_starts":"y"},{"at_ms":0,"exit":"x"}"#,
            expected: belowStarts + "give_up g, stop y, exit g shutdown, "
                + "start x, start y failed, stop x, exit g failed_to_start_child y, start g failed, "
                + "start x, start y, start g"),
        PolicyScenario(
            title: "R37 a restarted inner supervisor has an empty window and its own children only",
            supervisor: #"""
                "children":[{"supervisor":{"id":"g","max_restarts":1,"children":[{"id":"x"},{"id":"y"}]}}]
                """#,
            script: #"""
                {"at_ms":0,"exit":"x"},{"at_ms":0,"call":"terminate_child","child":"y"},
                {"at_ms":0,"call":"delete_child","child":"y"},
                {"at_ms":0,"call":"start_child","supervisor":"g","child":{"id":"w"}},{"at_ms":1,"exit":"x"},
                {"at_ms":2,"exit":"x"}
                """#,
            expected: "start x, start y, start g, start x, stop y, start w, "
                + "@1, give_up g, stop w, exit g shutdown, start x, start y, start g, @2, start x"),
        PolicyScenario(
            title: "an inner supervisor is stopped before its children and appears after them",
            supervisor: below("permanent", 1), script: #"{"at_ms":0,"stop":"top"}"#,
            expected: belowStarts + "stop z, stop g, stop y, stop x, stop a, exit top shutdown"),
        PolicyScenario(
            title: "an inner supervisor that gives up is asked to end before it has",
            supervisor: #"""
                "children":[{"supervisor":{"id":"g","max_restarts":0,"children":[{"id":"x"},{"id":"y","stop_ms":100}]}}]
                """#,
            script: #"{"at_ms":0,"exit":"x"},{"at_ms":50,"stop":"top"}"#,
            expected: "start x, start y, start g, give_up g, stop y, @50, stop g, @100, exit top shutdown"),
    ]

    static let automatic = [
        PolicyScenario(
            title: "46 any_significant: a significant child's normal end stops the rest in reverse",
            supervisor: any, script: #"{"at_ms":0,"exit":"a","reason":"normal"}"#,
            expected: "start a, start b, start c, stop c, stop b, exit top shutdown"),
        PolicyScenario(
            title: "47 its crash restarts it", supervisor: any, script: #"{"at_ms":0,"exit":"a"}"#,
            expected: "start a, start b, start c, start a"),
        PolicyScenario(
            title: "48 terminate_child does not end the supervisor", supervisor: any,
            script: #"{"at_ms":0,"call":"terminate_child","child":"a"}"#,
            expected: "start a, start b, start c, stop a"),
        PolicyScenario(
            title: "49 any_significant: a temporary child's crash ends it",
            supervisor: #"""
                "auto_shutdown":"any_significant","children":[{"id":"a","restart":"temporary","significant":true},
                {"id":"b"}]
                """#, script: #"{"at_ms":0,"exit":"a","reason":"killed"}"#,
            expected: "start a, start b, stop b, exit top shutdown"),
        PolicyScenario(
            title: "50 all_significant: only after the last", supervisor: allSignificant,
            script: #"{"at_ms":0,"exit":"a","reason":"normal"},{"at_ms":1,"exit":"b","reason":"normal"}"#,
            expected: "start a, start b, start c, @1, stop c, exit top shutdown"),
        PolicyScenario(
            title: "51 all_significant: one stopped by hand counts as gone", supervisor: allSignificant,
            script: #"{"at_ms":0,"call":"terminate_child","child":"a"},{"at_ms":1,"exit":"b","reason":"normal"}"#,
            expected: "start a, start b, start c, stop a, @1, stop c, exit top shutdown"),
        PolicyScenario(
            title: "52 one_for_all: a group restart stops significant siblings and does not end it",
            supervisor: #""strategy":"one_for_all",\#(any)"#, script: #"{"at_ms":0,"exit":"b","reason":"killed"}"#,
            expected: "start a, start b, start c, stop c, stop a, start a, start b, start c"),
        PolicyScenario(
            title: "52 rest_for_one: the same",
            supervisor: #"""
                "strategy":"rest_for_one","auto_shutdown":"any_significant",
                "children":[{"id":"b"},{"id":"a","restart":"transient","significant":true}]
                """#, script: #"{"at_ms":0,"exit":"b","reason":"killed"}"#,
            expected: "start b, start a, stop a, start b, start a"),
        PolicyScenario(
            title: "53 significance climbs from level to level", supervisor: significant(b: true),
            script: #"{"at_ms":0,"exit":"w","reason":"normal"}"#,
            expected:
                "start a, start w, start c, start b, exit c shutdown, exit b shutdown, stop a, exit top shutdown"),
        PolicyScenario(
            title: "53 and stops where a level is not significant", supervisor: significant(b: false),
            script: #"{"at_ms":0,"exit":"w","reason":"normal"}"#, options: verbose,
            expected: "start a, start w, start c, start b, [a=running b=running c=running w=running], "
                + "exit c shutdown, exit b shutdown, [a=running b=down]"),
    ]

    /// `g` with `x` and `y` between `a` and `z`.
    static func below(_ restart: String, _ restarts: Int) -> String {
        #"""
        "max_restarts":\#(restarts),"children":[{"id":"a"},
        {"supervisor":{"id":"g","restart":"\#(restart)","max_restarts":0,"children":[{"id":"x"},{"id":"y"}]}},{"id":"z"}]
        """#
    }

    static let belowStarts = "start a, start x, start y, start g, start z, "
    static let allRun = "[a=running g=running x=running y=running z=running]"

    static let any = #"""
        "auto_shutdown":"any_significant","children":[{"id":"a","restart":"transient","significant":true},
        {"id":"b"},{"id":"c"}]
        """#

    static let allSignificant = #"""
        "auto_shutdown":"all_significant","children":[{"id":"a","restart":"transient","significant":true},
        {"id":"b","restart":"transient","significant":true},{"id":"c"}]
        """#

    /// `b` below the root, and `c` below `b`, end with `w`.
    static func significant(b: Bool) -> String {
        #"""
        "auto_shutdown":"any_significant","children":[{"id":"a"},
        {"supervisor":{"id":"b","restart":"transient","significant":\#(b),"auto_shutdown":"any_significant","children":[
        {"supervisor":{"id":"c","restart":"transient","significant":true,"auto_shutdown":"any_significant","children":[
        {"id":"w","restart":"transient","significant":true}]}}]}}]
        """#
    }
}
