public import CCausal
internal import CausalEngine
internal import CausalKernels

class OptimizerObject: Handled {
    static var kind: Kind { .optimizer }
    func setLearningRate(_ rate: Double) throws { fatalError("abstract") }
    func step(_ model: ModelObject?, _ parameters: UnsafeMutableRawPointer?, _ gradients: RawMutableArray) throws { fatalError("abstract") }
}

private final class OptimizerOf<Scalar: EngineScalar>: OptimizerObject {
    let optimizer: Optimizer<Scalar>

    init(_ options: OptimizerOptions, count: Int) throws { optimizer = try Optimizer(options, count: count) }

    override func setLearningRate(_ rate: Double) throws { try optimizer.setLearningRate(rate) }

    override func step(_ model: ModelObject?, _ parameters: UnsafeMutableRawPointer?, _ gradients: RawMutableArray) throws {
        let gradients: MutableMatrixView<Scalar> = try gradients.view("gradients")
        guard gradients.count == optimizer.count else {
            throw EngineError(.shape, "gradients: \(gradients.count) numbers, expected \(optimizer.count)")
        }
        if let model {
            guard let model = model as? ModelOf<Scalar> else {
                throw CallError(status: CAUSAL_ERROR_DTYPE, message: "model: its dtype differs from the optimizer's, \(Scalar.typeName)")
            }
            try optimizer.step(try model.model.resolve(model.parameters(parameters)), gradients: gradients.pointer)
        } else {
            let target: MutableMatrixView<Scalar> = try mutableMatrix(parameters, 1, optimizer.count, "parameters")
            try optimizer.step(Parameters(borrowing: UnsafeMutableBufferPointer(start: target.pointer, count: target.count)), gradients: gradients.pointer)
        }
    }
}

@_cdecl("causal_optimizer_create") @implementation
public func causal_optimizer_create(_ optimizer: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_optimizer_options>?,
                                    _ dtype: causal_dtype, _ count: Int) -> causal_status {
    call {
        let out = try require(optimizer, "optimizer")
        let options = try optimizerOptions(try CausalABI.options(options, "options"))
        let count = try size(count, "count")
        let object: OptimizerObject = try dispatch(dtype, float: { try OptimizerOf<Float>(options, count: count) },
                                                   double: { try OptimizerOf<Double>(options, count: count) })
        out.pointee = try HandleTable.insert(object)
    }
}

@_cdecl("causal_optimizer_free") @implementation
public func causal_optimizer_free(_ optimizer: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(optimizer, .optimizer) }
}

@_cdecl("causal_optimizer_set_learning_rate") @implementation
public func causal_optimizer_set_learning_rate(_ optimizer: OpaquePointer?, _ learningRate: Double) -> causal_status {
    call { try HandleTable.owning(optimizer, OptimizerObject.self) { try $0.setLearningRate(learningRate) } }
}

@_cdecl("causal_optimizer_step") @implementation
public func causal_optimizer_step(_ optimizer: OpaquePointer?, _ model: OpaquePointer?, _ parameters: UnsafeMutableRawPointer?,
                                  _ gradients: UnsafeMutableRawPointer?, _ dtype: causal_dtype, _ count: Int) -> causal_status {
    call {
        try HandleTable.owning(optimizer, OptimizerObject.self) { optimizer in
            let gradients = RawMutableArray(data: gradients, dtype: dtype, rows: 1, columns: count)
            if model == nil {
                try optimizer.step(nil, parameters, gradients)
            } else {
                try HandleTable.owning(model, ModelObject.self) { try optimizer.step($0, parameters, gradients) }
            }
        }
    }
}

func optimizerOptions(_ given: causal_optimizer_options) throws -> OptimizerOptions {
    let name = try text(given.method, "method")
    let method: OptimizerOptions.Method
    switch name {
    case "sgd": method = .sgd(momentum: given.momentum)
    case "adam": method = .adam(beta1: given.beta1, beta2: given.beta2, epsilon: given.epsilon)
    case "adamw": method = .adamW(beta1: given.beta1, beta2: given.beta2, epsilon: given.epsilon)
    default: throw EngineError(.value, "optimizer is \"\(name)\", expected one of sgd, adam, adamw")
    }
    return OptimizerOptions(method, learningRate: given.learning_rate, weightDecay: given.weight_decay,
                            clipNorm: given.clip_norm == 0 ? nil : given.clip_norm)
}
