public import CCausal
internal import CausalEngine
internal import CausalKernels

/// A trainer of either precision.
class TrainerObject: Handled {
    static var kind: Kind { .trainer }
    let trainer: any AnyTrainer
    /// The model's handle, which is held while training runs.
    var model: OpaquePointer?

    init(_ trainer: any AnyTrainer) { self.trainer = trainer }

    func learn(_ batch: causal_dataset) throws { fatalError("abstract") }

    var state: causal_trainer_state {
        switch trainer.state {
        case .running: CAUSAL_TRAINER_RUNNING
        case .finished: CAUSAL_TRAINER_FINISHED
        case .stoppedEarly: CAUSAL_TRAINER_STOPPED_EARLY
        case .cancelled: CAUSAL_TRAINER_CANCELLED
        case .diverged: CAUSAL_TRAINER_DIVERGED
        }
    }
}

private final class TrainerOf<Scalar: EngineScalar>: TrainerObject {
    private let learner: Trainer<Scalar>

    init(_ trainer: Trainer<Scalar>) {
        learner = trainer
        super.init(trainer)
    }

    override func learn(_ batch: causal_dataset) throws { try learner.learn(try Scalar.dataset(batch, "batch")) }
}

extension EngineScalar {
    fileprivate static func dataset(_ given: causal_dataset, _ name: String) throws -> Dataset<Self> {
        let x: MatrixView<Self> = try RawArray(data: given.x, dtype: given.dtype, rows: given.rows, columns: given.x_columns).view("\(name): x")
        let y: MatrixView<Self> = try RawArray(data: given.y, dtype: given.dtype, rows: given.rows, columns: given.y_columns).view("\(name): y")
        let all = Dataset(borrowing: x, y, intervention: try intervention(given.intervention))
        guard given.selection != nil || given.selected != 0 else { return all }
        let numbers = try array(try require(given.selection, "\(name): selection"), given.selected, "\(name): selection")
        do throws(EngineError) {
            return try all.selecting(numbers)
        } catch {
            throw EngineError(error.kind, "\(name): \(error.message)")
        }
    }
}

extension ModelOf {

    func trainer(_ parameters: UnsafeMutableRawPointer?, _ training: causal_dataset?, _ validation: causal_dataset?,
                 _ options: TrainerOptions) throws -> TrainerObject {
        let validation = try validation.map { try Scalar.dataset($0, "validation data") }
        let parameters = try self.parameters(parameters)
        guard let training else {
            return TrainerOf(try Trainer(streaming: model, validation: validation, options: options, parameters: parameters))
        }
        return TrainerOf(try Trainer(model, on: try Scalar.dataset(training, "training data"), validation: validation, options: options,
                                     parameters: parameters))
    }
}

@_cdecl("causal_trainer_create") @implementation
public func causal_trainer_create(_ trainer: UnsafeMutablePointer<OpaquePointer?>?, _ model: OpaquePointer?, _ parameters: UnsafeMutableRawPointer?,
                                  _ training: UnsafePointer<causal_dataset>?, _ validation: UnsafePointer<causal_dataset>?,
                                  _ options: UnsafePointer<causal_trainer_options>?) -> causal_status {
    call {
        let out = try require(trainer, "trainer")
        let training = try training.map { try CausalABI.options($0, "training") }
        let validation = try validation.map { try CausalABI.options($0, "validation") }
        let options = try trainerOptions(try CausalABI.options(options, "options"))
        // Only reads: other threads may predict meanwhile.
        let object = try HandleTable.reading(model, ModelObject.self) { try $0.makeTrainer(parameters, training, validation, options) }
        object.model = model
        out.pointee = try HandleTable.insert(object)
    }
}

@_cdecl("causal_trainer_free") @implementation
public func causal_trainer_free(_ trainer: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(trainer, .trainer) }
}

@_cdecl("causal_trainer_run") @implementation
public func causal_trainer_run(_ trainer: OpaquePointer?, _ seconds: Double, _ state: UnsafeMutablePointer<causal_trainer_state>?) -> causal_status {
    call {
        guard !seconds.isNaN else { throw EngineError(.value, "seconds is nan") }
        try train(trainer, state) { _ = try $0.trainer.run(seconds: seconds) }
    }
}

@_cdecl("causal_trainer_run_all") @implementation
public func causal_trainer_run_all(_ trainers: UnsafePointer<OpaquePointer?>?, _ count: Int, _ seconds: Double,
                                   _ states: UnsafeMutablePointer<causal_trainer_state>?) -> causal_status {
    call {
        guard !seconds.isNaN else { throw EngineError(.value, "seconds is nan") }
        let handles = try array(try require(trainers, "trainers"), count, "trainers")
        try HandleTable.owning(handles, TrainerObject.self, { "trainers[\($0)]" }) { trainers in
            let learners = learnersOfModels(trainers)
            try HandleTable.owning(learners.map { trainers[$0].model }, ModelObject.self, { "trainers[\(learners[$0])]" }) { _ in
                let failures = try Trainers.run(trainers.map(\.trainer), seconds: seconds)
                if let states { for (k, trainer) in trainers.enumerated() { states[k] = trainer.state } }
                if let (k, error) = failures.min(by: { $0.key < $1.key }) { throw EngineError(error.kind, "trainers[\(k)]: \(error.message)") }
            }
        }
    }
}

/// For each model the number of a trainer: several may train one model, each a buffer of its own. A model whose handle was freed lives on in
/// its trainers.
private func learnersOfModels(_ trainers: [TrainerObject]) -> [Int] {
    var seen: Set<OpaquePointer?> = []
    return trainers.indices.filter { seen.insert(trainers[$0].model).inserted && HandleTable.isAlive(trainers[$0].model, .model) }
}

@_cdecl("causal_trainer_learn") @implementation
public func causal_trainer_learn(_ trainer: OpaquePointer?, _ batch: UnsafePointer<causal_dataset>?,
                                 _ state: UnsafeMutablePointer<causal_trainer_state>?) -> causal_status {
    call {
        let batch = try CausalABI.options(batch, "batch")
        try train(trainer, state) { try $0.learn(batch) }
    }
}

@_cdecl("causal_trainer_end_epoch") @implementation
public func causal_trainer_end_epoch(_ trainer: OpaquePointer?, _ state: UnsafeMutablePointer<causal_trainer_state>?) -> causal_status {
    call { try train(trainer, state) { _ = try $0.trainer.endEpoch() } }
}

/// Part of the training of a model that nobody else uses meanwhile.
private func train(_ trainer: OpaquePointer?, _ state: UnsafeMutablePointer<causal_trainer_state>?,
                   _ body: (TrainerObject) throws -> Void) throws {
    try HandleTable.owning(trainer, TrainerObject.self) { trainer in
        defer { state?.pointee = trainer.state }
        // A model whose handle was freed lives on in the trainer.
        guard HandleTable.isAlive(trainer.model, .model) else { return try body(trainer) }
        try HandleTable.owning(trainer.model, ModelObject.self) { _ in try body(trainer) }
    }
}

@_cdecl("causal_trainer_cancel") @implementation
public func causal_trainer_cancel(_ trainer: OpaquePointer?) -> causal_status {
    call { try HandleTable.peek(trainer, TrainerObject.self).trainer.cancel() }
}

@_cdecl("causal_trainer_history") @implementation
public func causal_trainer_history(_ trainer: OpaquePointer?, _ first: Int, _ epochs: UnsafeMutablePointer<causal_epoch>?, _ capacity: Int,
                                   _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        let count = try require(count, "count"), first = try size(first, "first"), capacity = try size(capacity, "capacity")
        try HandleTable.reading(trainer, TrainerObject.self) { trainer in
            let history = trainer.trainer.history
            if capacity > 0 {
                let epochs = try require(epochs, "epochs")
                for (i, epoch) in history.dropFirst(first).prefix(capacity).enumerated() { epochs[i] = causal_epoch(epoch) }
            }
            count.pointee = history.count
        }
    }
}

@_cdecl("causal_trainer_progress") @implementation
public func causal_trainer_progress(_ trainer: OpaquePointer?, _ epoch: UnsafeMutablePointer<Int>?, _ rowsDone: UnsafeMutablePointer<Int>?,
                                    _ rows: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try HandleTable.reading(trainer, TrainerObject.self) { trainer in
            epoch?.pointee = trainer.trainer.history.count
            rowsDone?.pointee = trainer.trainer.rowsDone
            rows?.pointee = trainer.trainer.rows ?? 0
        }
    }
}

extension causal_epoch {
    fileprivate init(_ epoch: Epoch) {
        self.init(loss: epoch.loss, validation_loss: epoch.validationLoss ?? .nan, learning_rate: epoch.learningRate, seconds: epoch.seconds)
    }
}

private func trainerOptions(_ given: causal_trainer_options) throws -> TrainerOptions {
    guard given.optimizer.size == MemoryLayout<causal_optimizer_options>.size else {
        throw CallError(status: CAUSAL_ERROR_VALUE, message: "options->optimizer.size is \(UInt(bitPattern: given.optimizer.size)), "
            + "expected \(MemoryLayout<causal_optimizer_options>.size): start from its INIT macro")
    }
    var options = TrainerOptions(optimizer: try optimizerOptions(given.optimizer))
    if let loss = given.loss { options.loss = try HandleTable.reading(loss, LossObject.self) { $0.loss } }
    options.epochs = try size(given.epochs, "epochs")
    options.batchSize = given.batch_size == 0 ? nil : try size(given.batch_size, "batch_size")
    options.patience = given.patience == 0 ? nil : try size(given.patience, "patience")
    options.schedule = try schedule(given)
    options.seed = given.seed
    options.shuffles = given.keeps_order == 0
    if let callback = given.callback {
        nonisolated(unsafe) let context = given.context
        options.onEpoch = { epoch, result in
            var result = causal_epoch(result)
            return callback(context, epoch, &result) == 0
        }
    }
    return options
}

private func schedule(_ given: causal_trainer_options) throws -> Schedule {
    let name = try text(given.schedule, "schedule")
    switch name {
    case "constant": return .constant
    case "cosine": return .cosine
    case "step": return .step(epochs: try size(given.step_epochs, "step_epochs"), factor: given.step_factor)
    default: throw EngineError(.value, "schedule is \"\(name)\", expected one of constant, cosine, step")
    }
}
