public import CCausal
internal import CausalEngine
internal import CausalKernels

final class GraphObject: Handled {
    static let kind = Kind.graph
    let graph: Graph
    init(_ graph: Graph) { self.graph = graph }
}

@_cdecl("causal_graph_create") @implementation
public func causal_graph_create(_ graph: UnsafeMutablePointer<OpaquePointer?>?, _ adjacency: UnsafePointer<UInt8>?, _ count: Int,
                                _ names: UnsafePointer<UnsafePointer<CChar>?>?) -> causal_status {
    call {
        let out = try require(graph, "graph")
        // Before the matrix is looked at: a count this large has no matrix.
        guard (1...Graph.mostVariables).contains(count) else {
            throw EngineError(.value, "graph: \(UInt(bitPattern: count)) variables, expected 1 to \(Graph.mostVariables)")
        }
        let matrix: MatrixView<UInt8> = try matrix(adjacency, count, count, "adjacency")
        let names = try names.map { names in try (0..<count).map { try text(names[$0], "names[\($0)]") } }
        let bytes = UnsafeBufferPointer(start: matrix.pointer, count: matrix.count)
        out.pointee = try HandleTable.insert(GraphObject(try Graph(matrix: bytes, count: count, names: names)))
    }
}

@_cdecl("causal_graph_free") @implementation
public func causal_graph_free(_ graph: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(graph, .graph) }
}

@_cdecl("causal_graph_variable_count") @implementation
public func causal_graph_variable_count(_ graph: OpaquePointer?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    call { try reading(graph) { try require(count, "count").pointee = $0.count } }
}

@_cdecl("causal_graph_variable_name") @implementation
public func causal_graph_variable_name(_ graph: OpaquePointer?, _ variable: Int, _ name: UnsafeMutablePointer<CChar>?, _ capacity: Int,
                                       _ length: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try reading(graph) { (graph: Graph) in
            guard graph.names.indices.contains(variable) else {
                throw EngineError(.name, "graph: variable \(UInt(bitPattern: variable)) does not exist, expected 0 to \(graph.count - 1)")
            }
            try write(graph.names[variable], to: name, capacity: capacity, length: length, "name")
        }
    }
}

@_cdecl("causal_graph_adjacency") @implementation
public func causal_graph_adjacency(_ graph: OpaquePointer?, _ adjacency: UnsafeMutablePointer<UInt8>?, _ count: Int) -> causal_status {
    call {
        try reading(graph) { graph in
            try expectVariables(count, graph)
            let out = try require(adjacency, "adjacency")
            out.update(repeating: 0, count: count * count)
            for parent in 0..<count {
                for child in try graph.children(of: parent) { out[parent * count + child] = 1 }
            }
        }
    }
}

@_cdecl("causal_graph_parents") @implementation
public func causal_graph_parents(_ graph: OpaquePointer?, _ variable: Int, _ indices: UnsafeMutablePointer<Int>?,
                                 _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    list(graph, indices, count) { try $0.parents(of: variable) }
}

@_cdecl("causal_graph_children") @implementation
public func causal_graph_children(_ graph: OpaquePointer?, _ variable: Int, _ indices: UnsafeMutablePointer<Int>?,
                                  _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    list(graph, indices, count) { try $0.children(of: variable) }
}

@_cdecl("causal_graph_ancestors") @implementation
public func causal_graph_ancestors(_ graph: OpaquePointer?, _ variable: Int, _ indices: UnsafeMutablePointer<Int>?,
                                   _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    list(graph, indices, count) { try $0.ancestors(of: variable) }
}

@_cdecl("causal_graph_descendants") @implementation
public func causal_graph_descendants(_ graph: OpaquePointer?, _ variable: Int, _ indices: UnsafeMutablePointer<Int>?,
                                     _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    list(graph, indices, count) { try $0.descendants(of: variable) }
}

@_cdecl("causal_graph_topological_order") @implementation
public func causal_graph_topological_order(_ graph: OpaquePointer?, _ order: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try reading(graph) { graph in
            let out = try require(order, "order")
            for (i, variable) in try graph.topologicalOrder().enumerated() { out[i] = variable }
        }
    }
}

@_cdecl("causal_graph_find_cycle") @implementation
public func causal_graph_find_cycle(_ graph: OpaquePointer?, _ cycle: UnsafeMutablePointer<Int>?, _ count: UnsafeMutablePointer<Int>?) -> causal_status {
    list(graph, cycle, count) { $0.findCycle() ?? [] }
}

@_cdecl("causal_graph_intervene") @implementation
public func causal_graph_intervene(_ graph: OpaquePointer?, _ mask: UnsafePointer<UInt8>?, _ count: Int,
                                   _ rewired: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(rewired, "rewired")
        let result = try reading(graph) { graph in
            try expectVariables(count, graph)
            return try graph.intervening(on: bools(try require(mask, "mask"), count))
        }
        out.pointee = try HandleTable.insert(GraphObject(result))
    }
}

@_cdecl("causal_graph_mask_edges") @implementation
public func causal_graph_mask_edges(_ graph: OpaquePointer?, _ mask: UnsafePointer<UInt8>?, _ weight: UnsafeRawPointer?, _ dtype: causal_dtype,
                                    _ rows: Int, _ columns: Int, _ masked: UnsafeMutableRawPointer?) -> causal_status {
    call {
        try reading(graph) { graph in
            func run<Scalar: EngineScalar>(_: Scalar.Type) throws {
                let from: MatrixView<Scalar> = try matrix(weight, rows, columns, "weight")
                let to: MutableMatrixView<Scalar> = try mutableMatrix(masked, rows, columns, "masked")
                try graph.maskEdges(from, mask: bools(try require(mask, "mask"), graph.count), into: to)
            }
            try dispatch(dtype, float: { try run(Float.self) }, double: { try run(Double.self) })
        }
    }
}

func reading<Result>(_ handle: OpaquePointer?, _ body: (Graph) throws -> Result) throws -> Result {
    try HandleTable.reading(handle, GraphObject.self) { try body($0.graph) }
}

private func list(_ graph: OpaquePointer?, _ indices: UnsafeMutablePointer<Int>?, _ count: UnsafeMutablePointer<Int>?,
                  _ body: (Graph) throws -> [Int]) -> causal_status {
    call {
        try reading(graph) { graph in
            let indices = try require(indices, "indices"), count = try require(count, "count")
            let found = try body(graph)
            for (i, index) in found.enumerated() { indices[i] = index }
            count.pointee = found.count
        }
    }
}

func expectVariables(_ count: Int, _ graph: Graph) throws {
    guard count == graph.count else {
        throw EngineError(.shape, "\(UInt(bitPattern: count)) variables given, the graph has \(graph.count)")
    }
}

func bools(_ mask: UnsafePointer<UInt8>, _ count: Int) -> [Bool] { (0..<count).map { mask[$0] != 0 } }
