public import CausalKernels
internal import Synchronization

/// The training loop, which can be run in pieces: mini-batches in seeded order, validation, early stopping, and an end that leaves the
/// model with finite weights whatever happens: those from before the step that led there or, where there is patience, of the best epoch. The same
/// seed gives the same bits for every number of threads.
///
/// ```swift
/// let trainer = try Trainer(model, on: Dataset(x: x, y: y, intervention: experiment), options: TrainerOptions(epochs: 100))
/// try trainer.run()
/// print(trainer.history.last!.loss)
/// ```
///
/// Rows that do not fit into memory at once come batch by batch instead: `learn` makes a step, `endEpoch` ends an epoch. Given the same
/// batches in the same order, the bits are the same.
public final class Trainer<Scalar: EngineScalar>: AnyTrainer {
    public let model: Model<Scalar>
    public let options: TrainerOptions
    public private(set) var state = TrainerState.running
    /// The epochs completed so far.
    public private(set) var history: [Epoch] = []
    /// Rows done in the epoch under way.
    public private(set) var rowsDone = 0
    /// Rows in an epoch; nil where they come batch by batch.
    public var rows: Int? { batches?.rows }
    public var addresses: Range<UInt> {
        let start = UInt(bitPattern: parameters.pointer)
        return start..<start + UInt(parameters.count * MemoryLayout<Scalar>.stride)
    }

    private let parameters: Parameters<Scalar>
    private let batches: Batches<Scalar>?
    private let validation: Validation<Scalar>?
    private let optimizer: Optimizer<Scalar>
    private let pass: TrainingPass<Scalar>
    private var prediction: Storage<Scalar>
    private var predictionGradient: Storage<Scalar>
    private let gradient: Storage<Scalar>
    /// Whether `gradient` holds what the parameters were before the last step.
    private var canTakeBack = false
    private var scratch: [Scalar] = []
    /// Where there is patience, the best weights so far, which the model ends with.
    private let best: BestWeights<Scalar>?
    private var lossOfEpoch = 0.0
    private var secondsOfEpoch = 0.0
    private let isCancelled = Atomic<Bool>(false)

    /// Prepares to train `model` (its own parameters unless others are named); nothing is learned yet.
    ///
    /// A mask that the intervention gives for the network's output reaches the loss.
    ///
    /// - Throws: `.shape` and `.value` where data, model, loss and options do not fit; a number that is not finite and that no
    ///   intervention covers is named with its row and column.
    public convenience init(_ model: Model<Scalar>, on training: Dataset<Scalar>, validation: Dataset<Scalar>? = nil,
                            options: TrainerOptions, parameters: Parameters<Scalar>? = nil) throws(EngineError) {
        try self.init(model, training, validation, options, parameters)
    }

    /// Prepares to train on rows that `learn` will bring.
    public convenience init(streaming model: Model<Scalar>, validation: Dataset<Scalar>? = nil, options: TrainerOptions,
                            parameters: Parameters<Scalar>? = nil) throws(EngineError) {
        guard validation != nil || options.patience == nil else {
            throw EngineError(.value, "trainer: patience with batches that come from outside, expected validation data beside it")
        }
        try self.init(model, nil, validation, options, parameters)
    }

    private init(_ model: Model<Scalar>, _ training: Dataset<Scalar>?, _ validation: Dataset<Scalar>?, _ options: TrainerOptions,
                 _ parameters: Parameters<Scalar>?) throws(EngineError) {
        try options.validate()
        let parameters = try model.resolve(parameters)
        guard Scalar.kernels.firstNonFinite(parameters.pointer, count: parameters.count) == parameters.count else {
            throw EngineError(.value, "trainer: the model has parameters that are not finite, expected finite ones to begin with")
        }
        try training?.check(model, parameters, options.loss, "training data")
        try validation?.check(model, parameters, options.loss, "validation data")
        self.model = model
        self.options = options
        self.parameters = parameters
        batches = try training.map { data throws(EngineError) in
            try Batches(data, size: options.batchSize ?? data.rows, shuffles: options.shuffles, model.plan)
        }
        // The loss of an epoch is measured before each of its steps and belongs to no weights that could be kept, so patience
        // looks at the training rows once more where it has no others.
        let judge = validation ?? (options.patience == nil ? nil : training)
        self.validation = try judge.map { data throws(EngineError) in try Validation(data, model) }
        optimizer = try Optimizer(options.optimizer, count: parameters.count)
        pass = TrainingPass(model, parameters)
        let outputs = try checkedSize(batches?.capacity ?? 0, model.plan.outputWidth, of: "predictions")
        prediction = try Storage(count: outputs, of: "predictions")
        predictionGradient = try Storage(count: outputs, of: "predictions")
        gradient = try Storage(count: parameters.count, of: "gradient")
        best = try options.patience == nil ? nil : BestWeights(parameters)
    }

    /// Trains for about `seconds`, at least one step; call it again to go on. Without an argument until it is over.
    ///
    /// - Throws: `.diverged` when a loss is not finite, or a weight would not be, naming epoch and rows. This and any other error ends the run, with
    ///   the weights of the last step, or, where that led to a loss that is not finite, of the one before; where there is patience, of the end
    ///   of the best epoch.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    @discardableResult
    public func run(seconds: Double = .infinity) throws(EngineError) -> TrainerState {
        guard let batches else { throw EngineError(.state, "trainer: its rows come batch by batch, expected learn and endEpoch") }
        return try endingOnErrors { () throws(EngineError) in
            // The clock is looked at once a step: a look takes a fiftieth of a small one.
            var time = now()
            let end = time + seconds
            while state == .running {
                if isCancelled.load(ordering: .relaxed) {
                    state = .cancelled
                    break
                }
                if rowsDone == 0 { try beginEpoch() }
                try step(batches.gather(from: rowsDone, edits: &pass.edits))
                if rowsDone == batches.rows { try evaluateEpoch() }
                let start = time
                time = now()
                secondsOfEpoch += time - start
                if rowsDone == batches.rows {
                    closeEpoch()
                    time = now()
                }
                if time >= end { break }
            }
        }
    }

    /// One step on rows from outside. Rows that do not fit are refused, and nothing has happened.
    ///
    /// - Throws: as `init` for the rows, and as `run`; `.state` when training is over.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    @discardableResult
    public func learn(_ batch: Dataset<Scalar>) throws(EngineError) -> TrainerState {
        try expectStream()
        try batch.check(model, parameters, options.loss, "batch after \(rowsDone) rows of epoch \(history.count)")
        let rows = try Batches(batch, size: batch.rows, shuffles: false, model.plan)
        try makeRoom(batch.rows)
        return try endingOnErrors { () throws(EngineError) in
            try timed { () throws(EngineError) in
                if rowsDone == 0 { try beginEpoch() }
                try step(rows.gather(from: 0, edits: &pass.edits))
            }
        }
    }

    /// Ends an epoch of `learn`: validation, history, patience.
    ///
    /// - Throws: `.state` when there was no batch, or training is over; `.diverged` as `run`.
    @discardableResult
    public func endEpoch() throws(EngineError) -> TrainerState {
        try expectStream()
        guard rowsDone > 0 else { throw EngineError(.state, "trainer: epoch \(history.count) had no batch, expected at least one") }
        return try endingOnErrors { () throws(EngineError) in
            try timed { () throws(EngineError) in try evaluateEpoch() }
            closeEpoch()
            if state == .running, isCancelled.load(ordering: .relaxed) { state = .cancelled }
        }
    }

    private func expectStream() throws(EngineError) {
        guard batches == nil else { throw EngineError(.state, "trainer: it has its training data, expected run") }
        guard state == .running else { throw EngineError(.state, "trainer: training is over") }
    }

    private func makeRoom(_ rows: Int) throws(EngineError) {
        let outputs = try checkedSize(rows, model.plan.outputWidth, of: "predictions")
        guard prediction.count < outputs else { return }
        prediction = try Storage(count: outputs, of: "predictions")
        predictionGradient = try Storage(count: outputs, of: "predictions")
    }

    private func endingOnErrors(_ body: () throws(EngineError) -> Void) throws(EngineError) -> TrainerState {
        do throws(EngineError) {
            try body()
        } catch {
            // What went wrong would go wrong again, and a caller that asks for more while the state is running would never end.
            state = error.kind == .diverged ? .diverged : .cancelled
            best?.restore(parameters)
            throw error
        }
        return state
    }

    private func timed(_ body: () throws(EngineError) -> Void) throws(EngineError) {
        let start = now()
        try body()
        secondsOfEpoch += now() - start
    }

    /// Ends a run from another thread, after the step under way. The model keeps the weights it has.
    public func cancel() { isCancelled.store(true, ordering: .relaxed) }

    // MARK: One epoch

    private func beginEpoch() throws(EngineError) {
        let factor = options.schedule.factor(epoch: history.count, of: options.epochs)
        try optimizer.setLearningRate(options.optimizer.learningRate * factor)
        if options.shuffles { batches?.shuffle(seed: options.seed, epoch: history.count) }
    }

    private func step(_ batch: Batches<Scalar>.Batch) throws(EngineError) {
        try pass.forward(batch.x, into: prediction.pointer)
        let loss = try evaluate(batch)
        guard loss.isFinite else { throw divergence("the loss of \(names(batch)) is \(loss)", leaves: takeBack()) }
        let accumulates = options.loss.dependsOnParameters
        try pass.backward(predictionGradient.pointer, into: gradient.pointer, accumulates: accumulates)
        do throws(EngineError) {
            try optimizer.step(parameters, gradients: gradient.pointer)
        } catch {
            throw divergence("the step on \(names(batch)) would leave weights that are not finite", leaves: "those from before it")
        }
        canTakeBack = !accumulates
        lossOfEpoch += loss * Double(batch.x.rows)
        rowsDone += batch.x.rows
    }

    /// The loss of the prediction, with its gradients.
    private func evaluate(_ batch: Batches<Scalar>.Batch) throws(EngineError) -> Double {
        let prediction = MatrixView(prediction.pointer, rows: batch.x.rows, columns: model.plan.outputWidth)
        var arguments = LossArguments(prediction: prediction, target: batch.y)
        arguments.inputs = batch.x
        arguments.mask = batch.outputMask
        arguments.values = batch.outputValues
        arguments.twins = batch.twins
        arguments.parameters = UnsafePointer(parameters.pointer)
        arguments.layout = model.layout
        var targets = LossGradientTargets<Scalar>()
        targets.prediction = predictionGradient.pointer
        targets.parameters = options.loss.dependsOnParameters ? gradient.pointer : nil
        return try options.loss.evaluate(arguments, into: targets, scratch: &scratch)
    }

    private var validationLoss: Double?

    private func evaluateEpoch() throws(EngineError) {
        validationLoss = try validation?.loss(options.loss, parameters)
        if let validationLoss, !validationLoss.isFinite { throw divergence("the loss at its end is \(validationLoss)", leaves: "those of its end") }
    }

    private func closeEpoch() {
        let epoch = Epoch(loss: lossOfEpoch / Double(rowsDone), validationLoss: validationLoss, learningRate: optimizer.options.learningRate,
                          seconds: secondsOfEpoch)
        history.append(epoch)
        rowsDone = 0
        lossOfEpoch = 0
        secondsOfEpoch = 0
        if let patience = options.patience, let best, let loss = epoch.validationLoss {
            if loss < best.loss { best.keep(parameters, loss: loss, epoch: history.count - 1) }
            if history.count - 1 - best.epoch! >= patience { state = .stoppedEarly }
        }
        if history.count == options.epochs { state = .finished }
        if state != .running { best?.restore(parameters) }
        if let onEpoch = options.onEpoch, !onEpoch(history.count - 1, epoch), state == .running { state = .cancelled }
    }

    /// A loss that is not finite is the work of the last step: what the weights were before is where their gradients were. Says which weights are left.
    private func takeBack() -> String {
        guard canTakeBack else { return "those from before the step that is not made" }
        canTakeBack = false
        parameters.withMutablePointer { $0.update(from: gradient.pointer, count: gradient.count) }
        return "those from before the step that led there"
    }

    private func names(_ batch: Batches<Scalar>.Batch) -> String { "rows \(rowsDone) to \(rowsDone + batch.x.rows - 1)" }

    private func divergence(_ what: String, leaves weights: String) -> EngineError {
        let left = best.map { $0.epoch.map { "those of the end of epoch \($0)" } ?? "those it began with" } ?? weights
        return EngineError(.diverged, "training diverged in epoch \(history.count): \(what); the weights are \(left) (a smaller learning rate "
            + "or a clipped gradient may help)")
    }
}

/// Data that a model is tried on at the end of each epoch.
private struct Validation<Scalar: EngineScalar> {
    let data: Dataset<Scalar>
    let model: Model<Scalar>
    let prediction: Storage<Scalar>

    init(_ data: Dataset<Scalar>, _ model: Model<Scalar>) throws(EngineError) {
        self.data = try data.gathered()
        self.model = model
        prediction = try Storage(count: checkedSize(data.rows, model.plan.outputWidth, of: "predictions"), of: "predictions")
    }

    func loss(_ loss: Loss, _ parameters: Parameters<Scalar>) throws(EngineError) -> Double {
        let outputs = model.plan.outputWidth
        try model.predict(data.x, under: data.intervention, parameters: parameters,
                          into: MutableMatrixView(prediction.pointer, rows: data.x.rows, columns: outputs))
        var arguments = LossArguments(prediction: MatrixView(prediction.pointer, rows: data.x.rows, columns: outputs), target: data.y)
        arguments.inputs = data.x
        arguments.mask = data.outputMask(model)
        arguments.values = data.outputValues(model)
        arguments.twins = data.twins.map { UnsafePointer($0.factual.pointer) }
        arguments.parameters = UnsafePointer(parameters.pointer)
        arguments.layout = model.layout
        var scratch: [Scalar] = []
        return try loss.evaluate(arguments, into: LossGradientTargets(), scratch: &scratch)
    }
}
