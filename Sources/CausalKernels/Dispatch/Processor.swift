internal import CNumerics

/// The machine below.
public enum Processor {
    /// How many processors this process may use.
    public static var count: Int { Int(causal_processor_count()) }
}
