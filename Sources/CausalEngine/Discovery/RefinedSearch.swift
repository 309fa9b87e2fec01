/// A search among all graphs with a plain score, then one with a richer score among those that have the edges which the first found, or nearly
/// did; and in the end edges are left out that a still richer mechanism has no use for.
final class RefinedSearch: GraphSearch {
    private let first: OrderSearch
    private let score: any LocalScore
    private let knowledge: SearchKnowledge
    private let options: (restarts: Int, random: Random, penalty: Double)
    private let data: StructuralDataset
    private let functions: [SmoothFunctions]
    private let weights: [Int]?
    private var candidates: [[Int]] = []
    private var families: [InteractionScore.Family] = []
    private var second: OrderSearch?
    private var pruning: Pruning?

    /// Of one variable, where the data do not say that there are more.
    private static let fewestCandidates = 8
    private static let mostCandidates = 16

    init(_ score: any LocalScore, _ knowledge: SearchKnowledge, _ data: StructuralDataset, weights: [Int]?, restarts: Int, random: Random, penalty: Double) {
        self.score = score
        self.knowledge = knowledge
        self.data = data
        self.weights = weights
        functions = SmoothFunctions.all(data)
        options = (restarts, random, penalty)
        first = OrderSearch(score, knowledge, restarts: restarts, random: random)
    }

    var progress: Double {
        let all = Double(score.count)
        return (first.progress + Double(families.count) / all + (second?.progress ?? 0) + Double(pruning?.variablesDone ?? 0) / all) / 4
    }
    var isFinished: Bool { pruning.map { $0.variablesDone == score.count } ?? false }

    var best: (parents: [[UInt16]], score: Double) {
        guard let second, second.hasArrived else { return first.best }
        return (pruning?.parents ?? second.best.parents, second.best.score)
    }

    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        guard first.run(shouldStop: shouldStop) else { return false }
        if candidates.isEmpty { candidates = chooseCandidates() }
        while families.count < score.count {
            guard !shouldStop() else { return false }
            let v = families.count
            families.append(try InteractionScore.Family(v, candidates: candidates[v], data, functions, weights: weights))
        }
        if second == nil {
            let rows = weights?.reduce(0, +) ?? data.rows
            second = OrderSearch(InteractionScore(families, rows: rows, penalty: options.penalty), try knowledge.restricted(to: candidates),
                                 restarts: options.restarts, random: options.random)
        }
        guard second!.run(shouldStop: shouldStop) else { return false }
        if pruning == nil {
            pruning = Pruning(second!.best.parents, data, knowledge, weights: weights, penalty: options.penalty, random: options.random)
        }
        return try pruning!.run(shouldStop: shouldStop)
    }

    /// For each variable its neighbours in the graph that was found, and what else would have been most use to it.
    private func chooseCandidates() -> [[Int]] {
        let parents = first.best.parents, evaluation = Evaluation(count: score.count)
        var chosen = parents.map { $0.map(Int.init) }
        for (child, causes) in parents.enumerated() { for cause in causes { chosen[Int(cause)].append(child) } }
        for v in chosen.indices {
            parents[v].withUnsafeBufferPointer { score.evaluate(v, parents: $0, into: evaluation) }
            let known = Set(chosen[v])
            let others = (0..<score.count).filter { $0 != v && !known.contains($0) }.sorted { (evaluation.gains[$0], $1) > (evaluation.gains[$1], $0) }
            chosen[v] = Array((chosen[v] + others.prefix(max(2, Self.fewestCandidates - chosen[v].count))).prefix(Self.mostCandidates))
            for parent in knowledge.required[v] where !chosen[v].contains(Int(parent)) { chosen[v].append(Int(parent)) }
            chosen[v].sort()
        }
        return chosen
    }
}
