// The request context of the simulator's router: Hummingbird's own and the connection, so that a fault can cut it.

package import Hummingbird
package import NIOCore

/// What a route knows of the request's surroundings.
package struct SimulatorContext: RequestContext {
    /// Hummingbird's part.
    package var coreContext: CoreRequestContextStorage
    /// The connection on which the request came.
    package let channel: any Channel

    /// Makes the context of a request.
    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
