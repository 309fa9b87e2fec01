internal import Glibc

/// What happened in one epoch.
public struct Epoch: Hashable, Sendable {
    /// Mean over the training batches, weighted by their rows, each before its step.
    public let loss: Double
    /// At the end of the epoch, of the validation data; where there are none, but patience, of the training data. Otherwise nil.
    public let validationLoss: Double?
    public let learningRate: Double
    public let seconds: Double
}

/// Seconds on a clock that only goes forward.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
