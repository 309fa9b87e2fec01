/// Sets that separate two groups of variables and of which nothing can be left out, chosen among some variables.
///
/// All of them lie among the ancestors of both groups, and there separation is that of an undirected graph: walk freely between
/// variables that an edge joins, or arrows from both sides (van der Zander, Liskiewicz and Textor 2014, 2019). A candidate cuts that
/// graph in two. The smallest near side that contains given variables is found by three walks; growing it by one variable of its
/// border at a time, and never by those that were tried before, gives each set once (Takata 2010).
struct MinimalSeparators {
    private let graph: Graph
    private let near: [Int]
    private let far: [Int]
    private let ancestors: [Bool]
    /// Those that may be in a set.
    private let candidates: [Bool]
    /// Near sides still to be grown, each by the variable `added`, into none of `excluded`.
    private var waiting: [(side: [Bool], added: Int?, excluded: [Int])]

    /// - Parameters:
    ///   - near, far: Two groups without a common variable. The first set found is the one nearest to `near`.
    ///   - candidates: One entry a variable; false for `near` and `far`.
    init(_ graph: Graph, near: [Int], far: [Int], candidates: [Bool]) {
        self.graph = graph
        self.near = near
        self.far = far
        ancestors = graph.parents.reach(from: near + far)
        self.candidates = zip(candidates, ancestors).map { $0 && $1 }
        waiting = [([Bool](repeating: false, count: graph.count), nil, [])]
    }

    /// The next set, ascending; nil when there are no more. Time is at most the number of variables times that of a walk.
    mutating func next() -> [Int]? {
        while let step = waiting.popLast() {
            var side = step.side, excluded = step.excluded
            if let added = step.added { side[added] = true }
            guard let set = border(around: side) else { continue }
            let grown = walk(from: near, blocked: set)
            guard !excluded.contains(where: { grown[$0] && !set[$0] }) else { continue }
            let members = graph.indices(in: set), inside = zip(grown, set).map { $0 && !$1 }
            for member in members where !excluded.contains(member) {
                waiting.append((inside, member, excluded))
                excluded.append(member)
            }
            return members
        }
        return nil
    }

    /// Of the sets whose near side contains `side` the one nearest to it; nil where none has.
    private func border(around side: [Bool]) -> [Bool]? {
        let outside = zip(candidates, side).map { $0 && !$1 }
        let reached = walk(from: near + graph.indices(in: side), blocked: outside)
        guard !far.contains(where: { reached[$0] }) else { return nil }
        let all = zip(reached, outside).map { $0 && $1 }
        return zip(walk(from: far, blocked: all), all).map { $0 && $1 }
    }

    private func walk(from starts: [Int], blocked: [Bool]) -> [Bool] {
        graph.walk(from: starts, blocked: blocked, opened: ancestors, inside: ancestors)
    }
}
