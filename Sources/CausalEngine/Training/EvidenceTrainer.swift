internal import CausalKernels
internal import Synchronization

/// Trains a small network of one output as `EvidenceFit` says. Such networks have optima that are not the best: several start on few rows, and that of
/// the largest evidence goes on with all rows.
final class EvidenceTrainer<Scalar: EngineScalar>: @unchecked Sendable {
    private let parameters: Parameters<Scalar>
    private let all: RegressionRows
    /// What is still to be done on the rows of this round: the first is under way.
    private var waiting: [EvidenceFit]
    private var ended: [(fit: EvidenceFit, evidence: Double)] = []
    private var isLastRound = false
    private let isCancelled = Atomic<Bool>(false)
    private(set) var isFinished = false

    private static var starts: Int { 4 }
    private static var fewRows: Int { 2_000 }
    /// The time of a step grows with their number squared, times the rows.
    private static var mostWeights: Int { 1_000 }
    private static var fewWeights: Int { 300 }

    /// Whether a network of these widths has few enough weights to be tried where nobody asked for it.
    static func learnsSoon(inputs: Int, hidden: [Int]) -> Bool {
        let widths = [inputs] + hidden + [1]
        return zip(widths, widths.dropFirst()).reduce(0.0) { $0 + Double($1.1) * (Double($1.0) + 1) } <= Double(fewWeights)
    }

    /// - Throws: `.value` for a network that is too large.
    init(_ model: Model<Scalar>, _ parameters: Parameters<Scalar>, on data: Dataset<Scalar>, seed: UInt64) throws(EngineError) {
        guard let network = model.plan.columns, network.outputs == 1, model.layout.count <= EvidenceTrainer.mostWeights else {
            throw EngineError(.value, "a smooth one with \(model.layout.count) weights, expected at most \(EvidenceTrainer.mostWeights): fewer hidden units, or "
                + "an additive one")
        }
        self.parameters = parameters
        all = try RegressionRows(data)
        var few = all
        if data.x.rows > 2 * EvidenceTrainer.fewRows {
            var chosen = Array(0..<data.x.rows), random = Random(seed: seed, purpose: .shuffling, index: 0)
            random.shuffle(&chosen)
            few = try RegressionRows(data, rows: Array(chosen.prefix(EvidenceTrainer.fewRows)))
        }
        waiting = (0..<EvidenceTrainer.starts).map { EvidenceFit(network, few, from: network.randomWeights(seed: seed, start: $0)) }
    }

    /// 0 to 1; the last round counts as half.
    var progress: Double {
        if isFinished { return 1 }
        let steps = waiting.first.map { 1 - 1 / (1 + Double($0.steps) / 20) } ?? 1
        let done = (Double(ended.count) + steps) / Double(max(ended.count + waiting.count, 1)) / 2
        return isLastRound ? 0.5 + done : done
    }

    func run(until end: Double) throws(EngineError) {
        while !isFinished, !isCancelled.load(ordering: .relaxed) {
            try waiting[0].run(until: end)
            guard waiting[0].isFinished else { return }
            let fit = waiting.removeFirst()
            ended.append((fit, fit.evidence()))
            guard waiting.isEmpty else { continue }
            let best = ended.max { $0.evidence < $1.evidence }!.fit
            if isLastRound {
                parameters.withMutablePointer { Scalar.narrow(best.weights, into: $0, count: parameters.count) }
                isFinished = true
            } else {
                waiting = [best.going(on: all)]
                ended = []
                isLastRound = true
            }
        }
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }
}
extension ColumnNetwork {
    /// Gaussian, so that standardised inputs bend the hidden units where rows are.
    fileprivate func randomWeights(seed: UInt64, start: Int) -> [Double] {
        var random = Random(seed: seed, purpose: .initialization, index: start)
        var weights = [Double](repeating: 0, count: parameterCount)
        for (k, layer) in layers.enumerated() {
            for place in 0..<layer.outputs * layer.inputs { weights[layer.weight + place] = random.gaussian() / Double(layer.inputs).squareRoot() }
            guard k < layers.count - 1 else { break }
            for place in 0..<layer.outputs { weights[layer.bias + place] = random.gaussian() }
        }
        return weights
    }
}
