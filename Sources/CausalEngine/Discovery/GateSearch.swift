internal import CausalKernels

/// Learns a graph with the mechanisms in one gated network: at first with hardly a price for cycles, which then rises until none are left (the schedule of SDCD,
/// Nazaret et al. 2024, whose first stage is short here); then, with the order of the variables that was found, all edges that agree with it once more; and in
/// the end edges are left out that a flexible network has no use for.
final class GateSearch: GraphSearch {
    private var learner: GateLearner<Float>
    private let data: StructuralDataset
    private let knowledge: SearchKnowledge
    private let weights: [Int]?
    private let penalty: Double
    private let count: Int
    /// All rows, each as often as it counts.
    private let drawn: [Int]
    private let values: Storage<Float>
    private let tells: Storage<Float>
    private let batchValues: Storage<Float>
    private let batchTells: Storage<Float>
    private let batchRows: Int
    private var random: Random
    private let pruningRandom: Random
    private var draw: [Double]
    private var stepsDone = 0
    private var pruning: Pruning?

    private enum Stage { static let free = 200, acyclic = 4_000, ordered = 1_500, all = free + acyclic + ordered }
    private static let units = 10
    private static let mostBatchRows = 256
    private static let sparsity = 0.01
    private static let ridge = 1e-3
    private static let weightRate = 0.01
    private static let gateRate = 0.02
    /// Of the price of cycles, in the end.
    private static let strength = 10.0
    /// No number is further out, in units of its variable's spread: products of such ones would not be numbers.
    private static let furthest = 1e6

    init(_ data: StructuralDataset, _ knowledge: SearchKnowledge, weights: [Int]?, random: Random, penalty: Double) throws(EngineError) {
        self.data = data
        self.knowledge = knowledge
        self.weights = weights
        self.penalty = penalty
        self.random = random
        pruningRandom = random
        let count = data.columns
        self.count = count
        drawn = weights.map { weights in weights.indices.flatMap { [Int](repeating: $0, count: weights[$0]) } } ?? Array(0..<data.rows)
        batchRows = min(drawn.count, Self.mostBatchRows)
        values = try Storage(count: checkedSize(data.rows, count, of: "gates"), of: "gates")
        tells = try Storage(count: data.rows * count, of: "gates")
        for v in 0..<count {
            let scale = data.standardisation(of: v)
            for row in 0..<data.rows {
                values.pointer[row * count + v] = Float(min(max(scale.standard(data.value(row, v)), -Self.furthest), Self.furthest))
                tells.pointer[row * count + v] = data.isSet(row, v) ? 0 : 1
            }
        }
        batchValues = try Storage(count: batchRows * count, of: "gates")
        batchTells = try Storage(count: batchRows * count, of: "gates")
        draw = [Double](repeating: 0, count: count * count)
        let gates = try Gates(count: count, kinds: Self.kinds(knowledge, count) { _, _ in true })
        let network = try GatedNetwork<Float>(variables: count, units: Self.units, rows: batchRows, random: self.random)
        learner = try GateLearner(network, gates, sparsity: Self.sparsity, ridge: Self.ridge, weightRate: Self.weightRate, gateRate: Self.gateRate)
    }

    /// What is required is open, and what is not allowed closed.
    private static func kinds(_ knowledge: SearchKnowledge, _ count: Int, isOpen: (Int, Int) -> Bool) -> [Gates.Kind] {
        (0..<count * count).map { place in
            let cause = place / count, effect = place % count
            if knowledge.required[effect].contains(UInt16(cause)) { return .open }
            return cause != effect && knowledge.isAllowed(cause, effect) && isOpen(cause, effect) ? .free : .closed
        }
    }

    var progress: Double { 0.9 * Double(stepsDone) / Double(Stage.all) + 0.1 * Double(pruning?.variablesDone ?? 0) / Double(max(count, 1)) }
    var isFinished: Bool { pruning.map { $0.variablesDone == count } ?? false }

    /// No score is kept of it: the gates are not a likelihood.
    var best: (parents: [[UInt16]], score: Double) { (pruning?.parents ?? GateOrder(learner.gates, knowledge).parents, 0) }

    /// Of `cause * count + effect`, the probability that the gate is open.
    var gates: [Double] { learner.gates.probabilities }

    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while stepsDone < Stage.all {
            guard !shouldStop() else { return false }
            try step()
        }
        if pruning == nil {
            pruning = Pruning(GateOrder(learner.gates, knowledge).parents, data, knowledge, weights: weights, penalty: penalty, random: pruningRandom)
        }
        return try pruning!.run(shouldStop: shouldStop)
    }

    private func step() throws(EngineError) {
        if stepsDone == Stage.free + Stage.acyclic { keepOrder() }
        for k in 0..<batchRows {
            let row = drawn.count > batchRows ? drawn[random.index(below: drawn.count)] : drawn[k]
            (batchValues.pointer + k * count).update(from: values.pointer + row * count, count: count)
            (batchTells.pointer + k * count).update(from: tells.pointer + row * count, count: count)
        }
        for place in draw.indices { draw[place] = random.openUniform() }
        let acyclic = min(stepsDone - Stage.free, Stage.acyclic)
        let strength = acyclic > 0 && acyclic < Stage.acyclic ? Self.strength * Double(acyclic) / Double(Stage.acyclic) : 0
        _ = try learner.objective(batchValues.pointer, tells: batchTells.pointer, rows: batchRows, draw: draw, strength: strength,
                                  cycleScale: strength > 0 ? learner.cycleScale() : 1)
        try learner.step()
        stepsDone += 1
    }

    /// From here on an edge leads from a variable to a later one, and all these have the same chance again.
    private func keepOrder() {
        let order = GateOrder(learner.gates, knowledge).order
        var place = [Int](repeating: 0, count: count)
        for (k, variable) in order.enumerated() { place[variable] = k }
        learner.gates.kinds = Self.kinds(knowledge, count) { place[$0] < place[$1] }
        learner.gates.logits.withMutablePointer { $0.update(repeating: 0, count: count * count) }
    }
}

/// The acyclic graph that gates say most of: edges in the order of their gates, each unless it would make a cycle, or one parent more than there may be.
struct GateOrder {
    /// By variable, ascending.
    let parents: [[UInt16]]
    /// Causes before effects, those with fewer ancestors first.
    let order: [Int]

    /// A gate that is closed as often as it is open is no edge.
    private static let least = 0.5

    init(_ gates: Gates, _ knowledge: SearchKnowledge) {
        let count = gates.count, probabilities = gates.probabilities, words = VariableBits.words(for: count)
        var parents = knowledge.required
        // By variable, as bits, its ancestors and itself.
        var ancestors = [UInt64](repeating: 0, count: count * words)
        func isAncestor(_ a: Int, of b: Int) -> Bool { ancestors[b * words + a >> 6] >> UInt64(a & 63) & 1 != 0 }
        func connect(_ cause: Int, _ effect: Int) {
            for v in 0..<count where v == effect || isAncestor(effect, of: v) {
                for word in 0..<words { ancestors[v * words + word] |= ancestors[cause * words + word] }
            }
        }
        for v in 0..<count { ancestors[v * words + v >> 6] |= 1 << UInt64(v & 63) }
        for (effect, causes) in parents.enumerated() { for cause in causes { connect(Int(cause), effect) } }
        let open = probabilities.indices.filter { gates.kinds[$0] == .free && probabilities[$0] > Self.least }
        for place in open.sorted(by: { (probabilities[$0], $1) > (probabilities[$1], $0) }) {
            let cause = place / count, effect = place % count
            guard parents[effect].count < knowledge.mostParents, !isAncestor(effect, of: cause) else { continue }
            parents[effect].append(UInt16(cause))
            connect(cause, effect)
        }
        self.parents = parents.map { $0.sorted() }
        let ages = (0..<count).map { v in (0..<words).reduce(0) { $0 + ancestors[v * words + $1].nonzeroBitCount } }
        order = (0..<count).sorted { (ages[$0], $0) < (ages[$1], $1) }
    }
}
