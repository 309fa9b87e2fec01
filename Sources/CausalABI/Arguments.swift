internal import CCausal
internal import CausalEngine
internal import CausalKernels

// From what a caller handed over to what Swift can trust.

func require<T>(_ pointer: T?, _ name: String) throws -> T {
    guard let pointer else { throw CallError(status: CAUSAL_ERROR_NULL, message: "\(name) is NULL, expected a pointer") }
    return pointer
}

/// A C size, which Swift sees as a signed number.
func size(_ value: Int, _ name: @autoclosure () -> String) throws -> Int {
    guard value >= 0 else {
        throw CallError(status: CAUSAL_ERROR_MEMORY, message: "\(name()) is \(UInt(bitPattern: value)), too large to hold")
    }
    return value
}

func text(_ pointer: UnsafePointer<CChar>?, _ name: String) throws -> String {
    guard let string = String(validatingCString: try require(pointer, name)) else {
        throw CallError(status: CAUSAL_ERROR_VALUE, message: "\(name) is not UTF-8")
    }
    return string
}

func activation(_ pointer: UnsafePointer<CChar>?, _ name: String) throws -> Activation {
    let given = try text(pointer, name)
    guard let activation = Activation(rawValue: given) else {
        throw EngineError(.value, "\(name) is \"\(given)\", expected one of \(Activation.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return activation
}

/// A copy of an array of the caller's.
///
/// - Throws: NULL; MEMORY for a count that nothing in memory has, where Swift itself would end the process.
func array<T: BitwiseCopyable>(_ pointer: UnsafePointer<T>?, _ count: Int, _ name: String) throws -> [T] {
    _ = try checkedSize(try size(count, name), MemoryLayout<T>.stride, of: name)
    guard count > 0 else { return [] }
    let pointer = try require(pointer, name)
    return withExtendedLifetime(try Storage(copying: UnsafeBufferPointer(start: pointer, count: count), of: name)) { Array($0.buffer) }
}

/// Writes bytes as `snprintf` writes a text, but for the closing zero: at most `capacity` of them, and their whole number.
func write(_ source: [UInt8], to target: UnsafeMutableRawPointer?, capacity: Int, size: UnsafeMutablePointer<Int>?) throws {
    let needed = try require(size, "size"), capacity = try CausalABI.size(capacity, "capacity")
    needed.pointee = source.count
    guard capacity > 0 else { return }
    let target = try require(target, "bytes")
    source.withUnsafeBytes { source in
        if let base = source.baseAddress { target.copyMemory(from: base, byteCount: min(capacity, source.count)) }
    }
}

/// Writes a text as `snprintf` does: at most `capacity` bytes with the closing zero, and its whole length.
func write(_ string: String, to target: UnsafeMutablePointer<CChar>?, capacity: Int, length: UnsafeMutablePointer<Int>?, _ name: String) throws {
    let capacity = try size(capacity, "capacity")
    let bytes = Array(string.utf8)
    length?.pointee = bytes.count
    guard capacity > 0 else { return }
    let target = try require(target, name)
    let count = min(bytes.count, capacity - 1)
    for i in 0..<count { target[i] = CChar(bitPattern: bytes[i]) }
    target[count] = 0
}

/// A structure of options, whose first field tells how large its caller thinks it is.
func options<Options>(_ pointer: UnsafePointer<Options>?, _ name: String) throws -> Options {
    let pointer = try require(pointer, name)
    let stated = UnsafeRawPointer(pointer).load(as: Int.self)
    guard stated == MemoryLayout<Options>.size else {
        throw CallError(status: CAUSAL_ERROR_VALUE,
                        message: "\(name)->size is \(UInt(bitPattern: stated)), expected \(MemoryLayout<Options>.size): start from its INIT macro")
    }
    return pointer.pointee
}

extension EngineScalar {
    static var dtype: causal_dtype { self == Float.self ? CAUSAL_FLOAT32 : CAUSAL_FLOAT64 }

    static func expect(_ dtype: causal_dtype, _ name: String) throws {
        guard dtype == Self.dtype else {
            let given = dtype == CAUSAL_FLOAT32 ? "float32" : dtype == CAUSAL_FLOAT64 ? "float64" : "unknown (\(dtype.rawValue))"
            throw CallError(status: CAUSAL_ERROR_DTYPE, message: "\(name): dtype is \(given), expected \(typeName)")
        }
    }
}

/// Runs the body for the type that a dtype names.
func dispatch<Result>(_ dtype: causal_dtype, float: () throws -> Result, double: () throws -> Result) throws -> Result {
    switch dtype {
    case CAUSAL_FLOAT32: return try float()
    case CAUSAL_FLOAT64: return try double()
    default: throw CallError(status: CAUSAL_ERROR_DTYPE, message: "dtype is \(dtype.rawValue), expected CAUSAL_FLOAT32 or CAUSAL_FLOAT64")
    }
}

/// A matrix to read.
func matrix<T>(_ data: UnsafeRawPointer?, _ rows: Int, _ columns: Int, _ name: String, of _: T.Type = T.self) throws -> MatrixView<T> {
    let count = try elements(data, rows, columns, name, T.self)
    guard let data, count > 0 else { return MatrixView(emptyAddress(), rows: rows, columns: columns) }
    return MatrixView(data.assumingMemoryBound(to: T.self), rows: rows, columns: columns)
}

/// A matrix to write.
func mutableMatrix<T>(_ data: UnsafeMutableRawPointer?, _ rows: Int, _ columns: Int, _ name: String, of _: T.Type = T.self) throws -> MutableMatrixView<T> {
    let count = try elements(data, rows, columns, name, T.self)
    guard let data, count > 0 else { return MutableMatrixView(emptyAddress(), rows: rows, columns: columns) }
    return MutableMatrixView(data.assumingMemoryBound(to: T.self), rows: rows, columns: columns)
}

private func elements<T>(_ data: UnsafeRawPointer?, _ rows: Int, _ columns: Int, _ name: String, _: T.Type) throws -> Int {
    let count = try checkedSize(try size(rows, "\(name): number of rows"), try size(columns, "\(name): number of columns"), of: name)
    if count > 0 { try checkAligned(try require(data, name), name, T.self) }
    return count
}

func checkAligned<T>(_ data: UnsafeRawPointer, _ name: @autoclosure () -> String, _: T.Type) throws {
    guard Int(bitPattern: data) % MemoryLayout<T>.alignment == 0 else {
        throw CallError(status: CAUSAL_ERROR_VALUE, message: "\(name()): the address is not aligned to \(MemoryLayout<T>.alignment) bytes")
    }
}
