import CausalEngine
import Testing

@Suite struct GraphTests {
    /// Every directed graph over three variables, self-loops included, against brute force.
    @Test func allGraphsOverThreeVariables() throws {
        for bits in 0..<512 { try check((0..<9).map { UInt8(bits >> $0 & 1) }, 3) }
    }

    @Test func randomGraphsOverSevenVariables() throws {
        var random = TestRandom(1)
        for _ in 0..<300 { try check((0..<49).map { _ in random.index(below: 6) == 0 ? 1 : 0 }, 7) }
    }

    private func check(_ adjacency: [UInt8], _ n: Int) throws {
        let graph = try Graph(adjacency: adjacency, count: n)
        // reach[i][j]: a path of at least one edge.
        var reach = (0..<n).map { i in (0..<n).map { j in adjacency[i * n + j] != 0 } }
        for k in 0..<n { for i in 0..<n { for j in 0..<n where reach[i][k] && reach[k][j] { reach[i][j] = true } } }
        for i in 0..<n {
            #expect(try graph.children(of: i) == (0..<n).filter { adjacency[i * n + $0] != 0 })
            #expect(try graph.parents(of: i) == (0..<n).filter { adjacency[$0 * n + i] != 0 })
            #expect(try graph.descendants(of: i) == (0..<n).filter { reach[i][$0] })
            #expect(try graph.ancestors(of: i) == (0..<n).filter { reach[$0][i] })
        }
        let isAcyclic = (0..<n).allSatisfy { !reach[$0][$0] }
        #expect(graph.isAcyclic == isAcyclic)
        guard !isAcyclic else {
            let order = try graph.topologicalOrder()
            #expect(order == smallestOrder(adjacency, n))
            return
        }
        let cycle = try #require(graph.findCycle())
        for (k, variable) in cycle.enumerated() { #expect(adjacency[variable * n + cycle[(k + 1) % cycle.count]] != 0) }
        #expect(Set(cycle).count == cycle.count)
        let text = (cycle + [cycle[0]]).map { "x\($0)" }.joined(separator: " -> ")
        #expect(throws: EngineError(.cycle, "graph: it has a cycle, \(text)")) { try graph.topologicalOrder() }
    }

    /// Again and again the smallest variable whose parents are all done.
    private func smallestOrder(_ adjacency: [UInt8], _ n: Int) -> [Int] {
        var order: [Int] = []
        while let next = (0..<n).first(where: { j in !order.contains(j) && (0..<n).allSatisfy { adjacency[$0 * n + j] == 0 || order.contains($0) } }) {
            order.append(next)
        }
        return order
    }

    @Test func longChain() throws {
        let n = Graph.mostVariables
        let chain = try Graph(count: n, edges: (1..<n).map { Graph.Edge(from: n - $0, to: n - $0 - 1) })
        #expect(try chain.topologicalOrder() == (0..<n).reversed())
        #expect(try chain.ancestors(of: 0).count == n - 1)
        let ring = try Graph(count: n, edges: (0..<n).map { Graph.Edge(from: $0, to: ($0 + 1) % n) })
        #expect(ring.findCycle() == Array(0..<n))
    }

    @Test func afterAnIntervention() throws {
        let graph = try Graph(variables: ["z", "x", "y"], edges: [("z", "x"), ("z", "y"), ("x", "y")])
        let after = try graph.intervening(on: [false, true, false])
        #expect(after == (try Graph(variables: ["z", "x", "y"], edges: [("z", "y"), ("x", "y")])))
        #expect(try graph.parents(of: 1) == [0])
        #expect(try graph.intervening(on: [false, false, false]) == graph)
        // A hidden common cause of x and y no longer reaches x.
        let confounded = try Graph(count: 2, edges: [Graph.Edge(0, .arrow, 1, .arrow), Graph.Edge(from: 0, to: 1)])
        #expect(try confounded.intervening(on: [true, false]).edges == [Graph.Edge(from: 0, to: 1)])
        #expect(try confounded.intervening(on: [false, true]).edges == [])
    }

    @Test func masksEdges() throws {
        let graph = try Graph(count: 2, edges: [])
        let masked = try graph.maskEdges([[1, 2], [3, 4], [5, .nan]] as Matrix<Double>, mask: [false, true])
        #expect(masked == [[1, 0], [3, 0], [5, 0]])
        #expect(throws: EngineError(.shape, "weight of shape (1, 3), expected 2 columns, one a variable")) {
            try graph.maskEdges([[1, 2, 3]] as Matrix<Double>, mask: [false, true])
        }
    }

    /// An edge is the same however it is told, and a graph is the same in whatever order its edges come.
    @Test func equality() throws {
        typealias Edge = Graph.Edge
        let graph = try Graph(count: 3, edges: [Edge(2, .circle, 1, .arrow), Edge(1, .arrow, 0, .tail), Edge(from: 0, to: 2)])
        let same = try Graph(count: 3, edges: [Edge(from: 0, to: 2), Edge(1, .arrow, 2, .circle), Edge(from: 0, to: 1)])
        #expect(graph == same && graph.hashValue == same.hashValue)
        #expect(graph.edges == [Edge(from: 0, to: 1), Edge(from: 0, to: 2), Edge(1, .arrow, 2, .circle)])
        #expect(try graph == Graph(count: 3, edges: graph.edges))
        #expect(try graph != Graph(count: 3, edges: [Edge(from: 0, to: 1), Edge(from: 0, to: 2), Edge(1, .circle, 2, .arrow)]))
        #expect(try graph != Graph(count: 3, names: ["a", "b", "c"], edges: graph.edges))
        #expect(try Graph(count: 3, edges: [Edge(from: 0, to: 1)]) != Graph(count: 3, edges: [Edge(from: 0, to: 2)]))
        #expect(try Graph(count: 3, edges: [Edge(from: 0, to: 1)]) != Graph(count: 3, edges: [Edge(from: 1, to: 0)]))
        for again in [Edge(1, .arrow, 0, .tail), Edge(2, .circle, 1, .arrow)] {
            #expect { try Graph(count: 3, edges: same.edges + [again]) } throws: { ($0 as? EngineError)?.message.hasSuffix("is given twice") ?? false }
        }
    }

    /// All edges that 1,500 variables can have without a cycle.
    @Test func complete() throws {
        let n = 1500
        let graph = try Graph(adjacency: (0..<n * n).map { $0 / n < $0 % n ? 1 : 0 }, count: n)
        #expect(try graph.topologicalOrder() == Array(0..<n))
        #expect(try graph.descendants(of: 3) == Array(4..<n))
        #expect(try graph.ancestors(of: n - 1) == Array(0..<n - 1))
        let after = try graph.intervening(on: (0..<n).map { $0 == 7 })
        #expect(try after.parents(of: 7) == [] && after.children(of: 7) == Array(8..<n))
        #expect(try after.parents(of: 9) == Array(0..<9))
    }

    @Test func errors() throws {
        #expect(throws: EngineError(.value, "graph: 0 variables, expected 1 to 65535")) { try Graph(count: 0, edges: []) }
        #expect(throws: EngineError(.value, "graph: the name \"a\" is given twice")) { try Graph(count: 2, names: ["a", "a"], edges: []) }
        #expect(throws: EngineError(.name, "graph: the edge a -> c names a variable that is not in the list")) { try Graph(variables: ["a", "b"], edges: [("a", "c")]) }
        #expect(throws: EngineError(.name, "graph: variable 2 does not exist, expected 0 to 1")) { try Graph(count: 2, edges: []).parents(of: 2) }
        #expect(throws: EngineError(.name, "graph: there is no variable \"q\"")) { try Graph(count: 2, edges: []).index(of: "q") }
        #expect(throws: EngineError(.shape, "graph: an adjacency matrix of 3 numbers, expected 2 x 2")) { try Graph(adjacency: [0, 1, 0], count: 2) }
        let edge = Graph.Edge(from: 0, to: 1)
        #expect(throws: EngineError(.value, "graph: the edge between x0 and x1 is given twice")) { try Graph(count: 2, edges: [edge, edge]) }
    }
}
