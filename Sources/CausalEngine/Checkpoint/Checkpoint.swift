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
    /// Where the header's own checksum stands: it comes first, and is zeros when it is computed.
    private static let opening = Array("{\"__metadata__\":{\"checksum\":\"".utf8)
    private static let blank = String(repeating: "0", count: 16)

    // MARK: Writing

    /// Saves a model; `note` is a text of the caller's own. A crash meanwhile leaves the file that was there.
    ///
    /// - Throws: `.file` where the system refuses, or where the note is too long to be loaded again.
    public static func save<Scalar: EngineScalar>(_ model: Model<Scalar>, to path: String, note: String = "",
                                                  parameters: Parameters<Scalar>? = nil) throws(EngineError) {
        try withParts(model, note, parameters) { header, numbers throws(EngineError) in try AtomicFile.write([header, numbers], to: path) }
    }

    /// The bytes that `save` writes.
    public static func encode<Scalar: EngineScalar>(_ model: Model<Scalar>, note: String = "", parameters: Parameters<Scalar>? = nil)
        throws(EngineError) -> [UInt8] {
        try withParts(model, note, parameters) { header, numbers in Array(header) + Array(numbers) }
    }

    private static func withParts<Scalar: EngineScalar, Result>(
        _ model: Model<Scalar>, _ note: String, _ parameters: Parameters<Scalar>?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let parameters = try model.resolve(parameters)
        let size = MemoryLayout<Scalar>.size, type = Scalar.self == Float.self ? "F32" : "F64"
        let file = SafeTensors(
            metadata: [("checksum", blank), ("format", format), ("network", model.network.text), ("note", note)],
            tensors: model.layout.tensors.map {
                SafeTensors.Tensor(name: $0.name, type: type, shape: $0.shape, begin: size * $0.offset, end: size * ($0.offset + $0.count))
            })
        let numbers = UnsafeRawBufferPointer(start: parameters.pointer, count: size * parameters.count)
        var header = file.headerBytes
        let longest = SafeTensors.longestHeader(dataSize: numbers.count)
        guard header.count - 8 <= longest else {
            throw EngineError(.file, "checkpoint: names and note take \(header.count - 8) bytes, which could not be loaded again; expected at most \(longest)")
        }
        var checksum = Checksum()
        header.withUnsafeBytes { checksum.add($0) }
        checksum.add(numbers)
        header.replaceSubrange(8 + opening.count..<8 + opening.count + 16, with: Array(checksum.text.utf8))
        return try header.withUnsafeBufferPointer { header throws(EngineError) in try body(UnsafeRawBufferPointer(header), numbers) }
    }

    // MARK: Reading

    /// - Throws: `.file` for a file that is not there, is not a checkpoint, was altered or cut off.
    public init(path: String) throws(EngineError) {
        do throws(EngineError) {
            self = try AtomicFile.read(path) { size, next throws(EngineError) in try Checkpoint(size: size, next: next) }
        } catch {
            throw error.message.contains(path) ? error : EngineError(error.kind, "cannot load \(path): \(error.message)")
        }
    }

    /// - Throws: `.file` for bytes that are not a checkpoint, were altered or cut off.
    public init(decoding bytes: [UInt8]) throws(EngineError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(EngineError) in try Checkpoint(decoding: UnsafeRawBufferPointer(bytes)) }
    }

    /// Reads the bytes where they are, and those after the header only where the header accounts for them.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(EngineError) {
        var rest = bytes[...]
        try self.init(size: bytes.count) { target throws(EngineError) in
            target.copyBytes(from: rest.prefix(target.count))
            rest = rest.dropFirst(target.count)
        }
    }

    private init(size: Int, next: (UnsafeMutableRawBufferPointer) throws(EngineError) -> Void) throws(EngineError) {
        func read(_ count: Int) throws(EngineError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            try bytes.withUnsafeMutableBufferPointer { bytes throws(EngineError) in try next(UnsafeMutableRawBufferPointer(bytes)) }
            return bytes
        }
        let length = try read(min(size, 8))
        var header = try read(try SafeTensors.headerLength(length, fileSize: size))
        let dataSize = size - 8 - header.count
        let file = try SafeTensors(header: header, dataSize: dataSize)

        guard file.text("format") == Checkpoint.format, let text = file.text("network") else {
            throw EngineError(.file, "a safetensors file, but not a checkpoint of this engine (format \(file.text("format") ?? "unknown"))")
        }
        let place = Checkpoint.opening.count..<Checkpoint.opening.count + 16
        guard header.starts(with: Checkpoint.opening), let stated = file.text("checksum"), header.count >= place.upperBound else {
            throw EngineError(.file, "the checkpoint was altered: its checksum is not where it belongs")
        }
        header.replaceSubrange(place, with: Array(Checkpoint.blank.utf8))
        var checksum = Checksum()
        length.withUnsafeBytes { checksum.add($0) }
        header.withUnsafeBytes { checksum.add($0) }

        let network = try Network(text: text)
        let layout = try ParameterLayout(network)
        func model<Scalar: EngineScalar>(_: Scalar.Type) throws(EngineError) -> Model<Scalar> {
            // Nothing is allocated for numbers that are not in the file.
            let (expected, overflow) = layout.count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.size)
            guard !overflow, expected == dataSize, file.tensors.map(\.name) == layout.tensors.map(\.name), file.tensors.map(\.shape) == layout.tensors.map(\.shape),
                  zip(file.tensors, layout.tensors).allSatisfy({ $0.begin == $1.offset * MemoryLayout<Scalar>.size }) else {
                throw EngineError(.file, "checkpoint: its tensors do not fit its network")
            }
            let model = try Model<Scalar>(network, ownsParameters: true)
            let numbers = UnsafeMutableRawBufferPointer(start: try model.resolve(nil).pointer, count: dataSize)
            try next(numbers)
            checksum.add(UnsafeRawBufferPointer(numbers))
            guard checksum.text == stated else {
                throw EngineError(.file, "the checkpoint was altered: its checksum is \(checksum.text), expected \(stated)")
            }
            return model
        }
        switch file.tensors.first?.type {
        case "F32" where file.tensors.allSatisfy({ $0.type == "F32" }): self.model = .float(try model(Float.self))
        case "F64" where file.tensors.allSatisfy({ $0.type == "F64" }): self.model = .double(try model(Double.self))
        default: throw EngineError(.file, "checkpoint: its tensors are not of one dtype")
        }
        note = file.text("note") ?? ""
    }
}
