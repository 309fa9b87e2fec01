/// Causes that nobody sees. `a <-> b` (an arrow at both ends) declares that a and b have one in common that is not in the graph; such
/// a graph stands for the DAG with one hidden root for each of these edges (the latent projection of Verma and Pearl 1990).
extension Graph {
    /// The variables that share a hidden cause with this one, ascending.
    public func siblings(of variable: Int) throws(EngineError) -> [Int] { siblings[try Graph.check(variable, count)].map(Int.init) }

    /// All pairs that share a hidden cause, the smaller variable first, in order.
    public var confoundedPairs: [(first: Int, second: Int)] {
        var pairs: [(Int, Int)] = []
        siblings.forEach { if $0 < $1 { pairs.append(($0, $1)) } }
        return pairs
    }

    /// This graph with a hidden common cause for each of the pairs. A pair that has one already, or is there twice, keeps one.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` for a variable paired with itself; `.memory`.
    public func confounding(_ pairs: [(first: Int, second: Int)]) throws(EngineError) -> Graph {
        var added = Set<[Int]>()
        for (first, second) in pairs {
            _ = try Graph.check(first, count)
            _ = try Graph.check(second, count)
            guard first != second else { throw Graph.ownCause(names[first]) }
            added.insert([min(first, second), max(first, second)])
        }
        siblings.forEach { added.remove([$0, $1]) }
        let all = try Adjacency(count: count) { body in
            siblings.forEach(body)
            for pair in added {
                body(pair[0], pair[1])
                body(pair[1], pair[0])
            }
        }
        return try Graph(names: names, children: children, siblings: all.reversed(), otherEdges: otherEdges)
    }

    static func ownCause(_ name: String) -> EngineError {
        EngineError(.value, "graph: \(name) is paired with itself, expected two variables that share a hidden cause")
    }

    /// The variables in groups that hidden causes connect (c-components, Tian and Pearl 2002): each ascending, by their first.
    public var districts: [[Int]] { districts(inside: [Bool](repeating: true, count: count)) }

    /// The districts of the graph that is left of the variables `inside`.
    func districts(inside: [Bool]) -> [[Int]] {
        var isDone = [Bool](repeating: false, count: count), districts: [[Int]] = []
        for variable in 0..<count where inside[variable] && !isDone[variable] {
            let district = indices(in: siblings.reach(from: [variable], inside: inside))
            for member in district { isDone[member] = true }
            districts.append(district)
        }
        return districts
    }
}
