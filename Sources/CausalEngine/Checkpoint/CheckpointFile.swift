/// What all checkpoints are: a valid safetensors file whose metadata begin with a checksum of everything and the name of a format.
///
/// Bytes from anyone are safe to read: no more memory is taken than their own size warrants, and what comes of them is handed out only
/// after the checksum was found to be right.
enum CheckpointFile {
    /// Where the header's own checksum stands: it comes first, and is zeros when it is computed.
    private static let opening = Array("{\"__metadata__\":{\"checksum\":\"".utf8)
    private static let blank = String(repeating: "0", count: 16)

    // MARK: Writing

    /// Hands over the bytes of a file, part by part: its header, and the numbers of its tensors, which are there in their order.
    ///
    /// - Throws: `.file` where names and texts are too long, or too many, to be loaded again.
    static func withParts<Result>(
        format: String, metadata: [(name: String, text: String)], tensors: [SafeTensors.Tensor], numbers: [UnsafeRawBufferPointer],
        _ body: ([UnsafeRawBufferPointer]) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let file = SafeTensors(metadata: [("checksum", blank), ("format", format)] + metadata, tensors: tensors)
        let dataSize = numbers.reduce(0) { $0 + $1.count }
        guard file.valueCount <= SafeTensors.mostValues(dataSize: dataSize) else {
            throw EngineError(.file, "checkpoint: \(tensors.count) tensors of \(dataSize) bytes together are too many to be loaded again")
        }
        var header = file.headerBytes
        let longest = SafeTensors.longestHeader(dataSize: dataSize)
        guard header.count - 8 <= longest else {
            throw EngineError(.file, "checkpoint: names and note take \(header.count - 8) bytes, which could not be loaded again; expected at most \(longest)")
        }
        var checksum = Checksum()
        header.withUnsafeBytes { checksum.add($0) }
        for part in numbers { checksum.add(part) }
        header.replaceSubrange(8 + opening.count..<8 + opening.count + 16, with: Array(checksum.text.utf8))
        return try header.withUnsafeBufferPointer { header throws(EngineError) in try body([UnsafeRawBufferPointer(header)] + numbers) }
    }

    // MARK: Reading

    /// Fills its target with the next numbers of a file.
    typealias Reader = (UnsafeMutableRawBufferPointer) throws(EngineError) -> Void

    /// What `body` makes of a header that was understood, and of the numbers behind it, all of which it has to read.
    ///
    /// - Throws: `.file` for a file that is not there, is not of this format, was altered or cut off; its text names the path.
    static func load<Result>(_ path: String, format: String, _ body: (SafeTensors, @escaping Reader) throws(EngineError) -> Result) throws(EngineError) -> Result {
        do throws(EngineError) {
            return try AtomicFile.read(path) { size, next throws(EngineError) in try parse(size: size, next: next, format: format, body) }
        } catch {
            throw error.message.contains(path) ? error : EngineError(error.kind, "cannot load \(path): \(error.message)")
        }
    }

    /// The same for bytes in memory. They are read where they are, and those after the header only where the header accounts for them.
    static func decode<Result>(_ bytes: UnsafeRawBufferPointer, format: String, _ body: (SafeTensors, @escaping Reader) throws(EngineError) -> Result)
        throws(EngineError) -> Result {
        var rest = bytes[...]
        return try parse(size: bytes.count, next: { target throws(EngineError) in
            target.copyBytes(from: rest.prefix(target.count))
            rest = rest.dropFirst(target.count)
        }, format: format, body)
    }

    private static func parse<Result>(
        size: Int, next: @escaping Reader, format: String,
        _ body: (SafeTensors, @escaping Reader) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        func read(_ count: Int) throws(EngineError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            try bytes.withUnsafeMutableBufferPointer { bytes throws(EngineError) in try next(UnsafeMutableRawBufferPointer(bytes)) }
            return bytes
        }
        let length = try read(min(size, 8))
        var header = try read(try SafeTensors.headerLength(length, fileSize: size))
        let dataSize = size - 8 - header.count
        let file = try SafeTensors(header: header, dataSize: dataSize)

        guard file.text("format") == format else {
            throw EngineError(.file, "a safetensors file, but not a checkpoint of the format \"\(format)\" (format \(file.text("format") ?? "unknown"))")
        }
        let place = opening.count..<opening.count + 16
        guard header.starts(with: opening), let stated = file.text("checksum"), header.count >= place.upperBound else {
            throw EngineError(.file, "the checkpoint was altered: its checksum is not where it belongs")
        }
        header.replaceSubrange(place, with: Array(blank.utf8))
        var checksum = Checksum(), unread = dataSize
        length.withUnsafeBytes { checksum.add($0) }
        header.withUnsafeBytes { checksum.add($0) }

        let result = try body(file) { target throws(EngineError) in
            guard target.count <= unread else { throw EngineError(.file, "checkpoint: \(unread) bytes of numbers are left, expected \(target.count)") }
            try next(target)
            checksum.add(UnsafeRawBufferPointer(target))
            unread -= target.count
        }
        guard unread == 0 else { throw EngineError(.file, "checkpoint: \(unread) bytes of numbers belong to nothing") }
        guard checksum.text == stated else {
            throw EngineError(.file, "the checkpoint was altered: its checksum is \(checksum.text), expected \(stated)")
        }
        return result
    }
}
