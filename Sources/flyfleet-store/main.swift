// The store's executable: the only one with a database in it.

import Glibc
import Store
import WorkerProtocol
import WorkerRuntime

// What the database holds must not end up in a core file or be readable to others.
var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
umask(0o077)

WorkerMain.run(executable: "flyfleet-store", roles: [.store]) { worker, _ in
    let directory = try worker.settings(StoreSettings.self).directory
    return StoreService(worker) { () throws(StorageError) in try SQLiteStorage.open(directory: directory) }
}
