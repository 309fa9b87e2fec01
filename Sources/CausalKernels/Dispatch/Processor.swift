internal import CNumerics

/// The machine below.
public enum Processor {
    /// How many processors this process may use.
    public static var count: Int { Int(causal_processor_count()) }

    /// Says that this thread is waiting in a loop.
    public static func pause() { causal_processor_pause() }
}
