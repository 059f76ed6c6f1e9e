// The rows of the scenario table with supervisors below supervisors, and those with significant children.

@testable import Supervision

extension OTPScenarioTests {
    static let escalation: [Scenario] = nested + significant

    /// `x` below `g` below the root, with `a` and `z` around `g`.
    static func below(_ restart: String, _ restarts: Int, inner: Int = 0, _ strategy: Strategy = .oneForOne)
        -> SupervisorSpec
    {
        var spec = SupervisorSpec(strategy, restarts, "a")
        spec.children.append(.supervisor("g:\(restart)", SupervisorSpec(.oneForOne, inner, "x y")))
        spec.children.append(ChildSpec("z"))
        return spec
    }

    static let nested: [Scenario] = [
        Scenario(
            title: "children of an inner supervisor start in its place", spec: below("permanent", 1),
            script: "begin; stop",
            expected: "start a, begin g, start g/x, start g/y, start z, "
                + "stop z, stop g/y, stop g/x, gone g, stop a, finished asked"),
        Scenario(
            title: "42 a transient inner supervisor that gave up stays down", spec: below("transient", 1),
            script: "g/x crash", expected: "gave_up g, stop g/y, gone g",
            states: "a=running g=down g/x=down g/y=down z=running"),
        Scenario(
            title: "43 a permanent one is restarted, at one count of its parent's", spec: below("permanent", 1),
            script: "g/x crash; g/y crash",
            expected: "gave_up g, stop g/y, gone g, begin g, start g/x, start g/y, "
                + "gave_up g, stop g/x, gone g, gave_up top, stop z, stop a, finished gave_up g"),
        Scenario(
            title: "R37 a restarted inner supervisor has an empty window and its own children only",
            spec: below("permanent", 1, inner: 1),
            script: "g/x crash; terminate g/y; delete g/y; add w g; g/x crash; g/x crash",
            expected: "start g/x, stop g/y, ok, ok, start g/w, ok g/w, gave_up g, stop g/w, gone g, "
                + "begin g, start g/x, start g/y, start g/x"),
        Scenario(
            title: "44 two in two: the ninth crash ends the top",
            spec: SupervisorSpec(
                .oneForOne, 2, "", supervisors: [.supervisor("g", SupervisorSpec(.oneForOne, 2, "x"))]),
            script: Array(repeating: "g/x crash", count: 9).joined(separator: ";"),
            expected: "start g/x, start g/x, gave_up g, gone g, begin g, start g/x, "
                + "start g/x, start g/x, gave_up g, gone g, begin g, start g/x, "
                + "start g/x, start g/x, gave_up g, gone g, gave_up top, finished gave_up g"),
        Scenario(
            title:
                "45 one_for_all at the top restarts every branch; added dynamic children are gone, declared ones not",
            spec: SupervisorSpec(
                .oneForAll, 1, "a",
                supervisors: [
                    .supervisor("d", SupervisorSpec(.oneForOne, 0, "k", dynamic: true)),
                    .supervisor("g", SupervisorSpec(.oneForOne, 0, "x")),
                ]),
            script: "add j d; d/k crash",
            expected: "start d/j, ok d/j, gave_up d, stop d/j, gone d, stop g/x, gone g, stop a, "
                + "start a, begin d, start d/k, begin g, start g/x"),
        Scenario(
            title: "R6 an inner supervisor whose child does not start fails the tree's start",
            spec: below("permanent", 5), script: "fail g/y; begin",
            expected: "start a, begin g, start g/x, start g/y, stop g/x, gone g, stop a, finished start_failed g/y"),
        Scenario(
            title: "R24 in a restart it is a failed start there, counted and tried again", spec: below("permanent", 2),
            script: "fail g/y 1; g/x crash",
            expected: "gave_up g, stop g/y, gone g, begin g, start g/x, start g/y, stop g/x, gone g, "
                + "begin g, start g/x, start g/y"),
        Scenario(
            title: "a branch goes on while another is busy", spec: below("permanent", 2, inner: 2, .restForOne),
            script: "hold z; g/x crash; terminate z; g/y crash; a crash; release z",
            expected: "start g/x, stop z, start g/y, ok, stop g/y, stop g/x, gone g, "
                + "start a, begin g, start g/x, start g/y, start z"),
        Scenario(
            title: "an inner supervisor can be terminated, restarted and deleted like any child",
            spec: below("permanent", 2),
            script: "terminate g; add w g; restart g; restart g/x; terminate g; delete g; states; add w g",
            expected: "stop g/y, stop g/x, gone g, ok, error notRunning, begin g, start g/x, start g/y, ok g, "
                + "error running, stop g/y, stop g/x, gone g, ok, ok, [a=running z=running], error notFound"),
        Scenario(
            title: "a stop that arrives while an inner supervisor gives up", spec: below("permanent", 2),
            script: "hold g/y; g/x crash; stop; release g/y",
            expected: "gave_up g, stop g/y, stop z, gone g, stop a, finished asked"),
        Scenario(
            title: "brutal_kill of an inner supervisor kills its whole branch",
            spec: SupervisorSpec(
                .oneForOne, 0, "",
                supervisors: [
                    ChildSpec(id: "g", shutdown: .brutalKill, kind: .supervisor(SupervisorSpec(.oneForOne, 0, "x y")))
                ]),
            script: "stop", expected: "kill g/y brutal_kill, kill g/x brutal_kill, gone g, finished asked"),
        Scenario(
            title: "an inner supervisor with a grace is killed with its branch at the end of it",
            spec: SupervisorSpec(
                .oneForOne, 0, "",
                supervisors: [
                    ChildSpec(
                        id: "g", shutdown: .grace(milliseconds: 100),
                        kind: .supervisor(SupervisorSpec(.oneForOne, 0, "x y z", shutdown: .infinity)))
                ]),
            script: "hold g/y; stop; at 99; states; at 100",
            expected: "stop g/z, stop g/y, [g=stopping g/x=running g/y=stopping g/z=down], "
                + "kill g/y stop_timeout, kill g/x stop_timeout, gone g, finished asked"),
    ]

    /// A tree in which `b` below the root, and `c` below `b`, end with `w`.
    static func significantBranch(_ b: String) -> SupervisorSpec {
        let c = SupervisorSpec(.oneForOne, 0, "w:transient!", auto: .anySignificant)
        let bSpec = SupervisorSpec(
            .oneForOne, 0, "", auto: .anySignificant, supervisors: [.supervisor("c:transient!", c)])
        return SupervisorSpec(.oneForOne, 0, "a", auto: .anySignificant, supervisors: [.supervisor(b, bSpec)])
    }

    static let significant: [Scenario] = [
        Scenario(
            title: "46 any_significant: a significant child's normal end stops the rest in reverse",
            spec: SupervisorSpec(.oneForOne, 0, "a:transient! b c", auto: .anySignificant), script: "a normal",
            expected: "stop c, stop b, finished auto_shutdown"),
        Scenario(
            title: "47 its crash restarts it",
            spec: SupervisorSpec(.oneForOne, 1, "a:transient! b", auto: .anySignificant),
            script: "a crash", expected: "start a"),
        Scenario(
            title: "48 terminate_child does not shut down",
            spec: SupervisorSpec(.oneForOne, 1, "a:transient! b", auto: .anySignificant), script: "terminate a",
            expected: "stop a, ok"),
        Scenario(
            title: "49 any_significant: a temporary child's crash shuts down",
            spec: SupervisorSpec(.oneForOne, 1, "a:temporary! b", auto: .anySignificant), script: "a crash",
            expected: "stop b, finished auto_shutdown"),
        Scenario(
            title: "50 all_significant: only after the last",
            spec: SupervisorSpec(.oneForOne, 1, "a:transient! b:transient! c", auto: .allSignificant),
            script: "a normal; states; b normal",
            expected: "[a=down b=running c=running], stop c, finished auto_shutdown"),
        Scenario(
            title: "51 all_significant: one stopped by hand counts as gone",
            spec: SupervisorSpec(.oneForOne, 1, "a:transient! b:transient!", auto: .allSignificant),
            script: "terminate a; b normal", expected: "stop a, ok, finished auto_shutdown"),
        Scenario(
            title: "all_significant: a restarting one counts as left",
            spec: SupervisorSpec(.oneForOne, 9, "a:transient! b:transient!", auto: .allSignificant),
            settings: backedOff,
            script: "fail a; a crash; b normal; states",
            expected: "start a, backoff a 1, [a=restarting b=down]"),
        Scenario(
            title: "52 one_for_all: a group restart stops significant siblings without shutting down",
            spec: SupervisorSpec(.oneForAll, 1, "a:transient! b", auto: .anySignificant), script: "b crash",
            expected: "stop a, start a, start b"),
        Scenario(
            title: "52 rest_for_one: the same",
            spec: SupervisorSpec(.restForOne, 1, "b a:transient!", auto: .anySignificant),
            script: "b crash", expected: "stop a, start b, start a"),
        Scenario(
            title: "53 significance climbs from level to level", spec: significantBranch("b:transient!"),
            script: "b/c/w normal", expected: "gone b/c, gone b, stop a, finished auto_shutdown"),
        Scenario(
            title: "53 and stops where a level is not significant", spec: significantBranch("b:transient"),
            script: "b/c/w normal", expected: "gone b/c, gone b", states: "a=running b=down b/c=down b/c/w=down"),
    ]
}
