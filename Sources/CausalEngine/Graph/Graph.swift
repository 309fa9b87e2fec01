/// Who causes whom: an immutable graph over named variables 0 ..< count. `A[i, j] = 1` in its adjacency matrix is the edge i -> j.
///
/// Any directed graph can be held, so that a cycle can be reported instead of lost; `topologicalOrder` wants an acyclic one. An edge
/// has a mark at both ends, of which tail and arrow make the directed edge, so that what is not known (a CPDAG) or a hidden common
/// cause (an arrow at both ends) can be said too.
///
/// ```swift
/// let graph = try Graph(variables: ["season", "rain", "wet"], edges: [("season", "rain"), ("rain", "wet")])
/// try graph.descendants(of: 0)      // [1, 2]
/// ```
public struct Graph: Hashable, Sendable {
    /// The most variables of a graph.
    public static let mostVariables = 65_535

    public let names: [String]
    let children: Adjacency
    /// The same edges from their other ends.
    let parents: Adjacency
    /// Who shares a hidden cause with whom: the edges with an arrow at both ends, from each end.
    let siblings: Adjacency
    /// What is neither, in order.
    let otherEdges: [Edge]

    public var count: Int { names.count }

    /// Made anew at each call: the directed edges by cause and effect, then those with two arrows, then the others.
    public var edges: [Edge] {
        var edges: [Edge] = []
        children.forEach { edges.append(Edge(from: $0, to: $1)) }
        siblings.forEach { if $0 < $1 { edges.append(Edge($0, .arrow, $1, .arrow)) } }
        return edges + otherEdges
    }

    init(names: [String], children: Adjacency, siblings: Adjacency, otherEdges: [Edge]) throws(EngineError) {
        self.names = names
        self.children = children
        self.siblings = siblings
        parents = try children.reversed()
        self.otherEdges = otherEdges
    }

    /// A graph of any edges between numbered variables; no names stand for x0, x1, and so on.
    ///
    /// - Throws: `.value` for no variables or more than 65535, a name that is empty or repeated, an edge that is repeated, or one with two
    ///   arrows from a variable to itself; `.name` for an edge to a variable that does not exist; `.memory`.
    public init(count: Int, names: [String]? = nil, edges: [Edge]) throws(EngineError) {
        let names = try Graph.checkedNames(names, count: count)
        for edge in edges {
            _ = try Graph.check(edge.first, count)
            _ = try Graph.check(edge.second, count)
            guard !edge.isConfounding || edge.first != edge.second else { throw Graph.ownCause(names[edge.first]) }
        }
        let parents = try Adjacency(count: count) { body in
            for edge in edges { if let (cause, effect) = edge.direction { body(effect, cause) } }
        }
        let siblings = try Adjacency(count: count) { body in
            for edge in edges where edge.isConfounding {
                body(edge.first, edge.second)
                body(edge.second, edge.first)
            }
        }
        let others = edges.filter { $0.direction == nil && !$0.isConfounding }.map(\.fromSmallerEnd).sorted()
        try self.init(names: names, children: parents.reversed(), siblings: siblings.reversed(), otherEdges: others)
        if let (first, second) = children.firstRepeated() ?? self.siblings.firstRepeated() ?? zip(others, others.dropFirst()).first(where: ==).map({ ($0.0.first, $0.0.second) }) {
            throw EngineError(.value, "graph: the edge between \(names[first]) and \(names[second]) is given twice")
        }
    }

    /// A directed graph from its adjacency matrix, row-major: `adjacency[i * count + j]` is not 0 for an edge i -> j.
    public init(adjacency: some Collection<UInt8>, count: Int, names: [String]? = nil) throws(EngineError) {
        self = try Array(adjacency).withUnsafeBufferPointer { matrix throws(EngineError) in try Graph(matrix: matrix, count: count, names: names) }
    }

    package init(matrix: UnsafeBufferPointer<UInt8>, count: Int, names: [String]?) throws(EngineError) {
        let names = try Graph.checkedNames(names, count: count)
        guard matrix.count == count * count else {
            throw EngineError(.shape, "graph: an adjacency matrix of \(matrix.count) numbers, expected \(count) x \(count)")
        }
        try self.init(names: names, children: Adjacency(matrix: matrix, count: count), siblings: Adjacency(count: count) { _ in }, otherEdges: [])
    }

    /// A directed graph from names.
    ///
    /// - Throws: `.name` for an edge to a variable that is not in the list.
    public init(variables: [String], edges: [(from: String, to: String)]) throws(EngineError) {
        let indices = Dictionary(variables.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var numbered: [Edge] = []
        for edge in edges {
            guard let from = indices[edge.from], let to = indices[edge.to] else {
                throw EngineError(.name, "graph: the edge \(edge.from) -> \(edge.to) names a variable that is not in the list")
            }
            numbered.append(Edge(from: from, to: to))
        }
        try self.init(count: variables.count, names: variables, edges: numbered)
    }

    /// The number of a variable.
    ///
    /// - Throws: `.name` where there is none of that name.
    public func index(of name: String) throws(EngineError) -> Int {
        guard let index = names.firstIndex(of: name) else { throw EngineError(.name, "graph: there is no variable \"\(name)\"") }
        return index
    }

    /// Direct causes, ascending.
    public func parents(of variable: Int) throws(EngineError) -> [Int] { parents[try Graph.check(variable, count)].map(Int.init) }

    /// Direct effects, ascending.
    public func children(of variable: Int) throws(EngineError) -> [Int] { children[try Graph.check(variable, count)].map(Int.init) }

    /// Everything that causes the variable, ascending; itself only where it lies on a cycle.
    public func ancestors(of variable: Int) throws(EngineError) -> [Int] { beyond(try Graph.check(variable, count), along: parents) }

    /// Everything that the variable causes, ascending; itself only where it lies on a cycle.
    public func descendants(of variable: Int) throws(EngineError) -> [Int] { beyond(try Graph.check(variable, count), along: children) }

    /// Some variables and everything that causes them.
    package func causes(of variables: [Int]) -> Set<Int> { Set(indices(in: parents.reach(from: variables))) }

    private func beyond(_ variable: Int, along lists: Adjacency) -> [Int] {
        indices(in: lists.reach(from: lists[variable].map(Int.init)))
    }

    /// The same variables with the edges that are to be kept.
    func filtered(_ isKept: (Edge) -> Bool) throws(EngineError) -> Graph {
        try Graph(names: names, children: children.filtered { isKept(Edge(from: $0, to: $1)) },
                  siblings: siblings.filtered { isKept(Edge($0, .arrow, $1, .arrow)) }, otherEdges: otherEdges.filter(isKept))
    }

    static func check(_ variable: Int, _ count: Int) throws(EngineError) -> Int {
        guard (0..<count).contains(variable) else {
            throw EngineError(.name, "graph: variable \(variable) does not exist, expected 0 to \(count - 1)")
        }
        return variable
    }

    private static func checkedNames(_ names: [String]?, count: Int) throws(EngineError) -> [String] {
        guard (1...Graph.mostVariables).contains(count) else {
            throw EngineError(.value, "graph: \(count) variables, expected 1 to \(Graph.mostVariables)")
        }
        guard let names else { return (0..<count).map { "x\($0)" } }
        guard names.count == count else { throw EngineError(.value, "graph: \(names.count) names for \(count) variables") }
        var known = Set<String>()
        for (i, name) in names.enumerated() {
            guard !name.isEmpty else { throw EngineError(.value, "graph: the name of variable \(i) is empty") }
            guard known.insert(name).inserted else { throw EngineError(.value, "graph: the name \"\(name)\" is given twice") }
        }
        return names
    }
}
