// The registry's executable: one process per group of workers with unique keys.

import Registry
import WorkerProtocol
import WorkerRuntime

WorkerMain.run(executable: "flyfleet-registry", roles: [.registry]) { worker, _ in RegistryService(worker) }
