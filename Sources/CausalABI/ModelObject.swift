internal import CCausal
internal import CausalEngine
internal import CausalKernels

/// An array as C hands it over.
struct RawArray {
    let data: UnsafeRawPointer?
    let dtype: causal_dtype
    let rows: Int
    let columns: Int

    func view<Scalar: EngineScalar>(_ name: String, _: Scalar.Type = Scalar.self) throws -> MatrixView<Scalar> {
        try Scalar.expect(dtype, name)
        return try matrix(data, rows, columns, name)
    }
}

/// An array that C wants written.
struct RawMutableArray {
    let data: UnsafeMutableRawPointer?
    let dtype: causal_dtype
    let rows: Int
    let columns: Int

    func view<Scalar: EngineScalar>(_ name: String, _: Scalar.Type = Scalar.self) throws -> MutableMatrixView<Scalar> {
        try Scalar.expect(dtype, name)
        return try mutableMatrix(data, rows, columns, name)
    }
}

/// A model in one of the two precisions. The functions of the header that do not mind which find what they need here.
class ModelObject: Handled {
    static var kind: Kind { .model }

    let network: Network
    let layout: ParameterLayout
    let siteWidths: [Int]
    /// What the checkpoint it came from said beside the network.
    let note: String

    init(_ network: Network, _ layout: ParameterLayout, siteWidths: [Int], note: String) {
        self.network = network
        self.layout = layout
        self.siteWidths = siteWidths
        self.note = note
    }

    var dtype: causal_dtype { fatalError("abstract") }
    func initialize(_ parameters: UnsafeMutableRawPointer?, seed: UInt64) throws { fatalError("abstract") }
    func copyParameters(to target: RawMutableArray) throws { fatalError("abstract") }
    func copyParameters(from source: RawArray) throws { fatalError("abstract") }
    func predict(_ parameters: UnsafeRawPointer?, _ x: RawArray, _ intervention: OpaquePointer?, _ y: RawMutableArray) throws { fatalError("abstract") }
    func makeTrace() throws -> TraceObject { fatalError("abstract") }
    func forward(_ parameters: UnsafeRawPointer?, _ x: RawArray, _ intervention: OpaquePointer?, _ trace: TraceObject, _ y: RawMutableArray) throws { fatalError("abstract") }
    func backward(_ parameters: UnsafeRawPointer?, _ trace: TraceObject, _ dy: RawArray, _ gradients: causal_gradients) throws { fatalError("abstract") }
    func makeTrainer(_ parameters: UnsafeMutableRawPointer?, _ training: causal_dataset?, _ validation: causal_dataset?, _ options: TrainerOptions) throws -> TrainerObject { fatalError("abstract") }
    func encode(_ parameters: UnsafeRawPointer?, note: String) throws -> [UInt8] { fatalError("abstract") }
    func save(_ parameters: UnsafeRawPointer?, path: String, note: String) throws { fatalError("abstract") }
}

final class ModelOf<Scalar: EngineScalar>: ModelObject {
    let model: Model<Scalar>

    init(_ model: Model<Scalar>, note: String = "") {
        self.model = model
        super.init(model.network, model.layout, siteWidths: model.plan.siteWidths, note: note)
    }

    override var dtype: causal_dtype { Scalar.dtype }

    /// The buffer named in a call; nil stands for the model's own.
    func parameters(_ pointer: UnsafeRawPointer?) throws -> Parameters<Scalar>? {
        guard let pointer else { return nil }
        try checkAligned(pointer, "parameters", Scalar.self)
        let start = UnsafeMutableRawPointer(mutating: pointer).assumingMemoryBound(to: Scalar.self)
        return Parameters(borrowing: UnsafeMutableBufferPointer(start: start, count: layout.count))
    }

    override func initialize(_ parameters: UnsafeMutableRawPointer?, seed: UInt64) throws {
        try model.resolve(self.parameters(parameters)).initialize(layout, seed: seed)
    }

    override func copyParameters(to target: RawMutableArray) throws {
        let target: MutableMatrixView<Scalar> = try target.view("parameters")
        target.pointer.update(from: try model.resolve(nil).pointer, count: target.count)
    }

    override func copyParameters(from source: RawArray) throws {
        let source: MatrixView<Scalar> = try source.view("parameters")
        try model.resolve(nil).withMutablePointer { $0.update(from: source.pointer, count: source.count) }
    }

    override func makeTrainer(_ parameters: UnsafeMutableRawPointer?, _ training: causal_dataset?, _ validation: causal_dataset?,
                              _ options: TrainerOptions) throws -> TrainerObject {
        try trainer(parameters, training, validation, options)
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    override func predict(_ parameters: UnsafeRawPointer?, _ x: RawArray, _ intervention: OpaquePointer?, _ y: RawMutableArray) throws {
        try model.predict(try x.view("x"), under: try Scalar.intervention(intervention), parameters: try self.parameters(parameters), into: try y.view("y"))
    }

    override func makeTrace() throws -> TraceObject { TraceOf(try model.makeTrace()) }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    override func forward(_ parameters: UnsafeRawPointer?, _ x: RawArray, _ intervention: OpaquePointer?, _ trace: TraceObject, _ y: RawMutableArray) throws {
        try model.forward(try x.view("x"), under: try Scalar.intervention(intervention), parameters: try self.parameters(parameters),
                          try own(trace), into: try y.view("y"))
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    override func backward(_ parameters: UnsafeRawPointer?, _ trace: TraceObject, _ dy: RawArray, _ gradients: causal_gradients) throws {
        let trace = try own(trace)
        var targets = GradientTargets<Scalar>(parameters: nil, accumulates: gradients.accumulate != 0)
        if let pointer = gradients.parameters {
            guard gradients.parameter_count == layout.count else {
                throw EngineError(.shape, "gradients: \(UInt(bitPattern: gradients.parameter_count)) parameters, expected \(layout.count)")
            }
            try checkAligned(pointer, "gradients->parameters", Scalar.self)
            targets.parameters = pointer.assumingMemoryBound(to: Scalar.self)
        }
        targets.tensors = try tensorTargets(gradients)
        if let pointer = gradients.inputs {
            let inputs: MutableMatrixView<Scalar> = try mutableMatrix(pointer, gradients.input_rows, gradients.input_columns, "gradients->inputs")
            guard inputs.rows == trace.rows ?? 0, inputs.columns == network.inputWidth else {
                throw EngineError(.shape, "gradients: inputs of shape \(inputs.shape), expected (\(trace.rows ?? 0), \(network.inputWidth)) as x")
            }
            targets.inputs = inputs.pointer
        }
        targets.values = try valueTargets(gradients, trace)
        try model.backward(try dy.view("dy"), parameters: try self.parameters(parameters), trace, into: targets)
    }

    private func tensorTargets(_ gradients: causal_gradients) throws -> UnsafePointer<UnsafeMutableRawPointer?>? {
        guard let tensors = gradients.tensors, gradients.tensor_count != 0 else { return nil }
        guard gradients.parameters == nil else {
            throw EngineError(.value, "gradients: parameters and tensors are wanted, expected one of them")
        }
        guard gradients.tensor_count == layout.tensors.count else {
            throw EngineError(.shape, "gradients: \(UInt(bitPattern: gradients.tensor_count)) tensors, expected \(layout.tensors.count)")
        }
        for tensor in 0..<gradients.tensor_count {
            if let pointer = tensors[tensor] { try checkAligned(pointer, "gradients->tensors[\(tensor)]", Scalar.self) }
        }
        return tensors
    }

    private func valueTargets(_ gradients: causal_gradients, _ trace: Trace<Scalar>) throws -> [UnsafeMutablePointer<Scalar>?] {
        guard let values = gradients.values, gradients.site_count != 0 else { return [] }
        guard gradients.site_count == siteWidths.count else {
            throw EngineError(.shape, "gradients: \(UInt(bitPattern: gradients.site_count)) sites, expected \(siteWidths.count)")
        }
        return try (0..<siteWidths.count).map { site in
            guard let pointer = values[site] else { return nil }
            guard trace.hasEdit(at: site) else {
                throw EngineError(.name, "gradients: values wanted at site \(site), where nothing was set in the forward pass")
            }
            try checkAligned(pointer, "gradients->values[\(site)]", Scalar.self)
            return pointer.assumingMemoryBound(to: Scalar.self)
        }
    }

    override func encode(_ parameters: UnsafeRawPointer?, note: String) throws -> [UInt8] {
        try Checkpoint.encode(model, note: note, parameters: try self.parameters(parameters))
    }

    override func save(_ parameters: UnsafeRawPointer?, path: String, note: String) throws {
        try Checkpoint.save(model, to: path, note: note, parameters: try self.parameters(parameters))
    }

    private func own(_ trace: TraceObject) throws -> Trace<Scalar> {
        guard let trace = trace as? TraceOf<Scalar> else { throw EngineError(.state, "the trace belongs to another model") }
        return trace.trace
    }
}

class TraceObject: Handled {
    static var kind: Kind { .trace }
}

final class TraceOf<Scalar: EngineScalar>: TraceObject {
    let trace: Trace<Scalar>
    init(_ trace: Trace<Scalar>) { self.trace = trace }
}
