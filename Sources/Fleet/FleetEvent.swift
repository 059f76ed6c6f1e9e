// What the parent's decisions are made of: everything that can happen to its processes, and everything that can be done
// to them. Values only; FleetMachine turns the one into the other.

package import EventLoop
package import Supervision

/// One start of one leaf.
package struct WorkerIdentity: Hashable, Sendable {
    /// Its name everywhere.
    package let path: String
    /// Which start of it; what belongs to an earlier one is dropped.
    package let incarnation: Int

    /// A start of the leaf at a path.
    package init(path: String, incarnation: Int) {
        self.path = path
        self.incarnation = incarnation
    }
}

/// An input of ``FleetMachine``: what its driver saw.
package enum FleetEvent: Hashable, Sendable {
    /// Start the fleet; once.
    case begin
    /// Stop everything in order.
    case stop
    /// An operator's signal: the first stops in order, any further one kills.
    case interrupted
    /// An app needs its AppServer. Answered by ``FleetEffect/appServerAnswered(app:_:)``, once for each event.
    case appServerNeeded(app: String)
    /// The process exists now and has been sent its configure frame. Nothing about it counts before this.
    case spawned(WorkerIdentity)
    /// No process could be made.
    case spawnFailed(WorkerIdentity, reason: String)
    /// Its ready frame came and was accepted.
    case ready(WorkerIdentity)
    /// Its goodbye frame came.
    case goodbye(WorkerIdentity)
    /// It sent what no worker may send. Frames that were read before are served, nothing after.
    case brokeProtocol(WorkerIdentity, reason: String)
    /// It was reaped. Its pipes may still hold what it wrote.
    case exited(WorkerIdentity, ProcessExit)
    /// One of its two pipes ended, once for each: all that stood in it has been read.
    case pipeEnded(WorkerIdentity, WorkerPipe)
    /// Its frames are left in the pipe because the parent has too much of them: its silence is no sign.
    case readingPaused(WorkerIdentity)
    /// Its frames are read again.
    case readingResumed(WorkerIdentity)
    /// ``FleetMachine/nextDeadlineMs`` may have passed. Harmless at any time.
    case time
}

/// The pipes on which a worker is heard.
package enum WorkerPipe: Hashable, Sendable, CaseIterable {
    /// stdout: frames.
    case output
    /// stderr: lines.
    case errors
}

/// An order to the driver of a ``FleetMachine``.
///
/// Orders are carried out one after the other, those of a later event after those of an earlier one; one about a worker
/// that the driver does not have any more is dropped. An event that carrying one out brings about may be handled at once.
package enum FleetEffect: Hashable, Sendable {
    /// Make the process. Answered once, now or later, by `spawned` or `spawnFailed`; until then nothing else is ordered
    /// about it, and what the policies want of it meanwhile is ordered as soon as it is `spawned`.
    case spawn(WorkerIdentity)
    /// Send it what is meant for it, then the stop frame, and read whatever it has to say from now on.
    case askToStop(WorkerIdentity)
    /// SIGTERM, to the process alone.
    case terminate(WorkerIdentity)
    /// SIGKILL, to its whole process group.
    case kill(WorkerIdentity)
    /// Send it a ping frame.
    case ping(WorkerIdentity)
    /// It is gone and nothing more comes of it: close what is open, fail what waits for it. Comes before the reports of
    /// its end; the facts of its process are still wanted for those.
    case discard(WorkerIdentity)
    /// A turn in a child's life, for people.
    case report(SupervisionReport)
    /// The answer to one `appServerNeeded`.
    case appServerAnswered(app: String, CallReply)
    /// Everything is down. Nothing follows.
    case finished(FinishReason)
}
