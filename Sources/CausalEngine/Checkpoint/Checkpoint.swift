public import CausalKernels

/// A model as bytes: a valid safetensors file that holds the parameters under their names and, as metadata, the network, a note of the
/// caller's own and a checksum of everything.
///
/// Bytes from anyone are safe to load: they decide nothing but numbers, and no more memory is taken than their own size warrants.
public struct Checkpoint {
    /// The model that was loaded, in the precision it was saved in.
    public enum AnyModel {
        case float(Model<Float>)
        case double(Model<Double>)
    }

    public let model: AnyModel
    public let note: String

    private static let format = "causal-engine 1"

    // MARK: Writing

    /// Saves a model; `note` is a text of the caller's own. A crash meanwhile leaves the file that was there.
    ///
    /// - Throws: `.file` where the system refuses, or where the note is too long to be loaded again.
    public static func save<Scalar: EngineScalar>(_ model: Model<Scalar>, to path: String, note: String = "",
                                                  parameters: Parameters<Scalar>? = nil) throws(EngineError) {
        try withParts(model, note, parameters) { parts throws(EngineError) in try AtomicFile.write(parts, to: path) }
    }

    /// The bytes that `save` writes.
    public static func encode<Scalar: EngineScalar>(_ model: Model<Scalar>, note: String = "", parameters: Parameters<Scalar>? = nil)
        throws(EngineError) -> [UInt8] {
        try withParts(model, note, parameters) { parts in parts.reduce(into: []) { $0 += $1 } }
    }

    private static func withParts<Scalar: EngineScalar, Result>(
        _ model: Model<Scalar>, _ note: String, _ parameters: Parameters<Scalar>?,
        _ body: ([UnsafeRawBufferPointer]) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let parameters = try model.resolve(parameters)
        let size = MemoryLayout<Scalar>.size
        return try CheckpointFile.withParts(
            format: format, metadata: [("network", model.network.text), ("note", note)],
            tensors: model.layout.tensors.map {
                SafeTensors.Tensor(name: $0.name, type: SafeTensors.type(of: Scalar.self), shape: $0.shape, begin: size * $0.offset, end: size * ($0.offset + $0.count))
            },
            numbers: [UnsafeRawBufferPointer(start: parameters.pointer, count: size * parameters.count)], body)
    }

    // MARK: Reading

    /// - Throws: `.file` for a file that is not there, is not a checkpoint, was altered or cut off.
    public init(path: String) throws(EngineError) {
        self = try CheckpointFile.load(path, format: Checkpoint.format) { header, read throws(EngineError) in try Checkpoint(header, read) }
    }

    /// - Throws: `.file` for bytes that are not a checkpoint, were altered or cut off.
    public init(decoding bytes: [UInt8]) throws(EngineError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(EngineError) in try Checkpoint(decoding: UnsafeRawBufferPointer(bytes)) }
    }

    /// Reads the bytes where they are, and those after the header only where the header accounts for them.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(EngineError) {
        self = try CheckpointFile.decode(bytes, format: Checkpoint.format) { header, read throws(EngineError) in try Checkpoint(header, read) }
    }

    private init(_ header: SafeTensors, _ read: CheckpointFile.Reader) throws(EngineError) {
        let network = try Network(text: header.metadata("network")), tensors = header.tensors
        let layout = try ParameterLayout(network)
        func model<Scalar: EngineScalar>(_: Scalar.Type) throws(EngineError) -> Model<Scalar> {
            // Nothing is allocated for numbers that are not in the file.
            let (expected, overflow) = layout.count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.size)
            guard !overflow, expected == header.dataSize, tensors.map(\.name) == layout.tensors.map(\.name), tensors.map(\.shape) == layout.tensors.map(\.shape),
                  zip(tensors, layout.tensors).allSatisfy({ $0.begin == $1.offset * MemoryLayout<Scalar>.size }) else {
                throw EngineError(.file, "checkpoint: its tensors do not fit its network")
            }
            let model = try Model<Scalar>(network, ownsParameters: true)
            try read(UnsafeMutableRawBufferPointer(start: try model.resolve(nil).pointer, count: expected))
            return model
        }
        switch tensors.first?.type {
        case "F32" where tensors.allSatisfy({ $0.type == "F32" }): self.model = .float(try model(Float.self))
        case "F64" where tensors.allSatisfy({ $0.type == "F64" }): self.model = .double(try model(Double.self))
        default: throw EngineError(.file, "checkpoint: its tensors are not of one dtype")
        }
        note = header.text("note") ?? ""
    }
}
