import CausalEngine
import Testing

/// Separation and back-door sets against their definitions, path by path; identification and mechanisms on graphs whose answers are known.
@Suite struct GraphQuestionsTests {
    /// Every graph over three variables, in the order of causes, with any of four edges for each pair.
    @Test func allGraphsOverThreeVariables() throws {
        for code in 0..<64 { try check(graph(3, (0..<3).map { code >> (2 * $0) & 3 })) }
    }

    @Test func randomGraphsOverFiveVariables() throws {
        var random = TestRandom(4)
        for _ in 0..<40 { try check(graph(5, (0..<10).map { _ in [0, 0, 1, 1, 2, 3][random.index(below: 6)] })) }
    }

    /// kinds: 0 no edge, 1 i -> j, 2 i <-> j, 3 both.
    private func graph(_ n: Int, _ kinds: [Int]) throws -> Graph {
        var edges: [Graph.Edge] = [], rest = kinds[...]
        for first in 0..<n {
            for second in first + 1..<max(n, first + 1) {
                guard let kind = rest.popFirst() else { break }
                if kind & 1 != 0 { edges.append(Graph.Edge(from: first, to: second)) }
                if kind & 2 != 0 { edges.append(Graph.Edge(first, .arrow, second, .arrow)) }
            }
        }
        return try Graph(count: n, edges: edges)
    }

    private func check(_ graph: Graph) throws {
        let n = graph.count, paths = Paths(graph)
        for x in 0..<n {
            for y in 0..<n where x != y {
                let others = (0..<n).filter { $0 != x && $0 != y }
                let effects = Set(try graph.descendants(of: x))
                var backDoor: [[Int]] = []
                for bits in 0..<1 << others.count {
                    let z = others.indices.filter { bits >> $0 & 1 != 0 }.map { others[$0] }
                    #expect(try graph.isSeparated([x], from: [y], given: z) == !paths.areOpen(x, y, Set(z)))
                    let isBackDoor = effects.isDisjoint(with: z) && !paths.areOpen(x, y, Set(z), intoStart: true)
                    #expect(try graph.isBackDoorSet(z, treatments: [x], outcomes: [y]) == isBackDoor)
                    if isBackDoor { backDoor.append(z) }
                }
                let minimal = backDoor.filter { set in !backDoor.contains { $0.count < set.count && Set($0).isSubset(of: set) } }
                let found = try graph.minimalBackDoorSets(treatments: [x], outcomes: [y], limit: 100)
                #expect(found.count == minimal.count && Set(found) == Set(minimal))
                #expect(try graph.backDoorSet(treatments: [x], outcomes: [y]) == found.first)
            }
        }
    }

    /// All paths between two variables, edge by edge.
    private struct Paths {
        private var ends: [[(to: Int, here: Graph.Mark, there: Graph.Mark)]]
        private var withDescendants: [Set<Int>]

        init(_ graph: Graph) {
            ends = Array(repeating: [], count: graph.count)
            for edge in graph.edges {
                ends[edge.first].append((edge.second, edge.firstMark, edge.secondMark))
                ends[edge.second].append((edge.first, edge.secondMark, edge.firstMark))
            }
            withDescendants = (0..<graph.count).map { Set((try? graph.descendants(of: $0)) ?? []).union([$0]) }
        }

        func areOpen(_ x: Int, _ y: Int, _ z: Set<Int>, intoStart: Bool = false) -> Bool {
            func go(_ at: Int, _ arrived: Graph.Mark?, _ passed: Set<Int>) -> Bool {
                if at == y { return true }
                return ends[at].contains { edge in
                    guard !passed.contains(edge.to), arrived != nil || !intoStart || edge.here == .arrow else { return false }
                    let lets = arrived == nil || (arrived == .arrow && edge.here == .arrow ? !withDescendants[at].isDisjoint(with: z) : !z.contains(at))
                    return lets && go(edge.to, edge.there, passed.union([edge.to]))
                }
            }
            return go(x, nil, [x])
        }
    }

    private func named(_ variables: [String], _ edges: [(from: String, to: String)], hidden: [(Int, Int)] = []) throws -> Graph {
        try Graph(variables: variables, edges: edges).confounding(hidden.map { (first: $0.0, second: $0.1) })
    }

    @Test func knownQueries() throws {
        let bow = try named(["x", "y"], [("x", "y")], hidden: [(0, 1)])
        let frontDoor = try named(["x", "m", "y"], [("x", "m"), ("m", "y")], hidden: [(0, 2)])
        let napkin = try named(["w", "r", "x", "y"], [("w", "r"), ("r", "x"), ("x", "y")], hidden: [(0, 2), (0, 3)])
        let butterfly = try named(["x", "m", "y"], [("x", "y")], hidden: [(0, 1), (1, 2)])
        let instrument = try named(["z", "x", "y"], [("z", "x"), ("x", "y")], hidden: [(1, 2)])
        for (graph, x, y, expected) in [(bow, 0, 1, false), (frontDoor, 0, 2, true), (napkin, 2, 3, true), (butterfly, 0, 2, true), (instrument, 1, 2, false)] {
            #expect(try graph.isIdentified(outcomes: [y], treatments: [x]) == expected)
        }
        #expect(try butterfly.backDoorSet(treatments: [0], outcomes: [2]) == [])
        #expect(try frontDoor.backDoorSet(treatments: [0], outcomes: [2]) == nil)
        #expect(try bow.isIdentified(outcomes: [0], treatments: [1]))
    }

    @Test func mechanisms() throws {
        let frontDoor = try named(["x", "m", "y"], [("x", "m"), ("m", "y")], hidden: [(0, 2)])
        #expect(try (0..<3).map { try frontDoor.mechanismIsConfounded($0) } == [false, false, true])
        #expect(try frontDoor.confoundedMechanisms(outcomes: [2], intervened: [0]) == [2])
        #expect(try frontDoor.confoundedMechanisms(outcomes: [1], intervened: [0]) == [])
        let twins = try named(["x", "a", "b", "y"], [("x", "a"), ("x", "b"), ("a", "y"), ("b", "y")], hidden: [(1, 2)])
        #expect(try twins.confoundedMechanisms(outcomes: [3], intervened: [0]) == [1, 2])
        #expect(try twins.confoundedMechanisms(outcomes: [3], intervened: [0], drawingNoise: false) == [])
        #expect(try twins.confoundedMechanisms(outcomes: [3], intervened: [1, 2]) == [])
    }

    @Test func hiddenCauses() throws {
        let graph = try Graph(count: 4, edges: [Graph.Edge(from: 0, to: 1)]).confounding([(2, 0), (0, 2), (3, 2)])
        #expect(graph.confoundedPairs.map { [$0.first, $0.second] } == [[0, 2], [2, 3]])
        #expect(try graph.siblings(of: 2) == [0, 3])
        #expect(graph.districts == [[0, 2, 3], [1]])
        #expect(try graph.confounding([(0, 2)]) == graph)
        #expect(graph.edges == [Graph.Edge(from: 0, to: 1), Graph.Edge(0, .arrow, 2, .arrow), Graph.Edge(2, .arrow, 3, .arrow)])
        #expect(try Graph(count: 4, edges: graph.edges) == graph)
        #expect(try graph.intervening(on: [false, false, true, false]).districts == [[0], [1], [2], [3]])
    }

    /// Separation among the variables that are left is what it was before.
    @Test func hidingVariables() throws {
        var random = TestRandom(5)
        for _ in 0..<60 {
            let graph = try graph(6, (0..<15).map { _ in [0, 0, 1, 1, 2, 3][random.index(below: 6)] })
            let hidden = (0..<6).filter { _ in random.index(below: 3) == 0 }, left = (0..<6).filter { !hidden.contains($0) }
            guard left.count > 1 else { continue }
            let projected = try graph.hiding(hidden)
            for x in left.indices {
                for y in left.indices where x < y {
                    for bits in 0..<1 << left.count where bits >> x & 1 == 0 && bits >> y & 1 == 0 {
                        let z = left.indices.filter { bits >> $0 & 1 != 0 }
                        let before = try graph.isSeparated([left[x]], from: [left[y]], given: z.map { left[$0] })
                        #expect(try projected.isSeparated([x], from: [y], given: z) == before)
                    }
                }
            }
        }
    }

    /// Two thousand variables, each with a few causes: linear time, and sets of many variables.
    @Test func large() throws {
        var random = TestRandom(7), edges: [Graph.Edge] = []
        let n = 2000
        for effect in 1..<n {
            for cause in Set((0..<3).map { _ in random.index(below: effect) }) { edges.append(Graph.Edge(from: cause, to: effect)) }
        }
        let graph = try Graph(count: n, edges: edges).confounding((0..<n / 2).map { ($0, n - 1 - $0) })
        #expect(try !graph.isSeparated([0], from: [n - 1]))
        let set = try #require(try graph.backDoorSet(treatments: [40], outcomes: [1500]))
        #expect(try graph.isBackDoorSet(set, treatments: [40], outcomes: [1500]))
        let sets = try graph.minimalBackDoorSets(treatments: [40], outcomes: [1500], limit: 20)
        #expect(sets.first == set && Set(sets).count == sets.count)
        for set in sets { #expect(try graph.isBackDoorSet(set, treatments: [40], outcomes: [1500])) }
    }

    @Test func errors() throws {
        let graph = try Graph(count: 3, edges: [Graph.Edge(from: 0, to: 1)])
        #expect(throws: EngineError(.value, "graph: x0 is in x and in given, expected sets without a common variable")) { try graph.isSeparated([0], from: [1], given: [0]) }
        #expect(throws: EngineError(.name, "graph: variable 3 does not exist, expected 0 to 2")) { try graph.isSeparated([0], from: [3]) }
        #expect(throws: EngineError(.value, "graph: no treatment, expected one or more")) { try graph.backDoorSet(treatments: [], outcomes: [1]) }
        #expect(throws: EngineError(.value, "graph: no outcome, expected one or more")) { try graph.isBackDoorSet([], treatments: [0], outcomes: []) }
        #expect(throws: EngineError(.value, "graph: x1 is paired with itself, expected two variables that share a hidden cause")) { try graph.confounding([(1, 1)]) }
        #expect(throws: EngineError(.value, "graph: x1 is paired with itself, expected two variables that share a hidden cause")) {
            try Graph(count: 2, edges: [Graph.Edge(1, .arrow, 1, .arrow)])
        }
        let ring = try Graph(count: 2, edges: [Graph.Edge(from: 0, to: 1), Graph.Edge(from: 1, to: 0)])
        #expect(throws: EngineError(.cycle, "graph: it has a cycle, x0 -> x1 -> x0")) { try ring.isSeparated([0], from: [1]) }
        let unknown = try Graph(count: 2, edges: [Graph.Edge(0, .circle, 1, .arrow)])
        #expect(throws: EngineError(.value, "graph: the edge between x0 and x1 has no known direction, expected a -> b or a <-> b")) { try unknown.isSeparated([0], from: [1]) }
    }
}
