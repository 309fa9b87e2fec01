public import CausalKernels

/// A structural model as bytes: a valid safetensors file that holds, for each member and variable, its network's tensors
/// (`members.0.outcome.layers.0.layers.0.weight`) and the noise that was kept (`members.0.outcome.noise`) and, as metadata, the graph,
/// variables, mechanisms, a note of the caller's own and a checksum of everything. What is loaded answers as what was saved, to the bit.
///
/// Bytes from anyone are safe to load: they decide nothing but numbers, and no more memory is taken than their own size warrants.
public struct StructuralCheckpoint {
    /// The model that was loaded, in the precision it was saved in.
    public enum AnyModel {
        case float(StructuralModel<Float>)
        case double(StructuralModel<Double>)
    }

    public let model: AnyModel
    public let note: String

    private static let format = "causal-engine structural 1"

    // MARK: Writing

    /// Saves a model; `note` is a text of the caller's own. A crash meanwhile leaves the file that was there.
    ///
    /// - Throws: `.file` where the system refuses, or where names and note are too long to be loaded again; `.value` where a
    ///   variable's mean or scale is not finite.
    public static func save<Scalar: EngineScalar>(_ model: StructuralModel<Scalar>, to path: String, note: String = "") throws(EngineError) {
        try withParts(model, note) { parts throws(EngineError) in try AtomicFile.write(parts, to: path) }
    }

    /// The bytes that `save` writes.
    public static func encode<Scalar: EngineScalar>(_ model: StructuralModel<Scalar>, note: String = "") throws(EngineError) -> [UInt8] {
        try withParts(model, note) { parts in parts.reduce(into: []) { $0 += $1 } }
    }

    private static func withParts<Scalar: EngineScalar, Result>(
        _ model: StructuralModel<Scalar>, _ note: String, _ body: ([UnsafeRawBufferPointer]) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        for (variable, mechanism) in zip(model.variables, model.description.mechanisms) {
            if case .given = mechanism {
                throw EngineError(.value, "checkpoint: the mechanism of \(variable.name) is a formula, which no file can hold")
            }
        }
        let description = model.description
        for (variable, mechanism) in zip(description.variables, model.mechanisms.list) where !mechanism.scale.isUsable {
            throw EngineError(.value, "structural checkpoint: \(variable.name) has a mean of \(mechanism.scale.mean) and a scale of \(mechanism.scale.scale), "
                + "expected finite numbers, and a scale above 0")
        }
        func texts(_ values: [JSON]) throws(EngineError) -> String {
            guard values.reduce(1, { $0 + $1.valueCount }) <= JSON.mostValues else {
                throw EngineError(.file, "structural checkpoint: its mechanisms have too many hidden layers to be loaded again")
            }
            return JSON.array(values).text
        }
        var tensors: [SafeTensors.Tensor] = [], numbers: [UnsafeRawBufferPointer] = [], end = 0
        for tensor in model.tensors {
            tensors.append(SafeTensors.Tensor(name: tensor.name, type: tensor.type, shape: tensor.shape, begin: end, end: end + tensor.bytes.count))
            numbers.append(tensor.bytes)
            end += tensor.bytes.count
        }
        return try withExtendedLifetime(model) { () throws(EngineError) in
            try CheckpointFile.withParts(
                format: format, metadata: [
                    ("dtype", Scalar.typeName), ("members", "\(model.members)"), ("graph", description.graph.json.text),
                    ("variables", try texts(description.variables.map(\.kind.json))), ("mechanisms", try texts(description.mechanisms.map(\.json))),
                    ("standardisation", try texts(model.mechanisms.list.map(\.scale.json))), ("note", note),
                ],
                tensors: tensors, numbers: numbers, body)
        }
    }

    // MARK: Reading

    /// - Throws: `.file` for a file that is not there, is not a checkpoint of a structural model, was altered or cut off.
    public init(path: String) throws(EngineError) {
        self = try CheckpointFile.load(path, format: StructuralCheckpoint.format) { header, read throws(EngineError) in
            try StructuralCheckpoint(header, read)
        }
    }

    /// - Throws: `.file` for bytes that are not a checkpoint of a structural model, were altered or cut off.
    public init(decoding bytes: [UInt8]) throws(EngineError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(EngineError) in try StructuralCheckpoint(decoding: UnsafeRawBufferPointer(bytes)) }
    }

    /// Reads the bytes where they are, and those after the header only where the header accounts for them.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(EngineError) {
        self = try CheckpointFile.decode(bytes, format: StructuralCheckpoint.format) { header, read throws(EngineError) in
            try StructuralCheckpoint(header, read)
        }
    }

    private init(_ header: SafeTensors, _ read: @escaping CheckpointFile.Reader) throws(EngineError) {
        do throws(EngineError) {
            let dtype = try header.metadata("dtype")
            switch dtype {
            case Float.typeName: model = .float(try StructuralModel(header, read))
            case Double.typeName: model = .double(try StructuralModel(header, read))
            default: throw EngineError(.file, "its dtype is \(dtype), expected \(Float.typeName) or \(Double.typeName)")
            }
        } catch {
            // A cycle or a value that is not allowed is the file's fault here, not the caller's.
            throw EngineError(error.kind == .memory ? .memory : .file, "structural checkpoint: \(error.message)")
        }
        note = header.text("note") ?? ""
    }
}
