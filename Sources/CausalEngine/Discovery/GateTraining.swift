internal import CausalKernels

/// One network that learns a graph with its mechanisms: at first with no price for cycles, which then rises until none are left (the two stages of
/// SDCD, Nazaret et al. 2024, of which the first is short here: what has learned to predict causes from effects is slow to forget it); then, in the
/// order of the variables that was found, all edges that agree with it once more; and in the end edges are left out that a flexible network has no
/// use for (`Pruning`).
final class GateTraining {
    private var learner: GateLearner<Float>
    private let rows: GateRows
    private let values: Storage<Float>
    private let tells: Storage<Float>
    private var random: Random
    private var draw: [Double]
    private var stepsDone = 0
    private var pruning: Pruning?
    private var families: [InteractionScore.Family] = []
    /// Of the graph, by splines; known in the end.
    private(set) var score: Double?

    private enum Stage { static let free = 200, acyclic = 4_000, ordered = 1_000, all = free + acyclic + ordered }
    private static let units = 10
    private static let sparsity = 0.005
    private static let ridge = 1e-3
    private static let weightRate = 0.01
    private static let gateRate = 0.02
    /// The price of cycles in the end, to which it rises with the square of the steps.
    private static let strength = 30.0

    init(_ rows: GateRows, random: Random) throws(EngineError) {
        self.rows = rows
        self.random = random
        let count = rows.count
        values = try Storage(count: rows.batch * count, of: "gates")
        tells = try Storage(count: rows.batch * count, of: "gates")
        draw = [Double](repeating: 0, count: count * count)
        let gates = try Gates(count: count, kinds: rows.kinds { _, _ in true })
        let network = try GatedNetwork<Float>(variables: count, units: Self.units, rows: rows.batch, random: random)
        learner = try GateLearner(network, gates, sparsity: Self.sparsity, ridge: Self.ridge, weightRate: Self.weightRate, gateRate: Self.gateRate)
    }

    var progress: Double {
        let ends = Double((pruning?.variablesDone ?? 0) + families.count) / Double(2 * max(rows.count, 1))
        return 0.8 * Double(stepsDone) / Double(Stage.all) + 0.2 * ends
    }

    /// By variable, in the graph as it is by now.
    var parents: [[UInt16]] { pruning?.parents ?? current.parents }

    /// Of `cause * count + effect`, the probability that the gate is open.
    var gates: [Double] { learner.gates.probabilities }

    private var current: GateOrder { GateOrder(learner.gates, required: rows.knowledge.required, mostParents: rows.mostParents) }

    /// True when it is over.
    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while stepsDone < Stage.all {
            guard !shouldStop() else { return false }
            try step()
        }
        if pruning == nil {
            pruning = Pruning(current.parents, rows.data, rows.knowledge, weights: rows.weights, penalty: rows.penalty, random: random)
        }
        guard try pruning!.run(shouldStop: shouldStop) else { return false }
        while families.count < rows.count {
            guard !shouldStop() else { return false }
            let v = families.count
            families.append(try InteractionScore.Family(v, candidates: parents[v].map(Int.init), rows.data, rows.functions, weights: rows.weights))
        }
        if score == nil { score = total(InteractionScore(families, rows: rows.drawn.count, penalty: rows.penalty)) }
        return true
    }

    private func total(_ score: InteractionScore) -> Double {
        let evaluation = Evaluation(count: rows.count)
        return parents.enumerated().reduce(0) { sum, family in
            family.element.withUnsafeBufferPointer { score.evaluate(family.offset, parents: $0, into: evaluation) }
            return sum + evaluation.score
        }
    }

    private func step() throws(EngineError) {
        if stepsDone == Stage.free + Stage.acyclic { keepOrder() }
        rows.draw(&random, values.pointer, tells.pointer)
        for place in draw.indices { draw[place] = random.openUniform() }
        let acyclic = stepsDone - Stage.free, share = Double(acyclic) / Double(Stage.acyclic)
        let strength = acyclic > 0 && acyclic < Stage.acyclic ? Self.strength * share * share : 0
        let scale = strength > 0 ? learner.cycleScale() : 1
        _ = try learner.objective(values.pointer, tells: tells.pointer, rows: rows.batch, draw: draw, strength: strength, cycleScale: scale)
        try learner.step()
        stepsDone += 1
    }

    /// From here on an edge leads from a variable to a later one, and all these have the same chance again.
    private func keepOrder() {
        var place = [Int](repeating: 0, count: rows.count)
        for (k, variable) in current.order.enumerated() { place[variable] = k }
        learner.gates.kinds = rows.kinds { place[$0] < place[$1] }
        learner.gates.logits.withMutablePointer { $0.update(repeating: 0, count: rows.count * rows.count) }
    }
}

/// What networks with gates learn from, and what is known before.
struct GateRows: @unchecked Sendable {
    let data: StructuralDataset
    let knowledge: SearchKnowledge
    let weights: [Int]?
    let penalty: Double
    let functions: [SmoothFunctions]
    /// The most parents of each variable that the rows can tell of, and that it may have.
    let mostParents: [Int]
    /// All rows, each as often as it counts.
    let drawn: [Int]
    /// Rows of a step.
    let batch: Int
    /// Standardised, and 1 where the row tells of the variable's mechanism.
    private let values: Storage<Float>
    private let tells: Storage<Float>

    private static let mostBatchRows = 256
    /// No number is further out, in units of its variable's spread: the products of such ones would not be numbers.
    private static let furthest = 1e6

    var count: Int { data.columns }

    /// - Parameter score: which knows of how many parents the rows can tell.
    init(_ data: StructuralDataset, _ knowledge: SearchKnowledge, _ score: any LocalScore, weights: [Int]?, penalty: Double) throws(EngineError) {
        self.data = data
        self.knowledge = knowledge
        self.weights = weights
        self.penalty = penalty
        functions = SmoothFunctions.all(data)
        mostParents = (0..<data.columns).map { min(knowledge.mostParents, score.mostParents(of: $0)) }
        drawn = weights.map { weights in weights.indices.flatMap { [Int](repeating: $0, count: weights[$0]) } } ?? Array(0..<data.rows)
        batch = min(drawn.count, Self.mostBatchRows)
        values = try Storage(count: checkedSize(data.rows, data.columns, of: "gates"), of: "gates")
        tells = try Storage(count: data.rows * data.columns, of: "gates")
        for v in 0..<data.columns {
            let scale = data.standardisation(of: v)
            for row in 0..<data.rows {
                values.pointer[row * data.columns + v] = Float(min(max(scale.standard(data.value(row, v)), -Self.furthest), Self.furthest))
                tells.pointer[row * data.columns + v] = data.isSet(row, v) ? 0 : 1
            }
        }
    }

    /// A batch of rows: all where there are no more.
    func draw(_ random: inout Random, _ x: UnsafeMutablePointer<Float>, _ told: UnsafeMutablePointer<Float>) {
        for k in 0..<batch {
            let row = drawn[drawn.count > batch ? random.index(below: drawn.count) : k]
            for v in 0..<count {
                x[k * count + v] = values.pointer[row * count + v]
                told[k * count + v] = tells.pointer[row * count + v]
            }
        }
    }

    /// What is required is open, and what is not allowed closed.
    func kinds(isPossible: (_ cause: Int, _ effect: Int) -> Bool) -> [Gates.Kind] {
        (0..<count * count).map { place in
            let cause = place / count, effect = place % count
            if knowledge.required[effect].contains(UInt16(cause)) { return .open }
            return cause != effect && knowledge.isAllowed(cause, effect) && isPossible(cause, effect) ? .free : .closed
        }
    }
}
