/// What can be known from observations where causes are hidden.
extension Graph {
    /// Whether P(outcomes | do(treatments)) follows from the distribution of what is observed, for every model that has this graph (Tian
    /// and Pearl 2002; complete by Huang and Valtorta 2006 and Shpitser and Pearl 2006). Without hidden causes it always does.
    ///
    /// The outcomes' ancestors that remain after do() fall into districts. Each must follow from its district in the whole graph, by
    /// taking in turns the ancestors and the district of what is wanted, until nothing else is left.
    ///
    /// - Throws: `.name` for a variable that does not exist; `.value` for one that is a treatment and an outcome, or an edge without a
    ///   known direction; `.cycle`.
    public func isIdentified(outcomes: [Int], treatments: [Int]) throws(EngineError) -> Bool {
        let isTreatment = try disjoint([("treatment", treatments), ("outcome", outcomes)])[0]
        try expectKnownEdges()
        let wanted = parents.reach(from: outcomes, inside: isTreatment.map(!))
        for district in districts(inside: wanted) {
            var known = siblings.reach(from: [district[0]])
            while true {
                let causes = parents.reach(from: district, inside: known)
                if indices(in: causes) == district { break }
                if causes == known { return false }
                known = siblings.reach(from: [district[0]], inside: causes)
            }
        }
        return true
    }

    /// Whether a variable's noise, the part of it that its parents do not explain, depends on them: then its mechanism is not what a
    /// regression on the parents finds.
    ///
    /// The noise depends on that of the siblings and on nothing else, and the parents are functions of the noises of their ancestors and
    /// their own. So it does exactly where a sibling is an ancestor of the variable.
    ///
    /// - Throws: `.name`; `.value` for an edge without a known direction; `.cycle`.
    public func mechanismIsConfounded(_ variable: Int) throws(EngineError) -> Bool {
        _ = try Graph.check(variable, count)
        try expectKnownEdges()
        return hasConfoundedMechanism(variable)
    }

    private func hasConfoundedMechanism(_ variable: Int) -> Bool {
        guard !siblings[variable].isEmpty else { return false }
        let ancestors = parents.reach(from: [variable])
        return siblings[variable].contains { ancestors[Int($0)] }
    }

    /// The variables that stand in the way of answering a question about `outcomes` under do(`intervened`) one mechanism after the other,
    /// each learned from its own parents: among the descendants of what is set that are still ancestors of an outcome, or are one,
    ///
    /// - those whose mechanism is confounded, and
    /// - where noises are drawn, those with a sibling that also remains: drawn independently, their noises would lose what they share.
    ///   (Where they are those of a given row, as in a counterfactual, nothing is lost.)
    ///
    /// Where there are none, P(outcomes | do) is that of drawing the other remaining variables together, as they were observed, and each
    /// descendant from P(variable | parents). Where there are some the query may still be identified, in another way.
    ///
    /// - Throws: `.name`; `.value` for an edge without a known direction; `.cycle`.
    public func confoundedMechanisms(outcomes: [Int], intervened: [Int], drawingNoise: Bool = true) throws(EngineError) -> [Int] {
        let isSet = try mask(intervened)
        _ = try mask(outcomes)
        try expectKnownEdges()
        let remaining = parents.reach(from: outcomes, inside: isSet.map(!)), effects = children.reach(from: intervened)
        return (0..<count).filter { variable in
            remaining[variable] && effects[variable] && (hasConfoundedMechanism(variable)
                || drawingNoise && siblings[variable].contains { remaining[Int($0)] })
        }
    }
}
