/// What a structural model is made of, before anything is learned: variables, who causes whom, and the kind of each mechanism.
///
/// ```swift
/// let graph = try Graph(variables: ["age", "dose", "outcome"], edges: [("age", "dose"), ("age", "outcome"), ("dose", "outcome")])
/// let description = try StructuralDescription(graph, mechanisms: ["outcome": .locationScale()])
/// ```
///
/// An edge with arrows at both ends declares a hidden common cause: the noises of the two are then drawn together, and a query whose answer
/// would rest on a mechanism that is confounded with its own parents is an error.
public struct StructuralDescription: Hashable, Sendable {
    public let graph: Graph
    /// In the order of the graph.
    public let variables: [Variable]
    public let mechanisms: [Mechanism]
    /// Causes before effects.
    package let order: [Int]
    /// Direct causes of each variable, ascending.
    package let parents: [[Int]]
    let hasHiddenCauses: Bool

    /// - Parameters:
    ///   - kinds: by variable; one that is not named is real.
    ///   - mechanisms: by variable; one that is not named is `automatic`.
    /// - Throws: `.cycle`; `.name` for a variable that is not in the graph; `.value` for a mechanism that does not fit its variable, or an
    ///   edge of which the graph does not know the direction.
    public init(_ graph: Graph, kinds: [String: Variable.Kind] = [:], mechanisms: [String: Mechanism] = [:]) throws(EngineError) {
        for name in kinds.keys { _ = try graph.index(of: name) }
        for name in mechanisms.keys { _ = try graph.index(of: name) }
        let variables = graph.names.map { Variable($0, kinds[$0] ?? .real) }
        try self.init(graph, variables: variables, mechanisms: variables.map { mechanisms[$0.name] ?? .automatic })
    }

    package init(_ graph: Graph, variables: [Variable], mechanisms: [Mechanism]) throws(EngineError) {
        order = try graph.topologicalOrder()
        for edge in graph.edges where edge.firstMark == .circle || edge.secondMark == .circle || (edge.firstMark, edge.secondMark) == (.tail, .tail) {
            throw EngineError(.value, "structural model: the edge between \(graph.names[edge.first]) and \(graph.names[edge.second]) has no "
                + "direction, expected cause and effect, or a hidden common cause")
        }
        var parents: [[Int]] = []
        for (v, variable) in variables.enumerated() {
            try variable.validate()
            try mechanisms[v].validate(for: variable)
            parents.append(try graph.parents(of: v))
        }
        self.graph = graph
        self.variables = variables
        self.mechanisms = mechanisms
        self.parents = parents
        hasHiddenCauses = graph.edges.contains { $0.firstMark == .arrow && $0.secondMark == .arrow }
    }

    package var count: Int { variables.count }

    func isRoot(_ variable: Int) -> Bool { parents[variable].isEmpty }

    /// Variables whose noises are drawn from one row, since hidden common causes connect them; each variable is in one.
    package var districts: [[Int]] {
        var sets = DisjointSets(count: count)
        for (first, second) in graph.confoundedPairs { sets.join(first, second) }
        var districts = [[Int]](repeating: [], count: count)
        for v in 0..<count { districts[sets.first(with: v)].append(v) }
        return districts.filter { !$0.isEmpty }
    }

    /// The same with other mechanisms.
    func choosing(_ mechanisms: [Mechanism]) throws(EngineError) -> StructuralDescription {
        try StructuralDescription(graph, variables: variables, mechanisms: mechanisms)
    }
}
