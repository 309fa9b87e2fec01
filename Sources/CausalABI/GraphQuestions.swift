public import CCausal
internal import CausalEngine
internal import CausalKernels

// Sets of variables are masks here: one byte a variable.

@_cdecl("causal_graph_confound") @implementation
public func causal_graph_confound(_ graph: OpaquePointer?, _ pairs: UnsafePointer<UInt8>?, _ count: Int,
                                  _ confounded: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(confounded, "confounded")
        let result = try reading(graph) { graph in
            try expectVariables(count, graph)
            let pairs = try require(pairs, "pairs")
            var chosen: [(first: Int, second: Int)] = []
            for i in 0..<count {
                for j in 0..<count where pairs[i * count + j] != 0 { chosen.append((i, j)) }
            }
            return try graph.confounding(chosen)
        }
        out.pointee = try HandleTable.insert(GraphObject(result))
    }
}

@_cdecl("causal_graph_confounded") @implementation
public func causal_graph_confounded(_ graph: OpaquePointer?, _ pairs: UnsafeMutablePointer<UInt8>?, _ count: Int) -> causal_status {
    call {
        try reading(graph) { graph in
            try expectVariables(count, graph)
            let out = try require(pairs, "pairs")
            out.update(repeating: 0, count: count * count)
            for (first, second) in graph.confoundedPairs {
                out[first * count + second] = 1
                out[second * count + first] = 1
            }
        }
    }
}

@_cdecl("causal_graph_hide") @implementation
public func causal_graph_hide(_ graph: OpaquePointer?, _ mask: UnsafePointer<UInt8>?, _ count: Int,
                              _ projected: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(projected, "projected")
        let result = try reading(graph) { graph in
            try expectVariables(count, graph)
            return try graph.hiding(members(require(mask, "mask"), count))
        }
        out.pointee = try HandleTable.insert(GraphObject(result))
    }
}

@_cdecl("causal_graph_districts") @implementation
public func causal_graph_districts(_ graph: OpaquePointer?, _ first: UnsafeMutablePointer<Int>?) -> causal_status {
    call {
        try reading(graph) { graph in
            let first = try require(first, "first")
            for district in graph.districts {
                for variable in district { first[variable] = district[0] }
            }
        }
    }
}

@_cdecl("causal_graph_is_separated") @implementation
public func causal_graph_is_separated(_ graph: OpaquePointer?, _ x: UnsafePointer<UInt8>?, _ y: UnsafePointer<UInt8>?,
                                      _ given: UnsafePointer<UInt8>?, _ count: Int, _ answer: UnsafeMutablePointer<CInt>?) -> causal_status {
    asking(graph, count) { graph in
        let answer = try require(answer, "answer")
        let given = given.map { members($0, count) } ?? []
        answer.pointee = try graph.isSeparated(members(require(x, "x"), count), from: members(require(y, "y"), count), given: given) ? 1 : 0
    }
}

@_cdecl("causal_graph_is_back_door_set") @implementation
public func causal_graph_is_back_door_set(_ graph: OpaquePointer?, _ set: UnsafePointer<UInt8>?, _ treatments: UnsafePointer<UInt8>?,
                                          _ outcomes: UnsafePointer<UInt8>?, _ count: Int,
                                          _ answer: UnsafeMutablePointer<CInt>?) -> causal_status {
    asking(graph, count) { graph in
        let answer = try require(answer, "answer"), set = try members(require(set, "set"), count)
        answer.pointee = try graph.isBackDoorSet(set, treatments: members(require(treatments, "treatments"), count),
                                                 outcomes: members(require(outcomes, "outcomes"), count)) ? 1 : 0
    }
}

@_cdecl("causal_graph_back_door_sets") @implementation
public func causal_graph_back_door_sets(_ graph: OpaquePointer?, _ treatments: UnsafePointer<UInt8>?, _ outcomes: UnsafePointer<UInt8>?,
                                        _ allowed: UnsafePointer<UInt8>?, _ count: Int, _ sets: UnsafeMutablePointer<UInt8>?,
                                        _ capacity: Int, _ found: UnsafeMutablePointer<Int>?) -> causal_status {
    asking(graph, count) { graph in
        let found = try require(found, "found")
        let rows: MutableMatrixView<UInt8> = try mutableMatrix(sets, capacity, count, "sets")
        let chosen = try graph.minimalBackDoorSets(
            treatments: members(require(treatments, "treatments"), count), outcomes: members(require(outcomes, "outcomes"), count),
            allowed: allowed.map { members($0, count) }, limit: capacity)
        for (row, set) in chosen.enumerated() {
            (rows.pointer + row * count).update(repeating: 0, count: count)
            for variable in set { rows.pointer[row * count + variable] = 1 }
        }
        found.pointee = chosen.count
    }
}

@_cdecl("causal_graph_is_identified") @implementation
public func causal_graph_is_identified(_ graph: OpaquePointer?, _ treatments: UnsafePointer<UInt8>?, _ outcomes: UnsafePointer<UInt8>?,
                                       _ count: Int, _ answer: UnsafeMutablePointer<CInt>?) -> causal_status {
    asking(graph, count) { graph in
        let answer = try require(answer, "answer")
        answer.pointee = try graph.isIdentified(outcomes: members(require(outcomes, "outcomes"), count),
                                                treatments: members(require(treatments, "treatments"), count)) ? 1 : 0
    }
}

@_cdecl("causal_graph_confounded_mechanisms") @implementation
public func causal_graph_confounded_mechanisms(_ graph: OpaquePointer?, _ intervened: UnsafePointer<UInt8>?, _ outcomes: UnsafePointer<UInt8>?,
                                               _ count: Int, _ draws_noise: CInt, _ indices: UnsafeMutablePointer<Int>?,
                                               _ found: UnsafeMutablePointer<Int>?) -> causal_status {
    asking(graph, count) { graph in
        let indices = try require(indices, "indices"), found = try require(found, "found")
        let mechanisms = try graph.confoundedMechanisms(outcomes: members(require(outcomes, "outcomes"), count),
                                                        intervened: members(require(intervened, "intervened"), count),
                                                        drawingNoise: draws_noise != 0)
        for (i, variable) in mechanisms.enumerated() { indices[i] = variable }
        found.pointee = mechanisms.count
    }
}

/// A question about sets of the graph's `count` variables.
private func asking(_ graph: OpaquePointer?, _ count: Int, _ body: (Graph) throws -> Void) -> causal_status {
    call {
        try reading(graph) { graph in
            try expectVariables(count, graph)
            try body(graph)
        }
    }
}

private func members(_ mask: UnsafePointer<UInt8>, _ count: Int) -> [Int] { (0..<count).filter { mask[$0] != 0 } }
