@testable import CausalEngine

/// All acyclic graphs of so many variables, as sets of edges `cause * count + effect`.
func allAcyclicGraphs(_ count: Int) throws -> [Graph] {
    let pairs = (0..<count).flatMap { i in (i + 1..<max(count, i + 1)).map { (i, $0) } }
    var graphs: [Graph] = []
    var choice = [Int](repeating: 0, count: pairs.count)
    while true {
        let edges = zip(pairs, choice).compactMap { pair, way in
            way == 0 ? nil : way == 1 ? Graph.Edge(from: pair.0, to: pair.1) : Graph.Edge(from: pair.1, to: pair.0)
        }
        let graph = try Graph(count: count, edges: edges)
        if graph.isAcyclic { graphs.append(graph) }
        guard let next = choice.firstIndex(where: { $0 < 2 }) else { return graphs }
        for k in 0..<next { choice[k] = 0 }
        choice[next] += 1
    }
}

extension Graph {
    func isEdge(_ cause: Int, _ effect: Int) -> Bool { edges.contains(Edge(from: cause, to: effect)) }
    func areAdjacent(_ a: Int, _ b: Int) -> Bool { isEdge(a, b) || isEdge(b, a) }

    /// What a graph says of a distribution, by Verma and Pearl (1990): who is adjacent, and which two that are not have a common effect.
    func implications() -> Set<[Int]> {
        var found = Set<[Int]>()
        for a in 0..<count {
            for b in 0..<a {
                if areAdjacent(a, b) { found.insert([a, b]) }
                for c in 0..<count where !areAdjacent(a, b) && isEdge(a, c) && isEdge(b, c) { found.insert([a, b, c]) }
            }
        }
        return found
    }

    /// The edges that all of the graphs share, and the others without direction.
    static func common(_ graphs: [Graph]) throws -> Graph {
        let first = graphs[0]
        return try Graph(count: first.count, names: first.names, edges: first.edges.map { edge in
            graphs.allSatisfy { $0.edges.contains(edge) } ? edge : Edge(min(edge.first, edge.second), .tail, max(edge.first, edge.second), .tail)
        })
    }
}
