/// The back-door criterion (Pearl 1993, 1995). A set z meets it where it contains no descendant of a treatment and blocks all paths to the
/// outcomes that begin with an arrow into a treatment: then P(y | do(x)) is the mean of P(y | x, z) over the distribution of z.
///
/// For several treatments that is asked of their joint effect: z and the other treatments together block the paths of each one (Maathuis
/// and Colombo 2015), which is separation in the graph without the edges out of the treatments.
extension Graph {
    /// - Throws: `.name` for a variable that does not exist; `.value` for no treatment or no outcome, a variable that is two of these
    ///   things, or an edge without a known direction; `.cycle`.
    public func isBackDoorSet(_ z: [Int], treatments: [Int], outcomes: [Int]) throws(EngineError) -> Bool {
        let masks = try disjoint([("treatment", treatments), ("outcome", outcomes), ("the back-door set", z)])
        let backDoor = try withoutEffects(of: treatments, masks[0], outcomes)
        let effects = children.reach(from: treatments)
        return !z.contains { effects[$0] } && backDoor.isSeparated(treatments, from: outcomes, given: masks[2])
    }

    /// A back-door set of which nothing can be left out, chosen among `allowed` variables (nil: all); nil where there is none. Of several
    /// the one nearest to the outcomes, as those of its variables that say nothing about the treatment only make estimates more precise.
    ///
    /// - Throws: As `isBackDoorSet`.
    public func backDoorSet(treatments: [Int], outcomes: [Int], allowed: [Int]? = nil) throws(EngineError) -> [Int]? {
        var sets = try backDoorSeparators(treatments, outcomes, allowed)
        return sets.next()
    }

    /// At most `limit` back-door sets of which nothing can be left out, each ascending, `backDoorSet` first. There may be exponentially
    /// many; each takes at most a time that is the product of variables and edges.
    ///
    /// - Throws: As `isBackDoorSet`.
    public func minimalBackDoorSets(treatments: [Int], outcomes: [Int], allowed: [Int]? = nil, limit: Int) throws(EngineError) -> [[Int]] {
        var separators = try backDoorSeparators(treatments, outcomes, allowed), sets: [[Int]] = []
        while sets.count < limit, let set = separators.next() { sets.append(set) }
        return sets
    }

    private func backDoorSeparators(_ treatments: [Int], _ outcomes: [Int], _ allowed: [Int]?) throws(EngineError) -> MinimalSeparators {
        let masks = try disjoint([("treatment", treatments), ("outcome", outcomes)])
        let backDoor = try withoutEffects(of: treatments, masks[0], outcomes)
        var candidates = try allowed.map { allowed throws(EngineError) in try mask(allowed) } ?? [Bool](repeating: true, count: count)
        for effect in indices(in: children.reach(from: treatments)) { candidates[effect] = false }
        for outcome in outcomes { candidates[outcome] = false }
        return MinimalSeparators(backDoor, near: outcomes, far: treatments, candidates: candidates)
    }

    private func withoutEffects(of treatments: [Int], _ isTreatment: [Bool], _ outcomes: [Int]) throws(EngineError) -> Graph {
        guard !treatments.isEmpty else { throw EngineError(.value, "graph: no treatment, expected one or more") }
        guard !outcomes.isEmpty else { throw EngineError(.value, "graph: no outcome, expected one or more") }
        try expectKnownEdges()
        return try filtered { !($0.firstMark == .tail && isTreatment[$0.first]) && !($0.secondMark == .tail && isTreatment[$0.second]) }
    }
}
