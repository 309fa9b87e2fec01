extension Graph {
    /// Whether the graph makes `x` independent of `y` given `z` in every distribution it can have: d-separation (Pearl 1988), and with
    /// hidden causes m-separation (Richardson 2003). A path carries dependence unless a variable on it stops that: one in `z` where the
    /// path does not have arrows from both sides, one that is no ancestor of `z` (nor in it) where it does.
    ///
    /// Time and memory are linear in variables and edges. An empty set is separated from everything.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` for a variable in two of the sets, or an edge without a known
    ///   direction; `.cycle`.
    public func isSeparated(_ x: [Int], from y: [Int], given z: [Int] = []) throws(EngineError) -> Bool {
        let masks = try disjoint([("x", x), ("y", y), ("given", z)])
        try expectKnownEdges()
        return isSeparated(x, from: y, given: masks[2])
    }

    func isSeparated(_ x: [Int], from y: [Int], given z: [Bool]) -> Bool {
        let reached = walk(from: x, blocked: z, opened: parents.reach(from: indices(in: z)))
        return !y.contains { reached[$0] }
    }

    /// Where paths from `starts` lead: the ends of all along which every variable lets pass (Shachter 1998; Koller and Friedman 2009,
    /// algorithm 3.1). Those met between two arrows pass where they are `opened`, all others where they are not `blocked`. An end
    /// counts whether it lets pass or not. What is not `inside` (nil: everything is) does not exist.
    func walk(from starts: [Int], blocked: [Bool], opened: [Bool], inside: [Bool]? = nil) -> [Bool] {
        // A variable is visited once for each mark at which a path comes in.
        var atArrow = [Bool](repeating: false, count: count), atTail = atArrow, waiting: [(variable: Int, isArrow: Bool)] = []
        func visit(_ variable: Int, _ isArrow: Bool) {
            guard inside?[variable] ?? true, !(isArrow ? atArrow[variable] : atTail[variable]) else { return }
            if isArrow { atArrow[variable] = true } else { atTail[variable] = true }
            waiting.append((variable, isArrow))
        }
        for start in starts { visit(start, false) }
        while let (variable, isArrow) = waiting.popLast() {
            if !blocked[variable] {
                for child in children[variable] { visit(Int(child), true) }
            }
            if isArrow ? opened[variable] : !blocked[variable] {
                for parent in parents[variable] { visit(Int(parent), false) }
                for sibling in siblings[variable] { visit(Int(sibling), true) }
            }
        }
        return zip(atArrow, atTail).map { $0 || $1 }
    }
}
