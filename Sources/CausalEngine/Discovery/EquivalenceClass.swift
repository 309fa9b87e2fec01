extension Graph {
    /// What data can tell of an acyclic graph: the edges that have the same direction in all graphs that imply the same, and the others without one
    /// (the completed graph of Chickering 1995; with interventions the interventional essential graph of Hauser and Bühlmann 2012).
    ///
    /// - Parameter interventions: the sets of variables that do() sets in some rows each. What is not set in the same rows is told apart.
    /// - Throws: `.cycle`; `.name` for a variable that does not exist; `.value` for an edge that is no cause -> effect.
    public func equivalenceClass(interventions: [[Int]] = []) throws(EngineError) -> Graph {
        guard confoundedPairs.isEmpty else {
            throw EngineError(.value, "graph: the equivalence class of a graph with hidden common causes, expected one without")
        }
        try expectKnownEdges()
        var targets: [[Bool]] = []
        for set in interventions { targets.append(try mask(set)) }
        return try equivalenceClass { cause, effect in targets.contains { $0[cause] != $0[effect] } }
    }

    /// - Parameter isTold: whether something else tells the direction of an edge.
    func equivalenceClass(isTold: (_ cause: Int, _ effect: Int) -> Bool) throws(EngineError) -> Graph {
        var known = PartialOrientation(self)
        for effect in 0..<count {
            let causes = parents[effect].map(Int.init)
            for cause in causes {
                // A collider of two that are not adjacent shows in the data.
                if isTold(cause, effect) || causes.contains(where: { $0 != cause && !known.areAdjacent($0, cause) }) { known.orient(cause, effect) }
            }
        }
        known.close()
        return try Graph(count: count, names: names, edges: known.edges)
    }
}

/// Edges of which some have a direction, and what follows from these (Meek 1995).
private struct PartialOrientation {
    private enum Link: UInt8 { case none, undirected, forward, backward }

    private let count: Int
    private var links: [Link]
    private let neighbours: [[Int]]
    private var fresh: [(cause: Int, effect: Int)] = []

    /// The edges of a graph without their directions.
    init(_ graph: Graph) {
        let count = graph.count
        self.count = count
        var links = [Link](repeating: .none, count: count * count), neighbours = [[Int]](repeating: [], count: count)
        graph.children.forEach {
            links[$0 * count + $1] = .undirected
            links[$1 * count + $0] = .undirected
            neighbours[$0].append($1)
            neighbours[$1].append($0)
        }
        self.links = links
        self.neighbours = neighbours
    }

    func areAdjacent(_ a: Int, _ b: Int) -> Bool { links[a * count + b] != .none }
    private func isDirected(_ a: Int, _ b: Int) -> Bool { links[a * count + b] == .forward }
    private func isUndirected(_ a: Int, _ b: Int) -> Bool { links[a * count + b] == .undirected }

    mutating func orient(_ cause: Int, _ effect: Int) {
        guard isUndirected(cause, effect) else { return }
        links[cause * count + effect] = .forward
        links[effect * count + cause] = .backward
        fresh.append((cause, effect))
    }

    /// Orients what would otherwise make a cycle or a collider that is not there. Each rule is looked at wherever a new direction may complete it.
    mutating func close() {
        while let (a, b) = fresh.popLast() {
            for c in neighbours[b] where c != a {
                if isUndirected(b, c), !areAdjacent(a, c) { orient(b, c) }                              // a -> b - c
                if isUndirected(a, c), isDirected(b, c) { orient(a, c) }                                // a -> b -> c - a
            }
            for c in neighbours[a] where c != b && isUndirected(c, b) && isDirected(c, a) { orient(c, b) }  // c -> a -> b - c
            for c in neighbours[b] where c != a && isUndirected(c, b) {
                // c - b, c - a -> b, c - d -> b, a and d not adjacent.
                guard isUndirected(c, a) else { continue }
                if neighbours[b].contains(where: { d in d != a && isDirected(d, b) && isUndirected(c, d) && !areAdjacent(a, d) }) { orient(c, b) }
            }
            fourth(a, b)
        }
    }

    /// x - y, x - z -> w -> y, x and w adjacent, z and y not: x -> y.
    private mutating func fourth(_ a: Int, _ b: Int) {
        // a -> b is z -> w,
        for y in neighbours[b] where y != a && isDirected(b, y) && !areAdjacent(a, y) {
            for x in neighbours[a] where isUndirected(x, a) && isUndirected(x, y) && areAdjacent(x, b) { orient(x, y) }
        }
        // or w -> y.
        for z in neighbours[a] where z != b && isDirected(z, a) && !areAdjacent(z, b) {
            for x in neighbours[z] where isUndirected(x, z) && isUndirected(x, b) && areAdjacent(x, a) { orient(x, b) }
        }
    }

    var edges: [Graph.Edge] {
        var edges: [Graph.Edge] = []
        for a in 0..<count {
            for b in neighbours[a] {
                if isDirected(a, b) { edges.append(Graph.Edge(from: a, to: b)) }
                if a < b, isUndirected(a, b) { edges.append(Graph.Edge(a, .tail, b, .tail)) }
            }
        }
        return edges
    }
}
