public import CCausal
internal import CausalEngine

@_cdecl("causal_model_save") @implementation
public func causal_model_save(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?, _ path: UnsafePointer<CChar>?, _ note: UnsafePointer<CChar>?) -> causal_status {
    call {
        let path = try text(path, "path"), note = try optionalText(note, "note")
        try HandleTable.reading(model, ModelObject.self) { try $0.save(parameters, path: path, note: note) }
    }
}

@_cdecl("causal_model_load") @implementation
public func causal_model_load(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ path: UnsafePointer<CChar>?) -> causal_status {
    call {
        let out = try require(model, "model")
        out.pointee = try HandleTable.insert(object(try Checkpoint(path: try text(path, "path"))))
    }
}

@_cdecl("causal_model_encode") @implementation
public func causal_model_encode(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?, _ note: UnsafePointer<CChar>?,
                                _ bytes: UnsafeMutableRawPointer?, _ capacity: Int, _ size: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        let note = try optionalText(note, "note")
        try HandleTable.reading(model, ModelObject.self) { model in
            try write(try model.encode(parameters, note: note), to: bytes, capacity: capacity, size: size)
        }
    }
}

@_cdecl("causal_model_decode") @implementation
public func causal_model_decode(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ bytes: UnsafeRawPointer?, _ size: Int) -> causal_status {
    call {
        let out = try require(model, "model"), size = try CausalABI.size(size, "size")
        let source = UnsafeRawBufferPointer(start: try require(bytes, "bytes"), count: size)
        out.pointee = try HandleTable.insert(object(try Checkpoint(decoding: source)))
    }
}

@_cdecl("causal_model_note") @implementation
public func causal_model_note(_ model: OpaquePointer?, _ note: UnsafeMutablePointer<CChar>?, _ capacity: Int, _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) { try write($0.note, to: note, capacity: capacity, length: length, "note") }
    }
}

private func object(_ checkpoint: Checkpoint) -> ModelObject {
    switch checkpoint.model {
    case .float(let model): ModelOf(model, note: checkpoint.note)
    case .double(let model): ModelOf(model, note: checkpoint.note)
    }
}

/// A text that may be NULL, which stands for none.
func optionalText(_ pointer: UnsafePointer<CChar>?, _ name: String) throws -> String {
    guard let pointer else { return "" }
    return try text(pointer, name)
}
