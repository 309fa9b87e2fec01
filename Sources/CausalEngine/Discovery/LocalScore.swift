/// How good a set of parents is for a variable. The score of a graph is the sum over its variables, and more is better; without edges it is 0.
///
/// Implementations are immutable: many searches may ask at once, each with an `Evaluation` of its own.
protocol LocalScore: Sendable {
    /// The number of variables.
    var count: Int { get }

    /// Whether graphs that imply the same independences have the same score.
    var isEquivalent: Bool { get }

    /// What is gained by less than this is not gained, but rounding.
    var tolerance: Double { get }

    /// The most parents that so many rows can tell of.
    func mostParents(of variable: Int) -> Int

    /// The score of `parents`, which ascend, and what would change it: fills `evaluation`.
    func evaluate(_ variable: Int, parents: UnsafeBufferPointer<UInt16>, into evaluation: Evaluation)
}

/// What there is to know about one set of parents.
final class Evaluation {
    /// The score of the set.
    var score = 0.0
    /// By variable, how much the score gains when it becomes a parent too. Not looked at where it is one, or the child itself.
    let gains: UnsafeMutableBufferPointer<Double>
    /// By place in the set, how much the score gains when that parent is left out.
    let losses: UnsafeMutableBufferPointer<Double>
    /// Of whoever evaluates, who keeps there what the next set may share with this one.
    var workspace: AnyObject?

    init(count: Int) {
        gains = .allocate(capacity: count)
        losses = .allocate(capacity: count)
        gains.initialize(repeating: 0)
        losses.initialize(repeating: 0)
    }

    deinit {
        gains.deallocate()
        losses.deallocate()
    }
}
