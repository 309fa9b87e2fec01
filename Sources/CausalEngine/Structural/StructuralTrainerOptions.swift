/// How to train a structural model.
public struct StructuralTrainerOptions: Sendable {
    /// Networks for each mechanism, which start from different weights and answer separately.
    public var members = 1
    /// Whether each member learns from rows of its own, drawn with replacement: the spread of their answers is then the uncertainty of
    /// the answer that comes of having few rows (Efron 1979).
    public var resamples = false
    /// Passes over the rows; nil for as many as make about 3,000 steps, 20 to 1,000.
    public var epochs: Int?
    /// Rows a step; nil for a sixteenth of all, 32 to 1,024.
    public var batchSize: Int?
    public var learningRate = 0.01
    /// As in AdamW.
    public var weightDecay = 0.0
    /// The share of the rows that decides which epoch's weights are kept; with 0 they are the last. Nil for a tenth of fewer than 5,000 rows, and
    /// none of more, which are enough not to be learned by heart. Where a mechanism is chosen, a tenth at least decides that.
    public var heldOut: Double?
    /// Epochs without a better likelihood of the rows held out after which training stops, as a share of all epochs.
    public var patience = 1.0
    /// What the length of the weights that leave a parent costs, of the first layer of a mechanism, beside the likelihood or squared error of standardised
    /// values: parents that say little are hardly listened to (group lasso).
    public var sparsity = 0.0
    /// What it costs that the noise of a real variable depends on its parents (`Loss.independence`).
    public var independence = 0.0
    /// What it costs that counterfactuals are wrong, where rows have twins: beside the likelihood or squared error of standardised values, a weight of the
    /// squared error of predicting a row's value with the noise of its factual row (abduction, action, prediction).
    public var counterfactual = 1.0
    public var seed: UInt64 = 0

    public init() {}

    func heldOut(rows: Int, isChoosing: Bool, _ mechanism: Mechanism) -> Double {
        let share = heldOut ?? (rows < 5_000 ? 0.1 : 0)
        return isChoosing ? max(share, 0.1) : mechanism.learnsByDescent ? share : 0
    }

    static let possibleMembers = 1...1_000

    func batchSize(rows: Int) -> Int { min(batchSize ?? min(1_024, max(32, rows / 16)), max(rows, 1)) }
    func epochs(rows: Int) -> Int { epochs ?? min(1_000, max(20, 3_000 * batchSize(rows: rows) / max(rows, 1))) }

    func validate() throws(EngineError) {
        func expect(_ isFine: Bool, _ what: String, _ expected: String) throws(EngineError) {
            guard isFine else { throw EngineError(.value, "structural training: \(what), expected \(expected)") }
        }
        try expect(Self.possibleMembers.contains(members), "\(members) members", "1 to \(Self.possibleMembers.upperBound)")
        try expect(epochs.map { $0 >= 1 } ?? true, "\(epochs ?? 0) epochs", "1 or more")
        try expect(batchSize.map { $0 >= 1 } ?? true, "a batch size of \(batchSize ?? 0)", "1 or more")
        try expect(heldOut.map { $0 >= 0 && $0 <= 0.5 } ?? true, "a share of \(heldOut ?? 0) held out", "0 to 0.5")
        try expect(learningRate >= 0 && learningRate.isFinite, "a learning rate of \(learningRate)", "a finite number that is not negative")
        try expect(weightDecay >= 0 && weightDecay.isFinite, "a weight decay of \(weightDecay)", "0 or more")
        try expect(sparsity >= 0 && sparsity.isFinite, "a sparsity of \(sparsity)", "0 or more")
        try expect(independence >= 0 && independence.isFinite, "an independence of \(independence)", "0 or more")
        try expect(counterfactual >= 0 && counterfactual.isFinite, "a counterfactual weight of \(counterfactual)", "0 or more")
        try expect(patience > 0, "a patience of \(patience)", "above 0")
    }
}
