// What children must not get and must not leave: descriptors, zombies, grandchildren.
//
// Descriptors and children are counted in a process of the test's own, where no other test opens any.

import CLinux
import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("ChildProcess and what is left of it") struct ChildIsolationTests {
    @Test("F8: children and failed starts leave no descriptor and no zombie")
    func nothingLeft() async {
        await #expect(processExitsWith: .success) {
            try await expectNoDescriptorLeft { loop in
                for _ in 0..<10 {
                    _ = try ChildRun(loop, "echo out; echo err >&2; exit 3")
                    let missing = SpawnRequest(executable: "/no/such/program", arguments: [], environment: [])
                    let error = uvError { _ = try ChildProcess(loop, missing) { _ in } }
                    #expect(error?.code == UVError.noSuchFile)
                }
                return {}
            }
            #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD, "a child was not reaped")
        }
    }

    @Test("without descriptors to spare a start is an error, and works again afterwards")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            try await expectNoDescriptorLeft { loop in
                var before = rlimit()
                getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
                let lowest = dup(0)
                close(lowest)
                for spare in 0..<8 {
                    var tight = before
                    tight.rlim_cur = rlim_t(Int(lowest) + spare)
                    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &tight)
                    let error = uvError { _ = try ChildProcess(loop, .shell("exit 0")) { _ in } }
                    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
                    #expect(error?.name == "EMFILE", "with \(spare) descriptors to spare")
                }
                _ = try ChildRun(loop, "exit 0")
                return {}
            }
            #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD, "a child was not reaped")
        }
    }

    @Test("F9: a child has exactly stdin, stdout, stderr and what it was given, and none of them non-blocking")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            // Inherited from whoever started us, one of them behind a gap.
            let stray = open("/dev/zero", O_RDONLY)
            _ = dup2(stray, 77)
            disableDescriptorInheritance()
            let given = namelessFile()
            let stories = try await onLoopThread { loop in
                // Other children's pipes are open meanwhile.
                let other = try ChildRun(loop, "sleep 0.2")
                let list = "ls -l /proc/self/fd; cat /proc/self/fdinfo/[012]"
                var withExtra = SpawnRequest.shell(list)
                withExtra.extraDescriptors = [given]
                let runs = [try ChildRun(loop, list), try ChildRun(loop, withExtra), other]
                return { runs.map(\.story) }
            }
            #expect(descriptorNumbers(stories[0].lines) == ["0", "1", "2"])
            #expect(descriptorNumbers(stories[1].lines) == ["0", "1", "2", "3"])
            #expect(stories[1].outputText.contains("3 -> \(FileManager.default.temporaryDirectory.path)"))
            let flags = stories[0].lines.filter { $0.hasPrefix("flags:") }
            #expect(flags.count == 3)
            for line in flags {
                let octal = line.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0, radix: 8) }
                #expect(octal.map { $0 & O_NONBLOCK } == 0, "\(line)")
            }
        }
    }

    @Test("F9: beside 20 siblings a child has its three pipes alone, and its end of file comes with its end")
    func siblings() async {
        await #expect(processExitsWith: .success) {
            disableDescriptorInheritance()
            let turner = try AdoptingLoop(adopting: false)
            let siblings = try (0..<20).map { _ in
                try WatchedChild(turner.loop, .shell("echo ready; read -r line"), holdInput: true)
            }
            let child = try WatchedChild(turner.loop, .shell("echo ready; read -r line; kill -9 $$"), holdInput: true)
            turner.turn("21 children") { (siblings + [child]).allSatisfy { $0.output == "ready\n" } }
            for one in siblings + [child] {
                let folder = "/proc/\(one.pid)/fd"
                let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                #expect(names == ["0", "1", "2"])
                let targets = try Set(
                    names.map { try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0) })
                #expect(targets.count == 3 && targets.allSatisfy { $0.hasPrefix("pipe:") })
            }
            child.child?.input.close()
            turner.turn("the exit") { child.exit != nil }
            turner.turn("both ends of file") { child.isQuiet }
            #expect(siblings.allSatisfy { $0.exit == nil && !$0.isQuiet }, "a sibling ended")
            child.closePipes()
            for sibling in siblings { sibling.child?.input.close() }
            turner.turn("all exits") { siblings.allSatisfy { $0.exit != nil && $0.isQuiet } }
            siblings.forEach { $0.closePipes() }
            turner.close()
        }
    }

    @Test("F10: a child that is dead before the loop turns is told of, with its last words", arguments: [false, true])
    func deadBeforeTheTurn(adopting: Bool) async {
        await #expect(processExitsWith: .success) { [adopting] in
            let turner = try AdoptingLoop(adopting: adopting)
            let child = try WatchedChild(turner.loop, .shell("echo out; echo err >&2; exit 17"))
            var status: Int32 = 0
            while linux_peek_exit(child.pid, &status) == 0 { sched_yield() }
            #expect(child.exits == 0, child.account)
            turner.turn("the exit") { child.exit != nil && child.isQuiet }
            #expect(child.exit == .exited(code: 17) && child.exits == 1, child.account)
            #expect(child.output == "out\n" && child.errors == "err\n")
            child.closePipes()
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("our stdout can be handed down as descriptor 3 while the child's own stdout is its pipe")
    func lowDescriptor() async {
        await #expect(processExitsWith: .success) {
            let file = namelessFile()
            dup2(file, STDOUT_FILENO)
            disableDescriptorInheritance()
            let story = try await onLoopThread { loop in
                var request = SpawnRequest.shell("echo lines >&3; ls -l /proc/self/fd")
                request.extraDescriptors = [STDOUT_FILENO]
                let run = try ChildRun(loop, request)
                return { run.story }
            }
            #expect(descriptorNumbers(story.lines) == ["0", "1", "2", "3"])
            var bytes = [UInt8](repeating: 0, count: 16)
            #expect(pread(file, &bytes, bytes.count, 0) == 6)
            #expect(bytes.starts(with: Array("lines\n".utf8)))
        }
    }

    @Test("F9: an exit is told of although a daemon holds the pipes open; their end comes later")
    func daemonHoldsPipes() async throws {
        let story = try await onLoopThread { loop in
            // Exit and output come in either order; the daemon is killed when both have.
            let holder = Box<ChildRun?>(nil)
            let killWhenBothAreThere = {
                guard let run = holder.value, run.story.exit != nil,
                    let daemon = Int32(run.outputText.trimmingCharacters(in: .whitespacesAndNewlines))
                else { return }
                kill(daemon, SIGKILL)
                holder.value = nil
            }
            // What stays in the child's group ends with it: this one has left.
            let script = """
                setsid sleep 1000 & until [ "$(cut -d ' ' -f 6 /proc/$!/stat)" = $! ]; do kill -0 $! || exit 9; done
                echo $!; exit 3
                """
            let run = try ChildRun(loop, script) { _ in killWhenBothAreThere() }
            run.onExit = killWhenBothAreThere
            holder.value = run
            return { run.story }
        }
        #expect(story.exit == .exited(code: 3))
        #expect(story.outputEnded)
        #expect(story.errorsEnded)
    }

    @Test("a signal to the group reaches a grandchild that ignores politeness")
    func groupSignal() async throws {
        let script = "(trap '' TERM; echo ready; sleep 1000) & wait"
        let story = try await onLoopThread { loop in
            let run = try ChildRun(loop, script) { $0.signalGroup(SIGKILL) }
            return { run.story }
        }
        // The ends of file prove that the grandchild is gone too: it held both pipes.
        #expect(story.exit == .signaled(signal: SIGKILL, coreDumped: false))
        #expect(story.outputEnded)
        #expect(story.errorsEnded)
    }

    @Test("F13: signals after the end go nowhere")
    func signalAfterEnd() async throws {
        let story = try await onLoopThread { loop in
            let holder = Box<ChildProcess?>(nil)
            let run = try ChildRun(loop, .shell("echo x; exec true")) { holder.value = $0 }
            run.onExit = {
                holder.value?.signal(SIGKILL)
                holder.value?.signalGroup(SIGKILL)
                holder.value = nil
            }
            return { run.story }
        }
        #expect(story.exit == .exited(code: 0))
    }
}

/// The descriptor numbers in `ls -l /proc/self/fd`, without the one that `ls` lists them with.
func descriptorNumbers(_ lines: [String]) -> [String] {
    lines.filter { $0.contains(" -> ") && !$0.hasSuffix("/fd") }.compactMap { line in
        line.components(separatedBy: " -> ").first?.split(separator: " ").last.map(String.init)
    }.sorted()
}
