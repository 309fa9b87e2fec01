@testable import CausalEngine
import Testing

/// Classes of graphs against all graphs there are.
@Suite struct EquivalenceClassTests {
    @Test(arguments: 1...4) func observational(_ count: Int) throws {
        let graphs = try allAcyclicGraphs(count)
        #expect(graphs.count == [1, 3, 25, 543][count - 1])
        for members in Dictionary(grouping: graphs, by: { $0.implications() }).values {
            let expected = try Graph.common(members)
            for graph in members { #expect(try graph.equivalenceClass() == expected) }
        }
    }

    /// By the definition of Hauser and Bühlmann (2012, theorem 10): the graphs agree under every one of the interventions.
    @Test(arguments: [[[0]], [[1], [2, 3]], [[0, 1]], [[0, 1, 2, 3]], [[0], [1], [2], [3]], [[0, 1], [1, 2]]]) func interventional(_ targets: [[Int]]) throws {
        let graphs = try allAcyclicGraphs(4)
        let classes = Dictionary(grouping: graphs) { graph in
            (try? ([[]] + targets).map { try graph.intervening(on: (0..<4).map($0.contains)).implications() }) ?? []
        }
        for members in classes.values {
            let expected = try Graph.common(members)
            for graph in members { #expect(try graph.equivalenceClass(interventions: targets) == expected) }
        }
    }

    /// Some directions are known, which is where Meek's fourth rule is needed.
    @Test func knowledge() throws {
        var random = TestRandom(5), fourth = 0
        for members in Dictionary(grouping: try allAcyclicGraphs(4), by: { $0.implications() }).values where members.count > 1 {
            for graph in members {
                for _ in 0..<4 {
                    let told = graph.edges.filter { _ in random.isTrue() }
                    let consistent = members.filter { member in told.allSatisfy { member.edges.contains($0) } }
                    let expected = try Graph.common(consistent)
                    #expect(try graph.equivalenceClass { told.contains(Graph.Edge(from: $0, to: $1)) } == expected)
                    if told.count == 2, expected.edges.count == 5 { fourth += 1 }
                }
            }
        }
        #expect(fourth > 0)
    }

    @Test func refusals() throws {
        let cyclic = try Graph(count: 2, edges: [.init(from: 0, to: 1), .init(from: 1, to: 0)])
        #expect(throws: EngineError.self) { try cyclic.equivalenceClass() }
        let hidden = try Graph(count: 2, edges: [.init(0, .arrow, 1, .arrow)])
        #expect(throws: EngineError.self) { try hidden.equivalenceClass() }
        let open = try Graph(count: 2, edges: []).linking([(0, 1)])
        #expect(open.linkedPairs.count == 1)
        #expect(throws: EngineError.self) { try open.equivalenceClass() }
        #expect(throws: EngineError.self) { try open.linking([(1, 1)]) }
        #expect(throws: EngineError.self) { try Graph(count: 2, edges: []).equivalenceClass(interventions: [[2]]) }
    }
}
