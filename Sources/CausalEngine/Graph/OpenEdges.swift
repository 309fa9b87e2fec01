extension Graph {
    /// The pairs with an edge of which neither end is known to be the effect: tails at both ends.
    public var linkedPairs: [(first: Int, second: Int)] {
        otherEdges.filter { $0.firstMark == .tail && $0.secondMark == .tail }.map { ($0.first, $0.second) }
    }

    /// The graph with edges between pairs too, in a direction that is not known. A pair may be told twice.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` for one paired with itself, or with one that it has a directed edge with.
    public func linking(_ pairs: [(first: Int, second: Int)]) throws(EngineError) -> Graph {
        var edges = Set(edges)
        for (first, second) in pairs {
            _ = try Graph.check(second, count)
            guard first != second else { throw EngineError(.value, "graph: an edge from \(names[try Graph.check(first, count)]) to itself") }
            guard !edges.contains(Edge(from: first, to: second)), !edges.contains(Edge(from: second, to: first)) else {
                throw EngineError(.value, "graph: the edge between \(names[first]) and \(names[second]) is given with a direction and without")
            }
            edges.insert(Edge(first, .tail, second, .tail).fromSmallerEnd)
        }
        return try Graph(count: count, names: names, edges: edges.sorted())
    }
}
