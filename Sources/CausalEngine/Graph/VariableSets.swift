/// Sets of variables: lists of numbers outside, one Bool a variable inside.
extension Graph {
    func indices(in mask: [Bool]) -> [Int] { mask.indices.filter { mask[$0] } }

    /// - Throws: `.name` for a variable that does not exist.
    func mask(_ variables: [Int]) throws(EngineError) -> [Bool] {
        var mask = [Bool](repeating: false, count: count)
        for variable in variables { mask[try Graph.check(variable, count)] = true }
        return mask
    }

    /// The masks of sets that have nothing in common.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` for one in two of the sets.
    func disjoint(_ sets: [(name: String, variables: [Int])]) throws(EngineError) -> [[Bool]] {
        var owner = [Int?](repeating: nil, count: count), masks: [[Bool]] = []
        for (number, set) in sets.enumerated() {
            masks.append(try mask(set.variables))
            for variable in set.variables {
                if let other = owner[variable], other != number {
                    throw EngineError(.value, "graph: \(names[variable]) is in \(sets[other].name) and in \(set.name), expected sets without a common variable")
                }
                owner[variable] = number
            }
        }
        return masks
    }

    /// What every question about paths needs: causes that have an order, and edges whose ends are known.
    ///
    /// - Throws: `.cycle`; `.value` for an edge that is neither cause -> effect nor a hidden common cause.
    func expectKnownEdges() throws(EngineError) {
        if let edge = otherEdges.first {
            throw EngineError(.value, "graph: the edge between \(names[edge.first]) and \(names[edge.second]) has no known direction, expected a -> b or a <-> b")
        }
        _ = try topologicalOrder()
    }
}
