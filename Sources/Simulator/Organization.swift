// The simulated organization: its apps by name, and what the discovery endpoints say about them.
//
// The shapes are those of the Machines API. The invariant: apps keep the order in which they were named.

import FoundationEssentials

/// All apps of a simulator.
package struct Organization: Sendable {
    /// The organization's short name.
    package let slug: String
    /// Its apps, in the order in which they were named.
    package private(set) var apps: [SimulatedApp]

    private let indexByName: [String: Int]

    /// Makes an organization; a name given twice counts once.
    package init(
        slug: String, appNames: [String], settings: TrafficSettings, pages: PageRules = PageRules()
    ) {
        self.slug = slug
        var names: [String] = []
        for name in appNames where !names.contains(name) {
            names.append(name)
        }
        apps = names.map { SimulatedApp(name: $0, settings: settings, pages: pages) }
        indexByName = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    }

    /// Makes an organization with settings that hold from the start.
    ///
    /// - Parameter orders: Carried out one after the other; of two the later one counts.
    /// - Throws: `SettingsError` where one of them makes no sense.
    package init(
        slug: String, appNames: [String], settings: TrafficSettings, orders: [SettingsOrder]
    ) throws(SettingsError) {
        self.init(slug: slug, appNames: appNames, settings: settings)
        for index in apps.indices {
            var settings = settings
            var pages = apps[index].pages
            var stop = Int64.max
            for order in orders where order.app == nil || order.app == apps[index].name {
                settings.lines = try order.lines(after: settings.lines) ?? settings.lines
                pages = try order.pages(after: pages)
                stop = try order.stop() ?? stop
            }
            apps[index] = SimulatedApp(name: apps[index].name, settings: settings, pages: pages)
            if stop < .max { apps[index].timeline.stop(at: stop) }
        }
    }

    /// Whether a name keeps Fly's rule: lower-case letters, digits and dashes, 1 to 63 of them.
    package static func isValidAppName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    /// The app of a name, if there is one.
    package func app(named name: String) -> SimulatedApp? {
        indexByName[name].map { apps[$0] }
    }

    /// Changes the settings of an app or of all.
    ///
    /// - Parameter instant: Unix nanoseconds from which the lines are others.
    /// - Throws: `SettingsError`; then nothing has changed.
    package mutating func apply(_ order: SettingsOrder, at instant: Int64) throws(SettingsError) {
        var changed = apps
        for index in changed.indices where order.app == nil || order.app == changed[index].name {
            try changed[index].apply(order, at: instant)
        }
        apps = changed
    }

    /// The answer of `GET /v1/apps?org_slug=`.
    package func appList() -> [UInt8] {
        let entries = apps.map { app in
            AppList.Entry(
                id: app.identifier, name: app.name, machineCount: app.machines.count, volumeCount: 0,
                network: "default")
        }
        return encoded(AppList(totalApps: entries.count, apps: entries))
    }

    /// The answer of `GET /v1/apps/{app}`.
    package func details(of app: SimulatedApp) -> [UInt8] {
        encoded(
            AppDetails(
                id: app.identifier, name: app.name, status: "deployed",
                organization: .init(name: slug, slug: slug)))
    }

    /// The answer of `GET /v1/apps/{app}/machines`.
    ///
    /// - Parameter now: Unix nanoseconds; a machine has no event from the future.
    package func machineList(of app: SimulatedApp, now: Int64) -> [UInt8] {
        encoded(app.machines.indices.map { MachineDetails(app: app, number: $0, now: now) })
    }

    private func encoded(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            preconditionFailure("names and numbers cannot be written as JSON: \(error)")
        }
    }
}

extension SimulatedApp {
    fileprivate mutating func apply(_ order: SettingsOrder, at instant: Int64) throws(SettingsError) {
        pages = try order.pages(after: pages)
        let settings = timeline.settings(at: instant)
        let stop = try order.stop()
        let lines = try order.lines(after: settings)
        if lines != nil || stop == .max { timeline.change(at: instant, to: lines ?? settings) }
        if let stop, stop < .max { timeline.stop(at: max(stop, instant)) }
    }

    /// The app's id, which is not its name.
    var identifier: String { hexadecimal(mixed(key ^ 0x6170_7000), digits: 16) }
}

private struct AppList: Encodable {
    struct Entry: Encodable {
        let id: String
        let name: String
        let machineCount: Int
        let volumeCount: Int
        let network: String
    }
    let totalApps: Int
    let apps: [Entry]
}

private struct AppDetails: Encodable {
    struct Owner: Encodable {
        let name: String
        let slug: String
    }
    let id: String
    let name: String
    let status: String
    let organization: Owner
}
