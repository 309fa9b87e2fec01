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
    /// What an edge looks like at one end.
    public enum Mark: Hashable, Sendable {
        /// The variable is a cause here.
        case tail
        /// The variable is an effect here.
        case arrow
        /// Not known.
        case circle
    }

    public struct Edge: Hashable, Sendable {
        public let first: Int
        public let second: Int
        public let firstMark: Mark
        public let secondMark: Mark

        public init(_ first: Int, _ firstMark: Mark, _ second: Int, _ secondMark: Mark) {
            self.first = first
            self.second = second
            self.firstMark = firstMark
            self.secondMark = secondMark
        }

        /// cause -> effect.
        public init(from cause: Int, to effect: Int) { self.init(cause, .tail, effect, .arrow) }
    }

    /// The most variables of a graph.
    public static let mostVariables = 65_535

    public let names: [String]
    public let edges: [Edge]
    /// Of each variable, ascending.
    private let parentLists: [[Int]]
    private let childLists: [[Int]]

    public var count: Int { names.count }

    /// A graph of any edges between numbered variables; no names stand for x0, x1, and so on.
    ///
    /// - Throws: `.value` for no variables or more than 65535, a name that is empty or repeated, or an edge that is repeated; `.name` for
    ///   an edge to a variable that does not exist.
    public init(count: Int, names: [String]? = nil, edges: [Edge]) throws(EngineError) {
        guard (1...Graph.mostVariables).contains(count) else {
            throw EngineError(.value, "graph: \(count) variables, expected 1 to \(Graph.mostVariables)")
        }
        let names = names ?? (0..<count).map { "x\($0)" }
        guard names.count == count else { throw EngineError(.value, "graph: \(names.count) names for \(count) variables") }
        var known = Set<String>()
        for (i, name) in names.enumerated() {
            guard !name.isEmpty else { throw EngineError(.value, "graph: the name of variable \(i) is empty") }
            guard known.insert(name).inserted else { throw EngineError(.value, "graph: the name \"\(name)\" is given twice") }
        }
        var parents = [[Int]](repeating: [], count: count), children = parents
        var seen = Set<Edge>()
        for edge in edges {
            for end in [edge.first, edge.second] where !(0..<count).contains(end) {
                throw EngineError(.name, "graph: variable \(end) does not exist, expected 0 to \(count - 1)")
            }
            guard seen.insert(edge).inserted else {
                throw EngineError(.value, "graph: the edge between \(names[edge.first]) and \(names[edge.second]) is given twice")
            }
            switch (edge.firstMark, edge.secondMark) {
            case (.tail, .arrow):
                parents[edge.second].append(edge.first)
                children[edge.first].append(edge.second)
            case (.arrow, .tail):
                parents[edge.first].append(edge.second)
                children[edge.second].append(edge.first)
            default: break
            }
        }
        self.names = names
        self.edges = edges
        parentLists = parents.map { $0.sorted() }
        childLists = children.map { $0.sorted() }
    }

    /// A directed graph from its adjacency matrix, row-major: `adjacency[i * count + j]` is not 0 for an edge i -> j.
    public init(adjacency: some Collection<UInt8>, count: Int, names: [String]? = nil) throws(EngineError) {
        guard (1...Graph.mostVariables).contains(count) else {
            throw EngineError(.value, "graph: \(count) variables, expected 1 to \(Graph.mostVariables)")
        }
        guard adjacency.count == count * count else {
            throw EngineError(.shape, "graph: an adjacency matrix of \(adjacency.count) numbers, expected \(count) x \(count)")
        }
        var edges: [Edge] = []
        for (place, isThere) in adjacency.enumerated() where isThere != 0 { edges.append(Edge(from: place / count, to: place % count)) }
        try self.init(count: count, names: names, edges: edges)
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
    public func parents(of variable: Int) throws(EngineError) -> [Int] { parentLists[try check(variable)] }

    /// Direct effects, ascending.
    public func children(of variable: Int) throws(EngineError) -> [Int] { childLists[try check(variable)] }

    /// Everything that causes the variable, ascending; itself only where it lies on a cycle.
    public func ancestors(of variable: Int) throws(EngineError) -> [Int] { reach(from: try check(variable), along: parentLists) }

    /// Everything that the variable causes, ascending; itself only where it lies on a cycle.
    public func descendants(of variable: Int) throws(EngineError) -> [Int] { reach(from: try check(variable), along: childLists) }

    private func check(_ variable: Int) throws(EngineError) -> Int {
        guard names.indices.contains(variable) else {
            throw EngineError(.name, "graph: variable \(variable) does not exist, expected 0 to \(count - 1)")
        }
        return variable
    }

    private func reach(from start: Int, along lists: [[Int]]) -> [Int] {
        var isReached = [Bool](repeating: false, count: count)
        var waiting = lists[start]
        while let variable = waiting.popLast() {
            guard !isReached[variable] else { continue }
            isReached[variable] = true
            waiting.append(contentsOf: lists[variable])
        }
        return isReached.indices.filter { isReached[$0] }
    }
}
