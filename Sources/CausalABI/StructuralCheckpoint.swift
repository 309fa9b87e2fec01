public import CCausal
internal import CausalEngine
internal import CausalKernels

/// What keeping a structural model needs of either precision.
protocol StructuralKeeping {
    var dtype: causal_dtype { get }
    func save(to path: String, note: String) throws(EngineError)
    func encode(note: String) throws(EngineError) -> [UInt8]
}

extension StructuralModel {
    var dtype: causal_dtype { Scalar.dtype }
    func save(to path: String, note: String) throws(EngineError) { try StructuralCheckpoint.save(self, to: path, note: note) }
    func encode(note: String) throws(EngineError) -> [UInt8] { try StructuralCheckpoint.encode(self, note: note) }
}

private func object(_ checkpoint: StructuralCheckpoint) -> StructuralModelObject {
    switch checkpoint.model {
    case .float(let model): StructuralModelObject(model, note: checkpoint.note)
    case .double(let model): StructuralModelObject(model, note: checkpoint.note)
    }
}

private func asking<Result>(_ handle: OpaquePointer?, _ body: (any StructuralAnswers) throws -> Result) throws -> Result {
    try HandleTable.reading(handle, StructuralModelObject.self) { try body($0.model) }
}

// MARK: What a model is made of

@_cdecl("causal_structural_model_dtype") @implementation
public func causal_structural_model_dtype(_ model: OpaquePointer?, _ dtype: UnsafeMutablePointer<causal_dtype>?) -> causal_status {
    call { try asking(model) { try require(dtype, "dtype").pointee = $0.dtype } }
}

@_cdecl("causal_structural_model_graph") @implementation
public func causal_structural_model_graph(_ model: OpaquePointer?, _ graph: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(graph, "graph")
        out.pointee = try HandleTable.insert(GraphObject(try asking(model) { model in model.description.graph }))
    }
}

@_cdecl("causal_structural_model_levels") @implementation
public func causal_structural_model_levels(_ model: OpaquePointer?, _ variable: Int, _ levels: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try asking(model) { model in
            let kind = model.description.variables[try check(variable, model)].kind, out = try require(levels, "levels")
            if case .categorical(let count) = kind { out.pointee = count } else { out.pointee = 0 }
        }
    }
}

// MARK: Checkpoints

@_cdecl("causal_structural_model_save") @implementation
public func causal_structural_model_save(_ model: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ note: UnsafePointer<CChar>?) -> causal_status {
    call {
        let path = try text(path, "path"), note = try optionalText(note, "note")
        try asking(model) { model in try model.save(to: path, note: note) }
    }
}

@_cdecl("causal_structural_model_load") @implementation
public func causal_structural_model_load(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ path: UnsafePointer<CChar>?) -> causal_status {
    call {
        let out = try require(model, "model")
        out.pointee = try HandleTable.insert(object(try StructuralCheckpoint(path: try text(path, "path"))))
    }
}

@_cdecl("causal_structural_model_encode") @implementation
public func causal_structural_model_encode(_ model: OpaquePointer?, _ note: UnsafePointer<CChar>?, _ bytes: UnsafeMutableRawPointer?,
                                           _ capacity: Int, _ size: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        let note = try optionalText(note, "note")
        try asking(model) { model in try write(try model.encode(note: note), to: bytes, capacity: capacity, size: size) }
    }
}

@_cdecl("causal_structural_model_decode") @implementation
public func causal_structural_model_decode(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ bytes: UnsafeRawPointer?, _ size: Int) -> causal_status {
    call {
        let out = try require(model, "model"), size = try CausalABI.size(size, "size")
        let source = UnsafeRawBufferPointer(start: try require(bytes, "bytes"), count: size)
        out.pointee = try HandleTable.insert(object(try StructuralCheckpoint(decoding: source)))
    }
}

@_cdecl("causal_structural_model_note") @implementation
public func causal_structural_model_note(_ model: OpaquePointer?, _ note: UnsafeMutablePointer<CChar>?, _ capacity: Int,
                                         _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try HandleTable.reading(model, StructuralModelObject.self) { try write($0.note, to: note, capacity: capacity, length: length, "note") }
    }
}
