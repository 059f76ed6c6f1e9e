// The executable of everything that holds tokens: the shared table and the AppServers. It also starts token commands,
// as a launcher between an AppServer and the command.

import Glibc
import TokenService
import WorkerProtocol
import WorkerRuntime

// A token must not end up in a core file. The token command inherits this, which suits it as well.
var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)

CommandLauncher.takeOverIfAsked(CommandLine.arguments)

WorkerMain.run(executable: "flyfleet-tokens", roles: [.table, .appServer]) { worker, role in
    switch role {
    case .appServer: AppServerService(worker, try worker.settings(AppServerSettings.self))
    default: TableService(worker)
    }
}
