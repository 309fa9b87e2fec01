internal import CausalKernels

/// The header of a safetensors file: eight bytes with its length (little-endian), a JSON object that names tensors, then their
/// numbers, one tensor after the other. (github.com/huggingface/safetensors; checked as strictly as its own reader does.)
struct SafeTensors: Equatable {
    struct Tensor: Equatable {
        let name: String
        /// "F32", "F64".
        let type: String
        let shape: [Int]
        /// In bytes, from the end of the header.
        let begin: Int
        let end: Int
    }

    /// Texts beside the tensors, in order.
    var metadata: [(name: String, text: String)]
    var tensors: [Tensor]

    /// Longer headers before so many bytes of numbers are refused: they would take more memory to understand than any network needs. A
    /// graph's edges make a header grow with the numbers.
    static func longestHeader(dataSize: Int) -> Int { 32 << 20 + dataSize }

    /// As many values may a header before so many bytes of numbers have: what they take in memory stays in proportion to the file. An
    /// ensemble's tensors grow with the numbers.
    static func mostValues(dataSize: Int) -> Int { JSON.mostValues + dataSize / 16 }

    /// The values of the header, as a reader counts them.
    var valueCount: Int { 2 + metadata.count + tensors.reduce(0) { $0 + 6 + $1.shape.count } }

    /// What the format calls a type.
    static func type<Scalar: EngineScalar>(of _: Scalar.Type) -> String { Scalar.self == Float.self ? "F32" : "F64" }

    static func == (a: SafeTensors, b: SafeTensors) -> Bool {
        a.tensors == b.tensors && a.metadata.elementsEqual(b.metadata) { $0 == $1 }
    }

    func text(_ name: String) -> String? { metadata.first { $0.name == name }?.text }

    /// - Throws: `.file` where there is none of that name.
    func metadata(_ name: String) throws(EngineError) -> String {
        guard let text = text(name) else { throw EngineError(.file, "checkpoint: its metadata have no \(name)") }
        return text
    }

    /// Bytes of all numbers.
    var dataSize: Int { tensors.reduce(0) { max($0, $1.end) } }

    /// The length and the header, filled up with spaces so that the numbers are aligned.
    var headerBytes: [UInt8] {
        var members = [JSON.Member(name: "__metadata__", value: .object(metadata.map { JSON.Member(name: $0.name, value: .string($0.text)) }))]
        for tensor in tensors {
            members.append(JSON.Member(name: tensor.name, value: .object([
                JSON.Member(name: "dtype", value: .string(tensor.type)),
                JSON.Member(name: "shape", value: .array(tensor.shape.map(JSON.integer))),
                JSON.Member(name: "data_offsets", value: .array([.integer(tensor.begin), .integer(tensor.end)])),
            ])))
        }
        var text = Array(JSON.object(members).text.utf8)
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
    }

    init(metadata: [(name: String, text: String)], tensors: [Tensor]) {
        self.metadata = metadata
        self.tensors = tensors
    }

    /// The length of the header that the first eight bytes of a file announce.
    ///
    /// - Throws: `.file` where a file of `size` bytes cannot have it.
    static func headerLength(_ bytes: some Collection<UInt8>, fileSize size: Int) throws(EngineError) -> Int {
        guard size >= 8, bytes.count >= 8 else { throw EngineError(.file, "not a checkpoint: \(size) bytes are too few") }
        var length: UInt64 = 0
        for (i, byte) in bytes.prefix(8).enumerated() { length |= UInt64(byte) << (8 * i) }
        guard length <= UInt64(size - 8) else { throw EngineError(.file, "not a checkpoint, or cut off: a header of \(length) bytes in a file of \(size)") }
        let longest = longestHeader(dataSize: size - 8 - Int(length))
        guard length <= longest else { throw EngineError(.file, "a header of \(length) bytes, expected at most \(longest)") }
        return Int(length)
    }

    /// Understands a header.
    ///
    /// - Parameters:
    ///   - header: its text, without the length before it.
    ///   - dataSize: the bytes that follow it.
    /// - Throws: `.file` for anything that is not as the format wants it.
    init(header: some Collection<UInt8>, dataSize: Int) throws(EngineError) {
        let mostValues = SafeTensors.mostValues(dataSize: dataSize)
        guard header.first == UInt8(ascii: "{") else { throw EngineError(.file, "not a checkpoint: its header does not begin with {") }
        guard let members = try JSON(parsing: header, mostValues: mostValues).members else { throw EngineError(.file, "not a checkpoint: its header is not an object") }
        metadata = []
        tensors = []
        for member in members {
            if member.name == "__metadata__" {
                for entry in member.value.members ?? [] {
                    guard let text = entry.value.string else { throw EngineError(.file, "checkpoint: the metadata \(entry.name) is not a text") }
                    metadata.append((entry.name, text))
                }
            } else {
                tensors.append(try SafeTensors.tensor(member.name, member.value))
            }
        }
        var expected = 0
        for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            guard tensor.begin == expected else {
                throw EngineError(.file, "checkpoint: tensor \(tensor.name) begins at byte \(tensor.begin), expected \(expected)")
            }
            expected = tensor.end
        }
        guard expected == dataSize else {
            throw EngineError(.file, "checkpoint: \(dataSize) bytes of numbers, expected \(expected); it was cut off or added to")
        }
    }

    private static func tensor(_ name: String, _ value: JSON) throws(EngineError) -> Tensor {
        func failure(_ what: String) -> EngineError { EngineError(.file, "checkpoint: tensor \(name) \(what)") }
        guard let type = value["dtype"]?.string, let sides = value["shape"]?.array, let offsets = value["data_offsets"]?.array,
              value.members?.count == 3 else { throw failure("is not described by dtype, shape and data_offsets") }
        guard let size = ["F32": 4, "F64": 8][type] else { throw failure("is of dtype \(type), expected F32 or F64") }
        let shape = sides.compactMap(\.integer), ends = offsets.compactMap(\.integer)
        guard shape.count == sides.count, shape.allSatisfy({ $0 >= 0 }) else { throw failure("has no proper shape") }
        guard ends.count == 2, offsets.count == 2, ends[0] >= 0, ends[1] >= ends[0] else { throw failure("has no proper data_offsets") }
        var bytes = size
        for side in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: side)
            guard !overflow else { throw failure("is too large") }
            bytes = product
        }
        guard bytes == ends[1] - ends[0] else { throw failure("of shape \(shape) takes \(bytes) bytes, but \(ends[1] - ends[0]) are there") }
        return Tensor(name: name, type: type, shape: shape, begin: ends[0], end: ends[1])
    }
}
