public import CCausal
internal import CausalEngine
internal import CausalKernels

@_cdecl("causal_model_create_mlp") @implementation
public func causal_model_create_mlp(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_mlp_options>?) -> causal_status {
    create(model, options) { options in
        try .mlp(inputs: try size(options.inputs, "inputs"), hidden: try hidden(options), outputs: try size(options.outputs, "outputs"),
                 activation: try activation(options.activation, "activation"))
    }
}

@_cdecl("causal_model_create_graph_mlp") @implementation
public func causal_model_create_graph_mlp(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_mlp_options>?,
                                          _ graph: OpaquePointer?, _ features: UnsafePointer<Int>?) -> causal_status {
    create(model, options) { options in
        let graph = try HandleTable.reading(graph, GraphObject.self) { $0.graph }
        let inputs = try size(options.inputs, "inputs")
        // A list longer than the graph's variables cannot be one of different variables, and is not read.
        let listed = try features.map { features in
            let list: MatrixView<Int> = try matrix(features, 1, min(inputs, graph.count), "features")
            return (0..<list.count).map { list.pointer[$0] }
        }
        return try .mlp(inputs: inputs, hidden: try hidden(options), outputs: try size(options.outputs, "outputs"),
                        activation: try activation(options.activation, "activation"), graph: graph, features: listed)
    }
}

@_cdecl("causal_model_create_unit") @implementation
public func causal_model_create_unit(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_mlp_options>?) -> causal_status {
    create(model, options) { options in
        let hidden = try hidden(options)
        guard hidden.count <= 1 else { throw EngineError(.value, "unit: \(hidden.count) hidden layers, expected at most 1") }
        return try .unit(inputs: try size(options.inputs, "inputs"), hidden: hidden.first, outputs: try size(options.outputs, "outputs"),
                         activation: try activation(options.activation, "activation"))
    }
}

@_cdecl("causal_model_create_rewiring") @implementation
public func causal_model_create_rewiring(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_mlp_options>?,
                                         _ graph: OpaquePointer?) -> causal_status {
    create(model, options) { options in
        let graph = try graph.map { handle in try HandleTable.reading(handle, GraphObject.self) { $0.graph } }
        return try .rewiring(inputs: try size(options.inputs, "inputs"), outputs: try size(options.outputs, "outputs"), graph: graph)
    }
}

@_cdecl("causal_model_create_network") @implementation
public func causal_model_create_network(_ model: UnsafeMutablePointer<OpaquePointer?>?, _ options: UnsafePointer<causal_mlp_options>?,
                                        _ network: UnsafePointer<CChar>?) -> causal_status {
    create(model, options) { _ in try Network(text: try text(network, "network")) }
}

@_cdecl("causal_model_free") @implementation
public func causal_model_free(_ model: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(model, .model) }
}

@_cdecl("causal_model_dtype") @implementation
public func causal_model_dtype(_ model: OpaquePointer?, _ dtype: UnsafeMutablePointer<causal_dtype>?) -> causal_status {
    get(model, dtype, "dtype") { $0.dtype }
}

@_cdecl("causal_model_network") @implementation
public func causal_model_network(_ model: OpaquePointer?, _ network: UnsafeMutablePointer<CChar>?, _ capacity: Int,
                                 _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) {
            try write($0.network.text, to: network, capacity: capacity, length: length, "network")
        }
    }
}

@_cdecl("causal_model_input_width") @implementation
public func causal_model_input_width(_ model: OpaquePointer?, _ width: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, width, "width") { $0.network.inputWidth }
}

@_cdecl("causal_model_output_width") @implementation
public func causal_model_output_width(_ model: OpaquePointer?, _ width: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, width, "width") { $0.network.outputWidth }
}

@_cdecl("causal_model_site_count") @implementation
public func causal_model_site_count(_ model: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, count, "count") { $0.siteWidths.count }
}

@_cdecl("causal_model_site_width") @implementation
public func causal_model_site_width(_ model: OpaquePointer?, _ site: Int, _ width: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, width, "width") { model in
        guard model.siteWidths.indices.contains(site) else {
            throw EngineError(.name, "site \(UInt(bitPattern: site)) does not exist, expected 0 to \(model.siteWidths.count - 1)")
        }
        return model.siteWidths[site]
    }
}

@_cdecl("causal_model_parameter_count") @implementation
public func causal_model_parameter_count(_ model: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, count, "count") { $0.layout.count }
}

@_cdecl("causal_model_tensor_count") @implementation
public func causal_model_tensor_count(_ model: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    get(model, count, "count") { $0.layout.tensors.count }
}

@_cdecl("causal_model_tensor_shape") @implementation
public func causal_model_tensor_shape(_ model: OpaquePointer?, _ index: Int, _ offset: UnsafeMutablePointer<Int>?,
                                      _ dimensions: UnsafeMutablePointer<Int>?, _ shape: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        let offset = try require(offset, "offset"), dimensions = try require(dimensions, "dimensions"), shape = try require(shape, "shape")
        try HandleTable.reading(model, ModelObject.self) { model in
            let tensor = try tensor(model, index)
            offset.pointee = tensor.offset
            dimensions.pointee = tensor.shape.count
            for i in 0..<2 { shape[i] = i < tensor.shape.count ? tensor.shape[i] : 1 }
        }
    }
}

@_cdecl("causal_model_tensor_name") @implementation
public func causal_model_tensor_name(_ model: OpaquePointer?, _ index: Int, _ name: UnsafeMutablePointer<CChar>?, _ capacity: Int,
                                     _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) { model in
            try write(try tensor(model, index).name, to: name, capacity: capacity, length: length, "name")
        }
    }
}

@_cdecl("causal_model_initialize") @implementation
public func causal_model_initialize(_ model: OpaquePointer?, _ parameters: UnsafeMutableRawPointer?, _ count: Int, _ seed: UInt64) -> causal_status {
    call {
        try HandleTable.owning(model, ModelObject.self) { model in
            try expectParameters(count, model)
            try model.initialize(parameters, seed: seed)
        }
    }
}

@_cdecl("causal_model_get_parameters") @implementation
public func causal_model_get_parameters(_ model: OpaquePointer?, _ parameters: UnsafeMutableRawPointer?, _ dtype: causal_dtype, _ count: Int) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) { model in
            try expectParameters(count, model)
            try model.copyParameters(to: RawMutableArray(data: parameters, dtype: dtype, rows: 1, columns: count))
        }
    }
}

@_cdecl("causal_model_set_parameters") @implementation
public func causal_model_set_parameters(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?, _ dtype: causal_dtype, _ count: Int) -> causal_status {
    call {
        try HandleTable.owning(model, ModelObject.self) { model in
            try expectParameters(count, model)
            try model.copyParameters(from: RawArray(data: parameters, dtype: dtype, rows: 1, columns: count))
        }
    }
}

@_cdecl("causal_model_predict") @implementation
public func causal_model_predict(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?,
                                 _ x: UnsafeRawPointer?, _ xDtype: causal_dtype, _ xRows: Int, _ xColumns: Int,
                                 _ intervention: OpaquePointer?,
                                 _ y: UnsafeMutableRawPointer?, _ yDtype: causal_dtype, _ yRows: Int, _ yColumns: Int) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) { model in
            try model.predict(parameters, RawArray(data: x, dtype: xDtype, rows: xRows, columns: xColumns), intervention,
                              RawMutableArray(data: y, dtype: yDtype, rows: yRows, columns: yColumns))
        }
    }
}

@_cdecl("causal_trace_create") @implementation
public func causal_trace_create(_ trace: UnsafeMutablePointer<OpaquePointer?>?, _ model: OpaquePointer?) -> causal_status {
    call {
        let out = try require(trace, "trace")
        out.pointee = try HandleTable.insert(try HandleTable.reading(model, ModelObject.self) { try $0.makeTrace() })
    }
}

@_cdecl("causal_trace_free") @implementation
public func causal_trace_free(_ trace: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(trace, .trace) }
}

@_cdecl("causal_model_forward") @implementation
public func causal_model_forward(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?,
                                 _ x: UnsafeRawPointer?, _ xDtype: causal_dtype, _ xRows: Int, _ xColumns: Int,
                                 _ intervention: OpaquePointer?, _ trace: OpaquePointer?,
                                 _ y: UnsafeMutableRawPointer?, _ yDtype: causal_dtype, _ yRows: Int, _ yColumns: Int) -> causal_status {
    call {
        try HandleTable.reading(model, ModelObject.self) { model in
            try HandleTable.owning(trace, TraceObject.self) { trace in
                try model.forward(parameters, RawArray(data: x, dtype: xDtype, rows: xRows, columns: xColumns), intervention, trace,
                                  RawMutableArray(data: y, dtype: yDtype, rows: yRows, columns: yColumns))
            }
        }
    }
}

@_cdecl("causal_model_backward") @implementation
public func causal_model_backward(_ model: OpaquePointer?, _ parameters: UnsafeRawPointer?, _ trace: OpaquePointer?,
                                  _ dy: UnsafeRawPointer?, _ dyDtype: causal_dtype, _ dyRows: Int, _ dyColumns: Int,
                                  _ gradients: UnsafePointer<causal_gradients>?) -> causal_status {
    call {
        let wanted = try options(gradients, "gradients")
        try HandleTable.reading(model, ModelObject.self) { model in
            try HandleTable.owning(trace, TraceObject.self) { trace in
                try model.backward(parameters, trace, RawArray(data: dy, dtype: dyDtype, rows: dyRows, columns: dyColumns), wanted)
            }
        }
    }
}

// MARK: Pieces

private func create(_ out: UnsafeMutablePointer<OpaquePointer?>?, _ given: UnsafePointer<causal_mlp_options>?,
                    _ network: (causal_mlp_options) throws -> Network) -> causal_status {
    call {
        let out = try require(out, "model")
        let options = try options(given, "options")
        func make<Scalar: EngineScalar>(_: Scalar.Type) throws -> ModelObject {
            let network = try network(options)
            guard options.borrows_parameters == 0 else { return ModelOf(try Model<Scalar>(network, ownsParameters: false)) }
            return ModelOf(try Model<Scalar>(network, seed: options.seed))
        }
        out.pointee = try HandleTable.insert(try dispatch(options.dtype, float: { try make(Float.self) }, double: { try make(Double.self) }))
    }
}

private func hidden(_ options: causal_mlp_options) throws -> [Int] {
    let widths: MatrixView<Int> = try matrix(options.hidden, 1, options.hidden_count, "hidden")
    // A network this deep would run out of memory before it is described.
    guard widths.count <= 1 << 20 else { throw EngineError(.memory, "\(widths.count) hidden layers are too many to hold") }
    return try (0..<widths.count).map { try size(widths.pointer[$0], "width of hidden layer \($0)") }
}

private func get<Value>(_ model: OpaquePointer?, _ out: UnsafeMutablePointer<Value>?, _ name: String, _ body: (ModelObject) throws -> Value) -> causal_status {
    call {
        let out = try require(out, name)
        out.pointee = try HandleTable.reading(model, ModelObject.self, body)
    }
}

private func tensor(_ model: ModelObject, _ index: Int) throws -> ParameterLayout.Tensor {
    guard model.layout.tensors.indices.contains(index) else {
        throw EngineError(.name, "tensor \(UInt(bitPattern: index)) does not exist, expected 0 to \(model.layout.tensors.count - 1)")
    }
    return model.layout.tensors[index]
}

private func expectParameters(_ count: Int, _ model: ModelObject) throws {
    guard count == model.layout.count else {
        throw EngineError(.shape, "parameters: \(UInt(bitPattern: count)) numbers, expected \(model.layout.count)")
    }
}
