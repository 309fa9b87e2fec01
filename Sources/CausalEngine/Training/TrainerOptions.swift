/// How to train.
public struct TrainerOptions: Sendable {
    public var loss: Loss
    public var optimizer: OptimizerOptions
    public var epochs: Int
    /// Rows in a mini-batch; nil for all rows in one.
    public var batchSize: Int?
    /// Stop when this many epochs brought no better loss at their end; nil for never. The loss is that of the validation data or, where
    /// there are none, of the training data, on which the model is then tried after each epoch. Whenever it is given the model ends
    /// with the weights of the end of the best epoch, even when training diverges; only when cancelled it keeps those it has.
    public var patience: Int?
    public var schedule: Schedule
    /// Of the order of the rows.
    public var seed: UInt64
    /// Whether each epoch has an order of its own; otherwise the rows keep theirs.
    public var shuffles: Bool
    /// Called after each epoch with its number and result; false cancels.
    public var onEpoch: (@Sendable (Int, Epoch) -> Bool)?

    public init(loss: Loss = .standard(.mse), optimizer: OptimizerOptions = OptimizerOptions(), epochs: Int = 100, batchSize: Int? = 32,
                patience: Int? = nil, schedule: Schedule = .constant, seed: UInt64 = 0, shuffles: Bool = true,
                onEpoch: (@Sendable (Int, Epoch) -> Bool)? = nil) {
        self.loss = loss
        self.optimizer = optimizer
        self.epochs = epochs
        self.batchSize = batchSize
        self.patience = patience
        self.schedule = schedule
        self.seed = seed
        self.shuffles = shuffles
        self.onEpoch = onEpoch
    }

    func validate() throws(EngineError) {
        func expect(_ value: Int?, _ name: String) throws(EngineError) {
            if let value, value < 1 { throw EngineError(.value, "trainer: \(name) is \(value), expected 1 or more") }
        }
        try expect(epochs, "number of epochs")
        try expect(batchSize, "batch size")
        try expect(patience, "patience")
        try schedule.validate(rate: optimizer.learningRate, epochs: epochs)
    }
}
