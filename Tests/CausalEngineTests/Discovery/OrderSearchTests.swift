@testable import CausalEngine
import Testing

/// The search against what can be known exactly.
@Suite struct OrderSearchTests {
    /// With the covariances of the population, as if of very many rows, the class is the true one.
    @Test(arguments: 1...4) func everySmallGraph(_ count: Int) throws {
        var random = TestRandom(UInt64(count))
        for graph in try allAcyclicGraphs(count) {
            let score = GaussianScore(try Covariances(correlations: try correlations(graph, &random), rows: 10_000_000_000), penalty: 2)
            let search = OrderSearch(score, try Knowledge().resolved(graph.names), restarts: 200, random: Random(seed: 1, purpose: .searching, index: 0))
            #expect(search.run { false })
            let found = try Graph(count: count, edges: search.best.parents.enumerated().flatMap { effect, causes in causes.map { .init(from: Int($0), to: effect) } })
            #expect(try found.equivalenceClass() == graph.equivalenceClass())
        }
    }

    /// In few rows the true graph need not be the best, but the best is found.
    @Test(arguments: 0..<20) func bestOfAllGraphs(_ seed: UInt64) throws {
        var random = TestRandom(seed)
        let graphs = try allAcyclicGraphs(4)
        let discovery = try Discovery(StructuralDataset(try rows(30, of: graphs[random.index(below: graphs.count)], &random)), variables: (0..<4).map { Variable("x\($0)") })
        try discovery.run()
        let best = try graphs.map { try discovery.score(of: $0) }.max()!
        #expect(try abs(discovery.bestScore - best) < 1e-6)
        #expect(try abs(discovery.score(of: discovery.directedGraph()) - best) < 1e-6)
    }

    @Test func sameOnAnyNumberOfThreads() throws {
        var random = TestRandom(3)
        let graph = try Graph(count: 12, edges: (0..<11).flatMap { i in (i + 1..<12).filter { _ in random.index(below: 3) == 0 }.map { Graph.Edge(from: i, to: $0) } })
        let data = try StructuralDataset(try rows(200, of: graph, &random))
        var options = DiscoveryOptions()
        options.bootstrap = 8
        let before = Threads.count
        defer { try? Threads.set(before) }
        var results: [(Graph, [Double], [Double])] = []
        for threads in [1, 2, 5] {
            try Threads.set(threads)
            let discovery = try Discovery(data, variables: (0..<12).map { Variable("x\($0)") }, options: options)
            while try !discovery.run(seconds: threads == 5 ? 0.001 : .infinity) {}
            let frequencies = try discovery.frequencies()
            #expect(frequencies.samples == 8)
            results.append((try discovery.graph(), frequencies.directed, frequencies.undirected))
        }
        for result in results { #expect(result == results[0]) }
    }

    /// Columns in another order, in other units and from another origin: the same graph, with the names where they belong.
    @Test(arguments: 0..<5) func columnsAndUnits(_ seed: UInt64) throws {
        var random = TestRandom(100 + seed), order = Array(0..<10)
        let graph = try Graph(count: 10, edges: (0..<9).flatMap { i in (i + 1..<10).filter { _ in random.index(below: 2) == 0 }.map { Graph.Edge(from: i, to: $0) } })
        let x = try rows(150, of: graph, &random)
        let discovery = try Discovery(StructuralDataset(x), variables: (0..<10).map { Variable("x\($0)") })
        try discovery.run()
        for k in 0..<9 { order.swapAt(k, k + random.index(below: 10 - k)) }
        let y = try Matrix(rows: x.rows, columns: 10, (0..<x.rows).flatMap { row in order.map { x[row, $0] * Double($0 + 1) * 37 - 1000 } })
        let other = try Discovery(StructuralDataset(y), variables: order.map { Variable("x\($0)") })
        try other.run()
        let names = Set(try discovery.graph().edges.map { named($0, discovery.variables) })
        #expect(names == Set(try other.graph().edges.map { named($0, other.variables) }))
        #expect(try abs(discovery.bestScore - other.bestScore) < 1e-6)
    }

    private func named(_ edge: Graph.Edge, _ variables: [Variable]) -> [String] {
        let ends = [variables[edge.first].name, variables[edge.second].name]
        return edge.direction == nil ? ends.sorted() + ["-"] : ends
    }

    private func correlations(_ graph: Graph, _ random: inout TestRandom) throws -> Matrix<Double> {
        let count = graph.count
        // Rows of total effects of the noises.
        var effects = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
        for v in try graph.topologicalOrder() {
            effects[v][v] = 1
            for parent in try graph.parents(of: v) {
                let weight = (0.6 + abs(random.number())) * (random.isTrue() ? 1 : -1)
                for k in 0..<count { effects[v][k] += weight * effects[parent][k] }
            }
        }
        let covariances = effects.map { a in effects.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
        return try Matrix(covariances.indices.map { i in covariances.indices.map { j in covariances[i][j] / (covariances[i][i] * covariances[j][j]).squareRoot() } })
    }
}

/// Rows of a linear model with this graph.
func rows(_ count: Int, of graph: Graph, _ random: inout TestRandom) throws -> Matrix<Double> {
    var weights: [Int: Double] = [:]
    for edge in graph.edges { weights[edge.first * graph.count + edge.second] = (0.5 + abs(random.number())) * (random.isTrue() ? 1 : -1) }
    let order = try graph.topologicalOrder()
    var x: [[Double]] = []
    for _ in 0..<count {
        var row = [Double](repeating: 0, count: graph.count)
        for v in order {
            row[v] = random.number() + random.number() + random.number()
            for parent in try graph.parents(of: v) { row[v] += weights[parent * graph.count + v]! * row[parent] }
        }
        x.append(row)
    }
    return try Matrix(x)
}
