extension Graph {
    /// The graph of the other variables when some are not observed (latent projection, Verma and Pearl 1990): what a hidden variable passed
    /// on goes from its causes straight to its effects, and its effects share a hidden cause. Separation among those that are left stays as
    /// it was, and so does what is identified. They keep their order and names.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` where none is left, or for an edge without a known direction;
    ///   `.cycle`; `.memory`.
    public func hiding(_ variables: [Int]) throws(EngineError) -> Graph {
        let isHidden = try mask(variables)
        try expectKnownEdges()
        let left = isHidden.indices.filter { !isHidden[$0] }
        guard !left.isEmpty else { throw EngineError(.value, "graph: all variables are hidden, expected one or more that are not") }
        var causes = (0..<count).map { Set(parents[$0].map(Int.init)) }
        var effects = (0..<count).map { Set(children[$0].map(Int.init)) }
        var confounded = (0..<count).map { Set(siblings[$0].map(Int.init)) }
        for hidden in indices(in: isHidden) {
            for effect in effects[hidden] {
                for cause in causes[hidden] {
                    effects[cause].insert(effect)
                    causes[effect].insert(cause)
                }
                for other in effects[hidden].union(confounded[hidden]) where other != effect {
                    confounded[effect].insert(other)
                    confounded[other].insert(effect)
                }
            }
            for cause in causes[hidden] { effects[cause].remove(hidden) }
            for effect in effects[hidden] { causes[effect].remove(hidden) }
            for other in confounded[hidden] { confounded[other].remove(hidden) }
        }
        var number = [Int](repeating: 0, count: count)
        for (place, variable) in left.enumerated() { number[variable] = place }
        var edges: [Edge] = []
        for variable in left {
            for effect in effects[variable] { edges.append(Edge(from: number[variable], to: number[effect])) }
            for other in confounded[variable] where other > variable { edges.append(Edge(number[variable], .arrow, number[other], .arrow)) }
        }
        return try Graph(count: left.count, names: left.map { names[$0] }, edges: edges)
    }
}
