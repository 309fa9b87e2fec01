public import CCausal
internal import CausalEngine
internal import CausalKernels

// Graphs with edges whose direction is not known.

@_cdecl("causal_graph_link") @implementation
public func causal_graph_link(_ graph: OpaquePointer?, _ pairs: UnsafePointer<UInt8>?, _ count: Int,
                              _ linked: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(linked, "linked")
        let result = try reading(graph) { graph in
            try expectVariables(count, graph)
            let pairs = try require(pairs, "pairs")
            var chosen: [(first: Int, second: Int)] = []
            for i in 0..<count {
                for j in 0..<count where pairs[i * count + j] != 0 { chosen.append((i, j)) }
            }
            return try graph.linking(chosen)
        }
        out.pointee = try HandleTable.insert(GraphObject(result))
    }
}

@_cdecl("causal_graph_linked") @implementation
public func causal_graph_linked(_ graph: OpaquePointer?, _ pairs: UnsafeMutablePointer<UInt8>?, _ count: Int) -> causal_status {
    call {
        try reading(graph) { graph in
            try expectVariables(count, graph)
            let out = try require(pairs, "pairs")
            out.update(repeating: 0, count: count * count)
            for (first, second) in graph.linkedPairs {
                out[first * count + second] = 1
                out[second * count + first] = 1
            }
        }
    }
}

@_cdecl("causal_graph_equivalence_class") @implementation
public func causal_graph_equivalence_class(_ graph: OpaquePointer?, _ targets: UnsafePointer<UInt8>?, _ setCount: Int, _ count: Int,
                                           _ known: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    call {
        let out = try require(known, "known")
        let result = try reading(graph) { graph in
            try expectVariables(count, graph)
            let sets: MatrixView<UInt8> = try matrix(targets, setCount, count, "targets")
            return try graph.equivalenceClass(interventions: (0..<setCount).map { set in (0..<count).filter { sets.pointer[set * count + $0] != 0 } })
        }
        out.pointee = try HandleTable.insert(GraphObject(result))
    }
}
