// The discovery endpoints' shapes and the rule for app names.

import FoundationEssentials
import Simulator
import Testing

@Suite struct OrganizationTests {
    private let organization = Organization(slug: "acme", appNames: ["web", "api", "web"], settings: traffic())

    private struct AppList: Decodable {
        struct App: Decodable {
            let id: String
            let name: String
            let machine_count: Int
            let volume_count: Int
            let network: String
        }
        let total_apps: Int
        let apps: [App]
    }

    private struct Machine: Decodable {
        struct Configuration: Decodable {
            struct Metadata: Decodable { let fly_process_group: String }
            let metadata: Metadata
        }
        struct Event: Decodable {
            struct Request: Decodable {
                struct Exit: Decodable {
                    let exit_code: Int
                    let oom_killed: Bool
                    let exited_at: String
                }
                let exit_event: Exit
                let restart_count: Int
            }
            let type: String
            let timestamp: Int64
            let request: Request?
        }
        let id: String
        let state: String
        let region: String
        let config: Configuration
        let events: [Event]
    }

    @Test("the list of apps keeps their order and counts a repeated name once")
    func listsApps() throws {
        let list = try JSONDecoder().decode(AppList.self, from: Data(organization.appList()))
        #expect(list.total_apps == 2)
        #expect(list.apps.map(\.name) == ["web", "api"])
        #expect(list.apps.map(\.machine_count) == organization.apps.map(\.machines.count))
        #expect(Set(list.apps.map(\.id)).count == 2)
    }

    @Test("machines are those of the lines, and one was killed for its memory")
    func listsMachines() throws {
        let app = try #require(organization.app(named: "web"))
        let bytes = organization.machineList(of: app, now: epoch + 60 * second)
        let machines = try JSONDecoder().decode([Machine].self, from: Data(bytes))
        #expect(machines.map(\.id) == app.machines.map(\.id))
        #expect(machines.map(\.region) == app.machines.map(\.region))
        let kill = try #require(machines[0].events.compactMap(\.request).first)
        #expect(kill.exit_event.oom_killed && kill.exit_event.exit_code == 137)
        #expect(WireTime.parse(kill.exit_event.exited_at) == epoch + 30 * second)
        #expect(machines[0].events.map(\.timestamp) == machines[0].events.map(\.timestamp).sorted(by: >))
    }

    @Test("no machine has an event from the future")
    func hidesTheFuture() throws {
        let app = try #require(organization.app(named: "web"))
        let bytes = organization.machineList(of: app, now: epoch + 10 * second)
        let machines = try JSONDecoder().decode([Machine].self, from: Data(bytes))
        #expect(machines.allSatisfy { $0.events.count == 1 })
    }

    @Test("app names keep Fly's rule", arguments: ["a", "web-2", String(repeating: "x", count: 63)])
    func acceptsNames(name: String) {
        #expect(Organization.isValidAppName(name))
    }

    @Test(
        "other names are refused",
        arguments: ["", "Web", "a_b", "a.b", "é", "a b", String(repeating: "x", count: 64)])
    func refusesNames(name: String) {
        #expect(!Organization.isValidAppName(name))
    }
}
