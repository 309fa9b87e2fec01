/// What is known of a graph before data are looked at.
///
/// ```swift
/// var knowledge = Knowledge()
/// knowledge.required = [(cause: 0, effect: 1)]
/// knowledge.tiers = [0, 1, 1]                // nothing of tier 1 causes something of tier 0
/// ```
public struct Knowledge: Sendable {
    /// Edges that are there.
    public var required: [(cause: Int, effect: Int)] = []
    /// Edges that are not there, though the opposite one may be.
    public var forbidden: [(cause: Int, effect: Int)] = []
    /// By variable: none is caused by one of a later tier. Nil for a variable of which that is not known. Empty: no tiers.
    public var tiers: [Int?] = []
    /// All variables, causes before effects; nil where that is not known.
    public var order: [Int]?
    /// Of one variable; nil for any number.
    public var mostParents: Int?

    public init() {}

    /// - Throws: `.name` for a variable that does not exist; `.value` for knowledge that contradicts itself, which the message shows; `.cycle` for
    ///   required edges that are one.
    func resolved(_ names: [String]) throws(EngineError) -> SearchKnowledge {
        let count = names.count
        for (cause, effect) in required + forbidden {
            _ = try Graph.check(cause, count)
            _ = try Graph.check(effect, count)
        }
        guard tiers.isEmpty || tiers.count == count else {
            throw EngineError(.shape, "knowledge: \(tiers.count) tiers, expected \(count), one a variable")
        }
        let places = try order.map { order throws(EngineError) in try checkedPlaces(order, names) }
        let isForbidden = Set(forbidden.map { $0.cause * count + $0.effect })
        /// Why there cannot be such an edge; nil where there can.
        func objection(_ cause: Int, _ effect: Int) -> String? {
            if isForbidden.contains(cause * count + effect) { return "it is forbidden" }
            if !tiers.isEmpty, let a = tiers[cause], let b = tiers[effect], a > b { return "\(names[cause]) is of tier \(a) and \(names[effect]) of tier \(b)" }
            if let places, places[cause] > places[effect] { return "\(names[effect]) comes before \(names[cause]) in the order" }
            return nil
        }
        var parents = [Set<UInt16>](repeating: [], count: count)
        for (cause, effect) in required {
            guard cause != effect else { throw EngineError(.value, "knowledge: the edge \(names[cause]) -> \(names[effect]) is required, from a variable to itself") }
            if let reason = objection(cause, effect) {
                throw EngineError(.value, "knowledge: the edge \(names[cause]) -> \(names[effect]) is required, but \(reason)")
            }
            parents[effect].insert(UInt16(cause))
        }
        let graph = try Graph(count: count, names: names, edges: parents.enumerated().flatMap { effect, causes in
            causes.sorted().map { Graph.Edge(from: Int($0), to: effect) }
        })
        if let cycle = graph.findCycle() {
            throw EngineError(.cycle, "knowledge: the required edges have a cycle, \((cycle + cycle.prefix(1)).map { names[$0] }.joined(separator: " -> "))")
        }
        let most = mostParents ?? count
        guard most >= 0 else { throw EngineError(.value, "knowledge: at most \(most) parents, expected 0 or more") }
        for (effect, causes) in parents.enumerated() where causes.count > most {
            throw EngineError(.value, "knowledge: \(names[effect]) has \(causes.count) required parents, expected at most \(most), as many as a variable may have")
        }
        return try SearchKnowledge(count: count, mostParents: most, required: parents.map { $0.sorted() }) { cause, effect in
            objection(cause, effect) == nil && !parents[cause].contains(UInt16(effect))
        }
    }

    private func checkedPlaces(_ order: [Int], _ names: [String]) throws(EngineError) -> [Int] {
        var places = [Int](repeating: -1, count: names.count)
        for (place, variable) in order.enumerated() {
            guard places[try Graph.check(variable, names.count)] < 0 else {
                throw EngineError(.value, "knowledge: \(names[variable]) is in the order twice")
            }
            places[variable] = place
        }
        if let left = places.firstIndex(of: -1) { throw EngineError(.value, "knowledge: \(names[left]) is not in the order, expected all variables") }
        return places
    }
}
