internal import Glibc

/// How the learning rate changes from epoch to epoch.
public enum Schedule: Hashable, Sendable {
    case constant
    /// Half a cosine from the whole rate down to 0 after the last epoch.
    case cosine
    /// Times `factor` every `epochs` epochs.
    case step(epochs: Int, factor: Double)

    /// What the rate of epoch `epoch` (from 0) of `epochs` is multiplied by.
    func factor(epoch: Int, of epochs: Int) -> Double {
        switch self {
        case .constant: 1
        case .cosine: 0.5 * (1 + cos(.pi * Double(epoch) / Double(epochs)))
        case .step(let every, let factor): pow(factor, Double(epoch / every))
        }
    }

    /// Checks that an optimiser which begins with `rate` has a finite one in every epoch. No factor is larger than that of the first
    /// epoch and that of the last.
    func validate(rate: Double, epochs: Int) throws(EngineError) {
        guard case .step(let every, let factor) = self else { return }
        guard every >= 1 else { throw EngineError(.value, "schedule: a step every \(every) epochs, expected 1 or more") }
        guard factor >= 0, factor.isFinite else { throw EngineError(.value, "schedule: step factor is \(factor), expected 0 or more, finite") }
        let last = rate * self.factor(epoch: epochs - 1, of: epochs)
        guard last.isFinite else { throw EngineError(.value, "schedule: the learning rate of epoch \(epochs - 1) is \(last), expected a finite one") }
    }
}
