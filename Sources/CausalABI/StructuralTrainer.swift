public import CCausal
internal import CausalEngine
internal import CausalKernels

/// A structural trainer of either precision.
class StructuralTrainerObject: Handled {
    static var kind: Kind { .structuralTrainer }

    func run(seconds: Double) throws -> Bool { fatalError("abstract") }
    var progress: Double { fatalError("abstract") }
    func model() throws -> StructuralModelObject { fatalError("abstract") }
}

private final class StructuralTrainerOf<Scalar: EngineScalar>: StructuralTrainerObject {
    private let trainer: StructuralTrainer<Scalar>
    init(_ trainer: StructuralTrainer<Scalar>) { self.trainer = trainer }

    override func run(seconds: Double) throws -> Bool { try trainer.run(seconds: seconds) }
    override var progress: Double { trainer.progress }
    override func model() throws -> StructuralModelObject { StructuralModelObject(try trainer.model()) }
}

@_cdecl("causal_structural_trainer_create") @implementation
public func causal_structural_trainer_create(_ trainer: UnsafeMutablePointer<OpaquePointer?>?, _ graph: OpaquePointer?,
                                             _ mechanisms: UnsafePointer<causal_mechanism>?, _ values: UnsafePointer<Double>?,
                                             _ isSet: UnsafePointer<UInt8>?, _ rows: Int, _ columns: Int,
                                             _ options: UnsafePointer<causal_structural_options>?) -> causal_status {
    call {
        let out = try require(trainer, "trainer"), given = try CausalABI.options(options, "options")
        let description = try HandleTable.reading(graph, GraphObject.self) { object in
            let graph = object.graph
            guard let mechanisms else { return try StructuralDescription(graph) }
            var variables: [Variable] = [], kinds: [Mechanism] = []
            for v in 0..<graph.count {
                let given = try CausalABI.options(mechanisms + v, "mechanisms[\(v)]")
                let levels = try size(given.levels, "mechanisms[\(v)].levels")
                variables.append(Variable(graph.names[v], levels == 0 ? .real : .categorical(levels: levels)))
                kinds.append(try mechanism(given, "mechanisms[\(v)]"))
            }
            return try StructuralDescription(graph, variables: variables, mechanisms: kinds)
        }
        // SIZE_MAX, seen as a signed number, is -1.
        let twins = try given.twins.map { try Twins(try array($0, rows, "options->twins")) }
        let data = try StructuralDataset(try matrix(values, rows, columns, "values"),
                                         isSet: isSet == nil ? nil : try matrix(isSet, rows, columns, "is_set"), twins: twins)
        let settings = try structuralOptions(given)
        let object: StructuralTrainerObject = try dispatch(
            given.dtype,
            float: { try makeTrainer(Float.self, description, data, settings, given) },
            double: { try makeTrainer(Double.self, description, data, settings, given) })
        out.pointee = try HandleTable.insert(object)
    }
}

@_cdecl("causal_structural_trainer_free") @implementation
public func causal_structural_trainer_free(_ trainer: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(trainer, .structuralTrainer) }
}

@_cdecl("causal_structural_trainer_run") @implementation
public func causal_structural_trainer_run(_ trainer: OpaquePointer?, _ seconds: Double, _ finished: UnsafeMutablePointer<Int32>?) -> causal_status {
    call {
        guard !seconds.isNaN else { throw EngineError(.value, "seconds is nan") }
        let isFinished = try HandleTable.owning(trainer, StructuralTrainerObject.self) { try $0.run(seconds: seconds) }
        finished?.pointee = isFinished ? 1 : 0
    }
}

@_cdecl("causal_structural_trainer_progress") @implementation
public func causal_structural_trainer_progress(_ trainer: OpaquePointer?, _ progress: UnsafeMutablePointer<Double>?) -> causal_status {
    call {
        let progress = try require(progress, "progress")
        try HandleTable.reading(trainer, StructuralTrainerObject.self) { progress.pointee = $0.progress }
    }
}

@_cdecl("causal_structural_trainer_model") @implementation
public func causal_structural_trainer_model(_ trainer: OpaquePointer?, _ model: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(model, "model")
        out.pointee = try HandleTable.insert(try HandleTable.reading(trainer, StructuralTrainerObject.self) { try $0.model() })
    }
}

private func makeTrainer<Scalar: EngineScalar>(_: Scalar.Type, _ description: StructuralDescription, _ data: StructuralDataset,
                                           _ options: StructuralTrainerOptions, _ given: causal_structural_options) throws -> StructuralTrainerObject {
    guard let handle = given.former else { return StructuralTrainerOf(try StructuralTrainer<Scalar>(description, on: data, options: options)) }
    let marks = try require(given.frozen, "options->frozen")
    let former = try HandleTable.reading(handle, StructuralModelObject.self) { object in
        guard let model = object.model as? StructuralModel<Scalar> else {
            throw CallError(status: CAUSAL_ERROR_DTYPE, message: "options->former: its dtype differs from options->dtype, \(Scalar.typeName)")
        }
        return model
    }
    let frozen = description.variables.indices.filter { marks[$0] != 0 }.map { description.variables[$0].name }
    return StructuralTrainerOf(try StructuralTrainer<Scalar>(description, on: data, options: options, freezing: frozen, of: former))
}

private func mechanism(_ given: causal_mechanism, _ name: String) throws -> Mechanism {
    let kind = try text(given.kind, "\(name).kind")
    var hidden = kind == "smooth" ? Mechanism.fewHidden : Mechanism.usualHidden
    if let widths = given.hidden {
        hidden = try array(widths, given.hidden_count, "\(name).hidden").enumerated().map { try size($1, "\(name).hidden[\($0)]") }
    } else {
        _ = try size(given.hidden_count, "\(name).hidden_count")
    }
    let activation = try CausalABI.activation(given.activation, "\(name).activation")
    switch kind {
    case "auto": return .automatic
    case "linear": return .linear
    case "additive": return .additive(hidden: hidden, activation: activation)
    case "smooth": return .smooth(hidden: hidden, activation: activation)
    case "location_scale": return .locationScale(hidden: hidden, activation: activation)
    case "flow": return .flow(hidden: hidden, activation: activation, pieces: try size(given.pieces, "\(name).pieces"))
    case "softmax": return .softmax(hidden: hidden, activation: activation)
    case "given": return .given(Formula(function: function(try require(given.formula, "\(name).formula"), given.context)))
    default: throw EngineError(.value, "\(name).kind is \"\(kind)\", expected one of auto, linear, additive, smooth, location_scale, flow, softmax, given")
    }
}

private func structuralOptions(_ given: causal_structural_options) throws -> StructuralTrainerOptions {
    var options = StructuralTrainerOptions()
    options.members = try size(given.members, "members")
    options.resamples = given.resamples != 0
    options.epochs = given.epochs == 0 ? nil : try size(given.epochs, "epochs")
    options.batchSize = given.batch_size == 0 ? nil : try size(given.batch_size, "batch_size")
    options.learningRate = given.learning_rate
    options.weightDecay = given.weight_decay
    options.heldOut = given.held_out < 0 ? nil : given.held_out
    options.patience = given.patience
    options.seed = given.seed
    options.sparsity = given.sparsity
    options.independence = given.independence
    options.counterfactual = given.counterfactual
    return options
}
